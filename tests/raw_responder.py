"""A Responder whose every byte a test decides: what no simulated camera would send.

Each operation is answered by a function of the test's, `(request, send)`; those it does not name
get OK, and GetDeviceInfo a plain DeviceInfo. `send` raises OSError once the Initiator is gone, so
that an answer may be without end.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

from ptpfast.engine.wire import (
    EndData,
    InitCommandAck,
    InitCommandRequest,
    InitEventAck,
    InitEventRequest,
    OperationRequest,
    OperationResponse,
    ProbeRequest,
    ProbeResponse,
    StartData,
    pack,
    parse,
)
from ptpfast.ptp.codes import OperationCode, ResponseCode
from ptpfast.ptp.datasets import DeviceInfo, encode

Send = Callable[[bytes], None]
Answer = Callable[[Any, Send], None]


def response(request: OperationRequest, code: int = ResponseCode.OK) -> bytes:
    """The Operation Response to a request."""
    return pack(OperationResponse(code, request.transaction_id))


def data(request: OperationRequest, payload: bytes) -> bytes:
    """A data phase in one End Data packet, and OK."""
    start = pack(StartData(request.transaction_id, len(payload)))
    return start + pack(EndData(request.transaction_id, payload)) + response(request)


def payload(content: bytes) -> Answer:
    """An answer with this payload."""
    return lambda request, send: send(data(request, content))


def for_ever(packet: Callable[[OperationRequest], bytes]) -> Answer:
    """An answer that never ends: this packet again and again, as fast as it is taken."""

    def answer(request: OperationRequest, send: Send) -> None:
        while True:
            send(packet(request) * 100)

    return answer


class Responder:
    """Listens at `host` and `port` while in its `with` block. `init` and `event` take the place of
    the answers to the two Init packets."""

    def __init__(
        self, *, init: Answer | None = None, event: Answer | None = None, **answers: Answer
    ) -> None:
        self._init = init or (lambda _, send: send(pack(InitCommandAck(1, bytes(16), "", 0x10000))))
        self._event = event or (lambda _, send: send(pack(InitEventAck())))
        self._answers = {OperationCode[name]: answer for name, answer in answers.items()}
        self._answers.setdefault(OperationCode.GetDeviceInfo, payload(encode(device_info())))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()[:2]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Responder:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in (self._listener, *self._sockets):
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), sock.makefile("rb") as stream:
            while True:
                self._answer(parse(_packet(stream)), sock.sendall)

    def _answer(self, packet: Any, send: Send) -> None:
        match packet:
            case InitCommandRequest():
                self._init(packet, send)
            case InitEventRequest():
                self._event(packet, send)
            case ProbeRequest():
                send(pack(ProbeResponse()))
            case OperationRequest():
                answer = self._answers.get(packet.code)
                if answer is None:
                    send(response(packet))
                else:
                    answer(packet, send)


def device_info(**fields: Any) -> DeviceInfo:
    """A DeviceInfo of a camera with all standard operations."""
    return DeviceInfo(operations_supported=[int(code) for code in OperationCode], **fields)


def _packet(stream: Any) -> bytes:
    head = stream.read(8)
    if len(head) < 8:
        raise EOFError
    size = int.from_bytes(head[:4], "little") - 8
    rest: bytes = stream.read(size)
    if len(rest) < size:
        raise EOFError
    return bytes(head + rest)
