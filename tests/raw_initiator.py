"""The Initiator of the simulated camera's tests: raw sockets, `engine.wire`, and no more."""

from __future__ import annotations

import socket
from typing import Any, Self

from ptpfast.engine import wire as wire
from ptpfast.ptp.codes import OperationCode, ResponseCode
from ptpfast.sim import SimulatedCamera

Op = OperationCode
Code = ResponseCode
ALL = 0xFFFFFFFF
GUID = bytes(range(16))


class Stream:
    """Packets of one connection; None at its end, in the middle of a packet too."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=10)
        self.file = self.sock.makefile("rb")

    def send(self, *packets: wire.Packet | bytes) -> None:
        raw = (p if isinstance(p, bytes) else wire.pack(p) for p in packets)
        self.sock.sendall(b"".join(raw))

    def raw(self) -> bytes | None:
        head = self.file.read(4)
        if len(head) < 4:
            return None
        size = int.from_bytes(head, "little") - 4
        rest = self.file.read(size)
        return head + rest if len(rest) == size else None

    def receive(self) -> Any:
        packet = self.raw()
        return None if packet is None else wire.parse(packet)

    def close(self) -> None:
        self.file.close()
        self.sock.close()


class Answer:
    """What one operation brought: the packets, the payload, the response."""

    def __init__(self) -> None:
        self.packets: list[Any] = []
        self.response: Any = None

    @property
    def code(self) -> int:
        return int(self.response.code)

    @property
    def data(self) -> bytes:
        return b"".join(p.payload for p in self.packets if isinstance(p, wire.Data | wire.EndData))

    @property
    def shape(self) -> list[str]:
        return [type(packet).__name__ for packet in self.packets]


class Initiator:
    """Both connections and, unless told otherwise, an open session."""

    def __init__(self, camera: SimulatedCamera, *, session: bool = True) -> None:
        self.address = (camera.host, camera.port)
        self.command = Stream(self.address)
        self.command.send(wire.InitCommandRequest(GUID, "test", 0x10000))
        self.ack = self.command.receive()
        self.event = Stream(self.address)
        self.event.send(wire.InitEventRequest(self.ack.connection_number))
        assert self.event.receive() == wire.InitEventAck()
        self.transaction_id = 0
        if session:
            assert self.ask(Op.OpenSession, 1).code == Code.OK

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.command.close()
        self.event.close()

    def request(self, code: int, *parameters: int, data: bytes | None = None) -> None:
        tid = self.transaction_id
        self.transaction_id += 1
        packets: list[wire.Packet] = [
            wire.OperationRequest(1 if data is None else 2, code, tid, parameters)
        ]
        if data is not None:
            packets += [wire.StartData(tid, len(data)), wire.EndData(tid, data)]
        self.command.send(*packets)

    def collect(self) -> Answer:
        answer = Answer()
        while (packet := self.command.receive()) is not None:
            if isinstance(packet, wire.OperationResponse):
                answer.response = packet
                break
            answer.packets.append(packet)
        return answer

    def ask(self, code: int, *parameters: int, data: bytes | None = None) -> Answer:
        self.request(code, *parameters, data=data)
        return self.collect()


def a_file(camera: SimulatedCamera) -> int:
    return camera.store.files()[0].handle
