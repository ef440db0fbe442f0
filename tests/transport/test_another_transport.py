"""A vendor whose cameras speak otherwise: containers on one connection, no handshake, no Event
connection, and a farewell. The whole session runs on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

import ptpfast
from ptpfast.engine import containers
from ptpfast.engine.channel import Channel
from ptpfast.engine.framing import ContainerPhase
from ptpfast.engine.phase import Phase
from ptpfast.engine.wire import ContainerKind, OperationRequest
from ptpfast.ptp.codes import OperationCode
from ptpfast.sim import SimulatedCamera
from ptpfast.sim.content import read
from ptpfast.transport.contract import Address, Heard, Opened, Transport
from ptpfast.transport.identity import Identity
from ptpfast.transport.timeouts import Timeouts
from ptpfast.vendors import Vendor
from ptpfast.vendors.body import ObjectRange

COMMAND = ContainerKind.COMMAND_CONTAINER
DATA = ContainerKind.DATA_CONTAINER
RESPONSE = ContainerKind.RESPONSE_CONTAINER
FAREWELL = bytes.fromhex("08000000ffffffff")


class Containers:
    """What a vendor's folder would have in its `transport`."""

    port = 55999

    def open(
        self, address: Address, identity: Identity, timeouts: Timeouts, *, probes: bool
    ) -> Opened:
        return Opened(Channel(socket.create_connection(address, timeouts.connect)), name="Box")

    def open_events(self, opened: Opened, address: Address, timeouts: Timeouts) -> Channel | None:
        return None

    def request(
        self,
        operation: int,
        transaction_id: int,
        parameters: tuple[int, ...],
        payload: memoryview | None,
    ) -> bytes:
        packets = containers.pack(
            ContainerKind.COMMAND_CONTAINER, operation, transaction_id, parameters
        )
        if payload is not None:
            data = bytes(payload)
            packets += containers.pack(
                ContainerKind.DATA_CONTAINER, operation, transaction_id, payload=data
            )
        return packets

    def phase(
        self, transaction_id: int, *, limit: int | None, any_transaction_id: bool, label: str
    ) -> Phase:
        return ContainerPhase(
            transaction_id, limit=limit, any_transaction_id=any_transaction_id, label=label
        )

    def hear(self, packet: bytes) -> Heard:
        return Heard()

    def farewell(self) -> bytes:
        return FAREWELL


TRANSPORT: Transport = Containers()
BOX = Vendor("box", transport=TRANSPORT)


class Box:
    """A camera that has the card of a simulated one and speaks in containers."""

    def __init__(self, card: SimulatedCamera) -> None:
        self.card = card
        self.codes: list[int] = []
        self.last_bytes = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """After the camera's side of the connection has ended, if there was one."""
        with suppress(OSError):  # so that an `accept` which still waits returns
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        sock, _ = self._listener.accept()
        with sock, sock.makefile("rb") as stream:
            while head := stream.read(4):
                packet = head + stream.read(int.from_bytes(head, "little") - 4)
                self.last_bytes = packet
                if packet != FAREWELL:
                    sock.sendall(self._answer(containers.parse(packet)))

    def _answer(self, command: containers.Container) -> bytes:
        code, number = command.code, command.transaction_id
        self.codes.append(code)
        request = OperationRequest(1, code, number, command.parameters)
        if code in (OperationCode.OpenSession, OperationCode.CloseSession):
            return containers.pack(RESPONSE, 0x2001, number)
        reply = self.card.body.perform(request, b"")
        data = reply.data
        if isinstance(data, ObjectRange):
            stored = self.card.store.get(data.handle)
            assert stored is not None
            assert stored.content is not None
            data = read(stored.content, data.offset, data.size)
        answer = b""
        if data is not None:
            answer = containers.pack(DATA, code, number, payload=data)
        return answer + containers.pack(RESPONSE, reply.code, number, reply.parameters)


@pytest.fixture
def box() -> Iterator[Box]:
    with SimulatedCamera(objects=3, size=300_000) as card:
        box = Box(card)
        yield box
        box.close()


def test_a_session_lists_and_downloads_over_another_transport(box: Box, tmp_path: Path) -> None:
    with ptpfast.connect("127.0.0.1", port=box.port, vendor=BOX, index=False) as session:
        objects = session.objects()
        assert len(objects) == 3
        for info in objects:
            whole = session.read(info.handle)
            done = session.download(info, tmp_path / info.name, chunk=100_000)
            stored = box.card.store.get(info.handle)
            assert stored is not None
            assert stored.content is not None
            assert whole == done.path.read_bytes() == read(stored.content)
    assert OperationCode.GetPartialObject in box.codes
    assert box.codes[-1] == OperationCode.CloseSession


def test_the_farewell_is_the_last_that_a_camera_hears(box: Box) -> None:
    session = ptpfast.connect("127.0.0.1", port=box.port, vendor=BOX, index=False)
    assert box.last_bytes != FAREWELL
    session.close()
    box.close()
    assert box.last_bytes == FAREWELL


def test_a_camera_without_an_event_connection_is_kept_awake(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.link.events.LOOK_S", 0.01)
    restless = replace(BOX, quirks=replace(BOX.quirks, keep_awake_s=0.02))
    asked = threading.Event()
    answer = Box._answer

    def answered(self: Box, command: containers.Container) -> bytes:
        if command.code == OperationCode.GetStorageIDs:
            asked.set()
        return answer(self, command)

    monkeypatch.setattr(Box, "_answer", answered)
    with ptpfast.connect("127.0.0.1", port=box.port, vendor=restless, index=False):
        assert asked.wait(10)


def test_a_port_says_which_transport_is_spoken_there(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Containers, "port", box.port)
    monkeypatch.setattr("ptpfast.vendors.NAMES", ("standard", "box"))
    named = ptpfast.vendors.named
    monkeypatch.setattr("ptpfast.vendors.named", lambda name: BOX if name == "box" else named(name))
    with ptpfast.connect("127.0.0.1", port=box.port, index=False) as session:
        assert len(session.objects()) == 3
