"""The packet classes of mmattes/ptpip: its names for the packets of `engine.wire`.

Numbers are ints and names are str; the original kept raw bytes. A class takes the bytes after a
packet's length and type (`data`), or nothing. Its attributes are the packet's fields in wire order.

Source: mmattes/ptpip (ptpip/ptpip.py) for names.
"""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from ..engine import wire
from ..engine.wire import Builder, Cursor, PacketType, pack
from ..ptp.codes import PROTOCOL_VERSION
from ..ptp.errors import ProtocolError
from ..transport.identity import default_guid, default_name

_CLASSES: dict[int, type[PtpIpPacket]] = {}


def body(packet: wire.Packet) -> bytes:
    """Return a packet without its length field, as `PtpIpPacket.factory` takes it."""
    return pack(packet)[4:]


def _parse(cmdtype: int, data: Any) -> Any:
    """Return the packet of this type with the fields in `data`."""
    builder = Builder()
    builder.u32(len(data) + 8)
    builder.u32(cmdtype)
    builder.payload(data)
    return wire.parse(bytes(builder))


class PtpIpPacket:
    """Base class of the packets. `cmdtype` is the packet type, a `wire.PacketType`."""

    cmdtype: ClassVar[PacketType | None] = None
    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        assert cls.cmdtype is not None
        _CLASSES[cls.cmdtype] = cls

    def __init__(self, data: Any = None) -> None:
        if data is not None:
            assert self.cmdtype is not None
            for name, value in zip(self.fields, _parse(self.cmdtype, data), strict=False):
                setattr(self, name, bytes(value) if isinstance(value, memoryview) else value)

    def factory(self, data: Any = None) -> Any:
        """Return the packet in `data`, the bytes after a length field; None without data.

        Raises:
            ProtocolError: an unknown type, or a wrong layout.
        """
        if data is None:
            return None
        cmdtype, fields = Cursor(data, "packet").u32(), memoryview(data)[4:]
        if cmdtype == PacketType.EVENT:
            event = _parse(cmdtype, fields)
            return PtpIpEvent(event.code, event.parameters[0] if event.parameters else 0)
        if cmdtype not in _CLASSES:
            raise ProtocolError(f"packet of unknown type {cmdtype}", packet_type=cmdtype)
        return _CLASSES[cmdtype](fields)

    def data(self) -> Any:
        """Return the bytes after the length field, for packets that are sent; else None."""
        return None


class PtpIpInitCmdReq(PtpIpPacket):
    """Init Command Request: this computer's GUID and name, the same in every run."""

    cmdtype: ClassVar[PacketType | None] = PacketType.INIT_COMMAND_REQUEST
    fields: ClassVar[tuple[str, ...]] = ("guid", "hostname")

    def __init__(self, data: Any = None) -> None:
        self.guid: bytes = default_guid()
        self.hostname: str = default_name()
        super().__init__(data)

    def data(self) -> bytes:
        return body(wire.InitCommandRequest(self.guid, self.hostname, PROTOCOL_VERSION))


class PtpIpInitCmdAck(PtpIpPacket):
    """Init Command Ack. `session_id` is the connection number, as in the original."""

    cmdtype: ClassVar[PacketType | None] = PacketType.INIT_COMMAND_ACK
    fields: ClassVar[tuple[str, ...]] = ("session_id", "guid", "hostname")
    session_id: int
    guid: bytes
    hostname: str


class PtpIpEventReq(PtpIpPacket):
    """Init Event Request. `session_id` is the connection number."""

    cmdtype: ClassVar[PacketType | None] = PacketType.INIT_EVENT_REQUEST
    fields: ClassVar[tuple[str, ...]] = ("session_id",)

    def __init__(self, data: Any = None, session_id: int | None = None) -> None:
        self.session_id = session_id
        super().__init__(data)

    def data(self) -> bytes:
        if self.session_id is None:
            raise ValueError("session_id, the connection number, is not set")
        return body(wire.InitEventRequest(self.session_id))


class PtpIpEventAck(PtpIpPacket):
    """Init Event Ack."""

    cmdtype: ClassVar[PacketType | None] = PacketType.INIT_EVENT_ACK


class PtpIpInitFail(PtpIpPacket):
    """Init Fail. `PtpIpConnection.open` raises `ptpfast.InitFailed` with its `reason`."""

    cmdtype: ClassVar[PacketType | None] = PacketType.INIT_FAIL
    fields: ClassVar[tuple[str, ...]] = ("reason",)
    reason: int


class PtpIpCmdRequest(PtpIpPacket):
    """An Operation Request and its outcome.

    After it has ended (`wait`, `result`), `response`, `data_in` and `error` are set.

    Args:
        data: The fields of a request to parse instead.
        cmd: The operation code.
        param1: The first of five parameters, u32; `param2` to `param5` are the others.
        data_out: Bytes-like, the payload of a data-out phase.

    Attributes:
        response: The PtpIpCmdResponse; None if none came.
        data_in: The payload of a data-in phase; None without one.
        error: The exception that `result` raises; None for success.
    """

    cmdtype: ClassVar[PacketType | None] = PacketType.OPERATION_REQUEST
    fields: ClassVar[tuple[str, ...]] = ("unkown", "ptp_cmd", "transaction_id", "args")

    def __init__(
        self,
        data: Any = None,
        cmd: int | None = None,
        param1: int | None = None,
        param2: int | None = None,
        param3: int | None = None,
        param4: int | None = None,
        param5: int | None = None,
        *,
        data_out: Any = None,
    ) -> None:
        self.ptp_cmd: Any = cmd  # a number by the time it is sent
        self.param1, self.param2, self.param3 = param1, param2, param3
        self.param4, self.param5 = param4, param5
        self.transaction_id = 0  # given when it is sent
        self.unkown = 1 if data_out is None else 2  # data phase: 1 none or data-in, 2 data-out
        self.data_out = data_out
        super().__init__(data)
        self._over = threading.Event()
        self.begin()

    @property
    def args(self) -> tuple[int, ...]:
        """The parameters that are set."""
        given = (self.param1, self.param2, self.param3, self.param4, self.param5)
        return tuple(value for value in given if value is not None)

    @args.setter
    def args(self, given: tuple[int, ...]) -> None:
        five: tuple[int | None, ...] = (*given, None, None, None, None, None)[:5]
        self.param1, self.param2, self.param3, self.param4, self.param5 = five

    def data(self) -> bytes:
        return body(
            wire.OperationRequest(self.unkown, self.ptp_cmd, self.transaction_id, self.args)
        )

    def begin(self) -> None:
        """Clear an earlier outcome. The connection does this when the request is queued."""
        self._over.clear()
        self.response: PtpIpCmdResponse | None = None
        self.data_in: bytearray | None = None
        self.error: BaseException | None = None

    def finish(self, error: BaseException | None = None) -> None:
        """End the request and wake all waiting threads. The connection calls this."""
        self.error = error
        self._over.set()

    @property
    def done(self) -> bool:
        """True if the request has ended."""
        return self._over.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds; return whether the request has ended."""
        return self._over.wait(timeout)

    def result(self, timeout: float | None = None) -> PtpIpCmdResponse:
        """Wait for the end of the request and return the response.

        Raises:
            ResponseError, NetworkError: the error of the request.
            TimeoutError: it has not ended after `timeout` seconds.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"operation 0x{self.ptp_cmd:04X} is not over after {timeout} s")
        if self.error is not None:
            raise self.error
        assert self.response is not None
        return self.response


class PtpIpCmdResponse(PtpIpPacket):
    """Operation Response. `args` are its parameters, a tuple of ints."""

    cmdtype: ClassVar[PacketType | None] = PacketType.OPERATION_RESPONSE
    fields: ClassVar[tuple[str, ...]] = ("ptp_response_code", "transaction_id", "args")
    ptp_response_code: int
    transaction_id: int
    args: tuple[int, ...]


class PtpIpStartDataPacket(PtpIpPacket):
    """Start Data. `length` is the size of the whole payload in bytes; None if unknown."""

    cmdtype: ClassVar[PacketType | None] = PacketType.START_DATA
    fields: ClassVar[tuple[str, ...]] = ("transaction_id", "length")
    transaction_id: int
    length: int | None


class PtpIpDataPacket(PtpIpPacket):
    """Data. `data` is a piece of the payload; it is an attribute, as in the original."""

    cmdtype: ClassVar[PacketType | None] = PacketType.DATA
    fields: ClassVar[tuple[str, ...]] = ("transaction_id", "data")
    transaction_id: int
    data: bytes = b""  # type: ignore[assignment]


class PtpIpCancelTransaction(PtpIpPacket):
    """Cancel Transaction."""

    cmdtype: ClassVar[PacketType | None] = PacketType.CANCEL
    fields: ClassVar[tuple[str, ...]] = ("transaction_id",)
    transaction_id: int


class PtpIpEndDataPacket(PtpIpDataPacket):
    """End Data. `data` is the last piece of the payload; it may be empty, or the whole payload."""

    cmdtype: ClassVar[PacketType | None] = PacketType.END_DATA


class PtpIpPing(PtpIpPacket):
    """Probe Request. The session answers those from the camera."""

    cmdtype: ClassVar[PacketType | None] = PacketType.PROBE_REQUEST

    def data(self) -> bytes:
        return body(wire.ProbeRequest())


class PtpIpPong(PtpIpPacket):
    """Probe Response; the original has no name for it."""

    cmdtype: ClassVar[PacketType | None] = PacketType.PROBE_RESPONSE


class PtpIpEvent:
    """An event and its first parameter, 0 if it has none; both ints."""

    def __init__(self, event_code: int, event_parameter: int) -> None:
        self.event_code: int = int(event_code)
        self.event_parameter: int = int(event_parameter)

    def __repr__(self) -> str:
        return f"PtpIpEvent(0x{self.event_code:04X}, 0x{self.event_parameter:X})"


class PtpIpEventFactory:
    """Parser of the payload that answers 0x90C7: `get_events` returns its events.

    Layout: u16 count, then u16 code and u32 parameter each.

    Raises:
        ProtocolError: the payload is cut.
    """

    def __init__(self, data: Any) -> None:
        cursor = Cursor(data, "GetEvent")
        count = cursor.u16() if cursor.remaining else 0
        self.events: list[PtpIpEvent] = [
            PtpIpEvent(cursor.u16(), cursor.u32()) for _ in range(count)
        ]
        cursor.finish()

    def get_events(self) -> list[PtpIpEvent]:
        return self.events


class PtpIpDataObject:
    """An object that 0x1009 fetched: its handle, and its bytes as a bytearray (not copied)."""

    def __init__(self, object_handle: int, data: bytes | bytearray) -> None:
        self.object_handle = object_handle
        self.data = data

    def __repr__(self) -> str:
        return f"PtpIpDataObject(0x{self.object_handle:08X}, {len(self.data):,} bytes)"
