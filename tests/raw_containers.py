"""An Initiator of containers for the simulated Fujifilm bodies' tests: raw sockets and packets."""

from __future__ import annotations

import socket
from typing import NamedTuple, Self

from ptpfast.engine import containers
from ptpfast.engine.wire import ContainerKind
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.fujifilm import packets
from raw_initiator import GUID, Stream

SILENCE_S = 0.3  # without an answer for so long there is none


class Answer(NamedTuple):
    """What one operation brought; code 0 where nothing came."""

    code: int
    data: bytes | None
    parameters: tuple[int, ...] = ()


class Initiator:
    """The command connection and, unless told otherwise, an open session."""

    def __init__(self, camera: SimulatedCamera, *, session: bool = True, name: str = "box") -> None:
        self.host, self.port = camera.host, camera.port
        self.command = Stream((self.host, self.port))
        self.command.send(packets.pack_hello(GUID, name))
        self.welcome = self.command.raw()
        self.transaction_id = 0
        if session:
            assert self.ask(0x1002, 1).code == 0x2001

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.command.close()

    def ask(self, code: int, *parameters: int, data: bytes | None = None) -> Answer:
        number = self.transaction_id
        self.transaction_id += 1
        self.command.send(
            containers.pack(ContainerKind.COMMAND_CONTAINER, code, number, parameters)
        )
        if data is not None:
            kind = ContainerKind.DATA_CONTAINER
            self.command.send(containers.pack(kind, code, number, payload=data))
        payload = None
        while (raw := self.command.raw()) is not None:
            answer = containers.parse(raw)
            if answer.kind == ContainerKind.RESPONSE_CONTAINER:
                return Answer(answer.code, payload, answer.parameters)
            payload = bytes(answer.payload)
        return Answer(0, payload)

    def is_silent_at(self, code: int, *parameters: int) -> bool:
        """Whether an operation is never answered. Nothing can be asked after it."""
        self.command.send(
            containers.pack(ContainerKind.COMMAND_CONTAINER, code, self.transaction_id, parameters)
        )
        self.command.sock.settimeout(SILENCE_S)
        try:
            return not self.command.sock.recv(1)
        except TimeoutError:
            return True

    def get(self, code: int) -> bytes:
        """The value of a property."""
        answer = self.ask(0x1015, code)
        assert answer.code == 0x2001
        assert answer.data is not None
        return answer.data

    def put(self, code: int, value: int, size: int = 2) -> int:
        """The response code to a property that is set."""
        return self.ask(0x1016, code, data=value.to_bytes(size, "little")).code

    def take(self, client: int, version: int, value: int) -> None:
        """Takes a function, as a client has to."""
        assert self.put(0xDF01, client) == 0x2001
        assert self.put(version, value, 4) == 0x2001

    def refuses(self, more: int) -> bool:
        """Whether the port so much behind the command connection's is closed."""
        try:
            socket.create_connection((self.host, self.port + more), 5).close()
        except ConnectionRefusedError:
            return True
        return False
