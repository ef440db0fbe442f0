"""Sockets that wait for datagrams, in one thread, until a search is over."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable

from .round import Round

log: logging.Logger = logging.getLogger("ptpfast")

LONGEST = 4096  # bytes of a datagram that is read; a longer one is dropped
MOST = 20_000  # datagrams of one socket
SEND_S = 2.0  # between two searches: answers get lost in Wi-Fi
LOOK_S = 0.1  # for the end of the search
_IP_MULTICAST_ALL = 49  # of Linux; Python does not name it

Read = Callable[[bytes, str], object]


class Datagrams:
    """The thread and its sockets.

    Args:
        round_: the search.
    """

    def __init__(self, round_: Round) -> None:
        self._round = round_
        self._reads: dict[socket.socket, Read] = {}
        self._left: dict[socket.socket, int] = {}
        self._sends: list[Callable[[], object]] = []
        self._thread = threading.Thread(target=self._run, name="ptpfast datagrams", daemon=True)

    def read(self, make: Callable[[], socket.socket], read: Read) -> socket.socket | None:
        """Open a socket, and give each of its datagrams with its sender to `read`.

        Without the port or the interface, the search goes on without this socket: None.
        """
        try:
            sock = make()
        except OSError as error:
            log.warning("not all cameras can be found: %s", error)
            return None
        sock.setblocking(False)
        self._reads[sock], self._left[sock] = read, MOST
        return sock

    def send(self, send: Callable[[], object]) -> None:
        """Call a function now, and again and again until the end of the search."""
        self._sends.append(send)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop; the search must be over."""
        if self._thread.ident is not None:
            self._thread.join()
        for sock in self._reads:
            sock.close()

    def _run(self) -> None:
        every_s = min(SEND_S, self._round.left_s / 3)
        next_send = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for sock in self._reads:
                selector.register(sock, selectors.EVENT_READ, sock)
            while self._round.left_s:
                if time.monotonic() >= next_send:
                    self._send()
                    next_send += every_s
                for key, _ in selector.select(min(LOOK_S, self._round.left_s)):
                    if not self._read(key.data):
                        selector.unregister(key.fileobj)

    def _send(self) -> None:
        for send in self._sends:
            with contextlib.suppress(OSError):  # the interface has gone
                send()

    def _read(self, sock: socket.socket) -> bool:
        """Read one datagram; return whether more are wanted."""
        try:
            data, sender = sock.recvfrom(LONGEST + 1)
        except OSError:
            return True
        if len(data) <= LONGEST:
            self._reads[sock](data, sender[0])
        self._left[sock] -= 1
        return self._left[sock] > 0


def sender_from(host: str) -> socket.socket:
    """Return a socket that sends from an address, and multicast on its interface alone."""
    sock = _udp()
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        sock.bind((host, 0))
    except BaseException:
        sock.close()
        raise
    return sock


def member_of(group: str, port: int, host: str) -> socket.socket:
    """Return a socket that receives what the interface of an address hears in a group."""
    sock = _udp()
    try:
        if sys.platform == "linux":
            # Otherwise it would receive what another program has joined on another interface.
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        sock.bind((group, port))
        member = socket.inet_aton(group) + socket.inet_aton(host)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except BaseException:
        sock.close()
        raise
    return sock


def listener_at(port: int) -> socket.socket:
    """Return a socket that receives broadcasts to a port."""
    sock = _udp()
    try:
        sock.bind(("", port))
    except BaseException:
        sock.close()
        raise
    return sock


def _udp() -> socket.socket:
    """Return a socket that shares its port with other programs."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform != "linux":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return sock
