"""Programs at a port that are no cameras, or cameras in trouble, each with a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ptpfast.engine.wire import InitCommandAck, pack
from ptpfast.transport.contract import Address

Serve = Callable[[socket.socket], object]
LOOPBACK = "127.0.0.1"


@contextmanager
def server(serve: Serve, *, first: int | None = None) -> Iterator[Address]:
    """A program that treats each connection in the same way, and then holds it open.

    first: how many connections it takes before it stops listening; None for all.
    """
    listener = socket.create_server((LOOPBACK, 0))
    address = Address(*listener.getsockname()[:2])
    held: list[socket.socket] = []

    def accept() -> None:
        while first is None or len(held) < first:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            held.append(sock)
            if len(held) == first:
                listener.close()
            with contextlib.suppress(OSError):
                serve(sock)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for sock in (listener, *held):
            sock.close()


@contextmanager
def refusing() -> Iterator[Address]:
    """A port that nothing listens at, and that nobody else gets meanwhile."""
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        yield Address(*sock.getsockname())


def nothing(_: socket.socket) -> None:
    """Accepts, and never answers."""


def closing(sock: socket.socket) -> None:
    """Closes the connection as soon as something has come."""
    sock.recv(4096)
    sock.shutdown(socket.SHUT_RDWR)


def saying(data: bytes) -> Serve:
    """Answers the first bytes with this."""

    def serve(sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(data)

    return serve


def greeting(data: bytes) -> Serve:
    """Speaks first."""
    return lambda sock: sock.sendall(data)


def web(sock: socket.socket) -> None:
    """A web server: it answers requests, and other bytes not before their line ends."""
    while data := sock.recv(4096):
        if b"\r\n\r\n" in data:
            sock.sendall(b"HTTP/1.1 200 OK\r\nServer: lighttpd/1.4\r\n\r\n<html></html>")
            sock.shutdown(socket.SHUT_RDWR)


def acknowledging(sock: socket.socket) -> None:
    """A camera that answers Init Command Request."""
    sock.recv(4096)
    sock.sendall(pack(InitCommandAck(1, bytes(16), "camera", 0x10000)))
