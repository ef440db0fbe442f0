"""Replace what identifies a person or a camera by constants of the same length.

GUIDs, names and serial numbers are replaced where the protocol has them: in Init packets, in
DeviceInfo, in StorageInfo, in the properties that hold names, and in XML. Each is then remembered,
and replaced wherever else it stands in a dataset, as ASCII or UTF-16, if it is long enough not to
be found by chance.
"""

from __future__ import annotations

import re
import threading
from uuid import UUID

from ..engine.wire import Cursor, PacketType
from ..ptp.codes import OperationCode
from ..ptp.errors import ProtocolError
from ..transport.identity import GUID_BYTES
from .operations import PICTURES, finders
from .packets import HEAD_SIZE, has_payload, kind_of, packets

SHORTEST = 4  # characters of a text that is searched for
_LEAST_VARIED = 4  # different bytes of a GUID that is searched for
_GUID_AT = 8  # in Init Command Request, in either transport
_ACK_GUID_AT = 12  # in Init Command Ack, and in Fujifilm's Init Command Request
_VERSION_SIZE = 4  # behind the name, in PTP/IP
_XML = re.compile(rb"<(friendlyName|serialNumber|UDN|modelNumberSerial)>([^<]+)</", re.IGNORECASE)


class Redactor:
    """The texts and GUIDs that were seen, and their replacement."""

    def __init__(self) -> None:
        self._patterns: dict[bytes, bytes] = {}
        self._longest_first: list[bytes] = []
        self._public: set[str] = set()  # makers and models
        self._lock = threading.Lock()  # several cameras may be recorded in one trace

    def init(self, packet: bytes, *, containers: bool) -> bytes:
        """Return an Init packet with other GUIDs and names; any other packet as it is."""
        kind = int.from_bytes(packet[4:8], "little")
        if kind == PacketType.INIT_COMMAND_REQUEST:
            at, letter = (_ACK_GUID_AT if containers else _GUID_AT), b"\x11"
        elif kind == PacketType.INIT_COMMAND_ACK:
            at, letter = _ACK_GUID_AT, b"\x22"
        else:
            return packet
        name_at = at + GUID_BYTES
        end = len(packet) - (0 if containers else _VERSION_SIZE)
        if end < name_at:  # cut: nothing can be told apart
            return packet[:8] + bytes(len(packet) - 8)
        with self._lock:
            self._learn_guid(packet[at:name_at], letter)
            name = self._name(packet[name_at:end])
        return packet[:at] + letter * GUID_BYTES + name + packet[end:]

    def _name(self, units: bytes) -> bytes:
        text, rest = bytearray(), len(units)
        for at in range(0, len(units) - 1, 2):
            if units[at : at + 2] == b"\0\0":
                rest = at
                break
            text += units[at : at + 2]
        self._learn(bytes(text).decode("utf-16-le", "replace"))
        # Behind the NUL there may be the rest of a longer name.
        return b"x\0" * (rest // 2) + bytes(len(units) - rest // 2 * 2)

    def _learn_guid(self, guid: bytes, letter: bytes) -> None:
        """Remember a GUID, as bytes and as it is written."""
        if len(set(guid)) >= _LEAST_VARIED:
            self._patterns[guid] = letter * GUID_BYTES
            digit = letter.hex()[:1]
            for text in (guid.hex(), str(UUID(bytes=guid))):
                self._add(text, digit)
                self._add(text.upper(), digit)

    def _learn(self, text: str, letter: str = "x") -> None:
        """Remember a name or a number."""
        for each in {text, text.strip(), text.strip().lstrip("0")}:
            if len(each) >= SHORTEST and set(each) - set(" 0x"):
                self._add(each, letter)

    def _add(self, text: str, letter: str) -> None:
        if any(text in public for public in self._public):
            return
        encoded = text.encode("utf-8", "replace")
        self._patterns[encoded] = letter.encode() * len(encoded)
        encoded = text.encode("utf-16-le", "replace")
        self._patterns[encoded] = (letter + "\0").encode() * (len(encoded) // 2)
        self._longest_first = sorted(self._patterns, key=len, reverse=True)

    def stream(
        self, stream: bytes, operation: int, parameters: tuple[int, ...], *, containers: bool
    ) -> bytes:
        """Return packets with replaced payload.

        Args:
            stream: whole packets of one transaction.
            operation: that of its request.
            parameters: those of its request.
            containers: whether the packets are containers, or PTP/IP's.
        """
        places = [
            (start + HEAD_SIZE, end)
            for start, end in packets(stream)
            if has_payload(stream[start : start + HEAD_SIZE], containers=containers)
        ]
        payload = b"".join(stream[start:end] for start, end in places)
        if not payload:
            return stream
        replaced = self.dataset(operation, parameters, payload)
        result, at = bytearray(stream), 0
        for start, end in places:
            size = max(end - start, 0)
            result[start : start + size] = replaced[at : at + size]
            at += size
        return bytes(result)

    def sent(
        self, data: bytes, operation: int, parameters: tuple[int, ...], *, containers: bool
    ) -> bytes:
        """Return a request and its payload with replaced names."""
        if operation in PICTURES or kind_of(data, containers=containers) == 0:
            return data
        return self.stream(data, operation, parameters, containers=containers)

    def dataset(self, operation: int, parameters: tuple[int, ...], payload: bytes) -> bytes:
        """Return the payload of an operation with constants for names and numbers."""
        with self._lock:
            return self._dataset(operation, parameters, payload)

    def _dataset(self, operation: int, parameters: tuple[int, ...], payload: bytes) -> bytes:
        if operation == OperationCode.GetDeviceInfo:
            return self._device_info(payload)
        for find in finders(operation):
            for start, end, encoding in find(parameters, payload):
                self._learn(payload[start:end].decode(encoding, "replace"))
                unit = b"x\0" if encoding == "utf-16-le" else b"x"
                constant = unit * ((end - start) // len(unit))
                payload = payload[:start] + constant + payload[start + len(constant) :]
        if payload[:200].lstrip().startswith(b"<"):
            for match in _XML.finditer(payload):
                self._learn(match[2].decode("utf-8", "replace"))
                start, end = match.span(2)
                payload = payload[:start] + b"x" * (end - start) + payload[end:]
        return self._everywhere(payload)

    def _everywhere(self, data: bytes) -> bytes:
        """Return bytes in which all that was learned is replaced."""
        for pattern in self._longest_first:
            if pattern in data:
                data = data.replace(pattern, self._patterns[pattern])
        return data

    def _device_info(self, payload: bytes) -> bytes:
        """Replace the serial number alone: maker and model decide how a camera is spoken to."""
        cursor = Cursor(payload, "DeviceInfo")
        try:
            for field in ("u16", "u32", "u16", "string", "u16"):
                getattr(cursor, field)()
            for _ in range(5):
                cursor.array("u16")
            model = cursor.string(), cursor.string(), cursor.string()
            at = cursor.offset
            serial = cursor.string()
        except ProtocolError:
            return bytes(len(payload))
        self._forget(model)
        self._learn(serial, "0")
        rest = bytearray(payload[at:])
        for each in range(1, len(rest) - 1, 2):
            if rest[each : each + 2] != b"\0\0":
                rest[each : each + 2] = b"0\0"
        if len(rest) % 2 == 0 and len(rest):  # half a unit
            rest[-1] = 0
        return payload[:at] + bytes(rest)

    def _forget(self, texts: tuple[str, ...]) -> None:
        """Do not replace texts that many cameras share, such as the name of a model."""
        self._public.update(texts)
        for text in texts:
            for shared in (text.encode(), text.encode("utf-16-le")):
                for known in [each for each in self._patterns if each in shared]:
                    del self._patterns[known]
        self._longest_first = sorted(self._patterns, key=len, reverse=True)

    def blank(self, stream: bytes, *, containers: bool) -> bytes:
        """Return packets whose payload, of which the end is missing, is zeros."""
        result = bytearray(stream)
        for start, end in packets(stream):
            if has_payload(stream[start : start + HEAD_SIZE], containers=containers):
                size = max(end - start - HEAD_SIZE, 0)
                result[end - size : end] = bytes(size)
        return bytes(result)
