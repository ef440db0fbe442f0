"""Fujifilm's transport: three ports, a handshake of its own, then containers.

The command connection is at port 55740. The ports behind it, for events and for live view frames,
open when a session has begun remote control (InitiateOpenCapture).

Sources: libgphoto2 (fujiptpip.c), fudge (lib/fuji.c), malc0mn/ptp-ip.
"""

from __future__ import annotations

import time

from ...engine import containers
from ...engine.channel import Channel
from ...engine.framing import ContainerPhase
from ...engine.phase import Phase
from ...engine.wire import ContainerKind
from ...ptp.codes import OperationCode, ResponseCode
from ...ptp.datasets import DeviceInfo
from ...ptp.errors import InitFailed
from ...transport.contract import Address, Heard, Opened, Transport
from ...transport.handshake import open_channel, raise_connect_failed
from ...transport.identity import Identity
from ...transport.side import SideConnection
from ...transport.timeouts import Timeouts
from .codes import FujifilmOperation
from .packets import (
    LARGEST_FRAME,
    Hello,
    pack_hello,
    parse_event,
    parse_welcome,
    refusal_of,
)

PORT = 55740
FAREWELL = bytes.fromhex("08000000ffffffff")
# A body that has just been left answers Init Fail with DeviceBusy: fudge and malc0mn/ptp-ip try
# again twice.
RETRIES = 2
RETRY_S = 0.5
AFTER_WELCOME_S = 0.05  # before the first operation (fudge)
VENDOR_EXTENSION = 0x0000000E
# What bodies answer over Wi-Fi. An X-T4 answers GetDeviceInfo with nothing there (libgphoto2), and
# fudge never asks.
OPERATIONS = (
    OperationCode.GetDeviceInfo,
    OperationCode.OpenSession,
    OperationCode.CloseSession,
    OperationCode.GetObjectInfo,
    OperationCode.GetObject,
    OperationCode.GetThumb,
    OperationCode.InitiateCapture,
    OperationCode.GetDevicePropValue,
    OperationCode.SetDevicePropValue,
    OperationCode.TerminateOpenCapture,
    OperationCode.GetPartialObject,
    OperationCode.InitiateOpenCapture,
    FujifilmOperation.GetCapturePreview,
    FujifilmOperation.GetPropertyDescriptions,
)


class FujifilmTransport:
    """The transport of bodies of 2014 to 2021."""

    port = PORT

    def open(
        self, address: Address, identity: Identity, timeouts: Timeouts, *, probes: bool
    ) -> Opened:
        """Connect the command connection and complete its handshake. There are no probes."""
        deadline = time.monotonic() + timeouts.connect
        for left in reversed(range(RETRIES + 1)):
            try:
                return _shake_hands(address, identity, deadline)
            except InitFailed as error:
                busy = error.reason == ResponseCode.DeviceBusy
                if not busy or not left or time.monotonic() + RETRY_S > deadline:
                    raise
            time.sleep(RETRY_S)
        raise AssertionError("the last try returns or raises")

    def open_events(self, opened: Opened, address: Address, timeouts: Timeouts) -> Channel | None:
        """Connect the connections for events and for live view, at the next two ports."""
        deadline = time.monotonic() + timeouts.connect
        who = f"{opened.name or 'a camera'} answered at {address}"
        behind = [Address(address.host, address.port + more) for more in (1, 2)]
        event = open_channel(
            behind[0],
            deadline,
            patient=True,
            who=who,
            recorder=opened.recorder,
            usual_port=PORT + 1,
        )
        try:
            left = max(deadline - time.monotonic(), 0.0)
            opened.live_view = SideConnection.open(behind[1], left, LARGEST_FRAME)
        except BaseException:
            event.close()
            raise
        return event

    def request(
        self,
        operation: int,
        transaction_id: int,
        parameters: tuple[int, ...],
        payload: memoryview | None,
    ) -> bytes:
        """Pack a command container, and a data container for a payload."""
        packed = containers.pack(
            ContainerKind.COMMAND_CONTAINER, operation, transaction_id, parameters
        )
        if payload is not None:
            packed += containers.pack(
                ContainerKind.DATA_CONTAINER, operation, transaction_id, payload=bytes(payload)
            )
        return packed

    def phase(
        self, transaction_id: int, *, limit: int | None, any_transaction_id: bool, label: str
    ) -> Phase:
        """Return a phase for a data container and a response container."""
        return ContainerPhase(
            transaction_id, limit=limit, any_transaction_id=any_transaction_id, label=label
        )

    def hear(self, packet: bytes) -> Heard:
        """Parse an event; anything else means nothing."""
        return Heard(parse_event(packet))

    def farewell(self) -> bytes:
        """Return the packet that ends a connection (fudge)."""
        return FAREWELL


def _shake_hands(address: Address, identity: Identity, deadline: float) -> Opened:
    command = open_channel(address, deadline, recorder=identity.recorder, usual_port=PORT)
    try:
        with raise_connect_failed(address, "handshake"):
            own = identity.filled()
            command.send(pack_hello(own.guid or b"", own.name or ""))
            answer = command.receive_packet(timeout_s=max(deadline - time.monotonic(), 0.05))
            reason = refusal_of(answer)
            if reason is None:
                camera = parse_welcome(answer)
        if reason is not None:
            raise InitFailed(reason, where=f"the camera at {address}")
    except BaseException:
        command.close()
        raise
    time.sleep(AFTER_WELCOME_S)
    return Opened(
        command,
        number=camera.number,
        guid=camera.guid,
        name=camera.name,
        probes=False,
        device_info=_info(camera),
        recorder=identity.recorder,
    )


def _info(camera: Hello) -> DeviceInfo:
    """Return what the handshake tells. The GUID stands for the serial number: each body has its
    own."""
    return DeviceInfo(
        vendor_extension_id=VENDOR_EXTENSION,
        vendor_extension_desc="fujifilm.co.jp: 1.0;",
        operations_supported=[int(code) for code in OPERATIONS],
        manufacturer="FUJIFILM",
        model=camera.name,
        serial_number=camera.guid.hex(),
    )


FUJIFILM_IP: Transport = FujifilmTransport()
