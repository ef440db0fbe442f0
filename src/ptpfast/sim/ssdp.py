"""A UPnP device of the simulated camera: it announces itself by SSDP and serves its description.

All traffic stays on the interface of the camera's address: multicast is sent and received there
alone. A camera at a loopback address answers loopback addresses only.
"""

from __future__ import annotations

import contextlib
import ipaddress
import selectors
import socket
import sys
import threading
import time
from collections.abc import Iterator

from ..vendors.announcement import BASE, SsdpAnnouncement
from .counters import Counters
from .http_gate import HttpGate

GROUP, PORT = "239.255.255.250", 1900
MAX_AGE_S = 1800  # for which others may believe an announcement
LONGEST = 2048  # bytes of a search
MOST_A_SECOND = 100  # datagrams that are read; the kernel drops the rest
_ALIVE_S = MAX_AGE_S / 3  # between two announcements
_IP_MULTICAST_ALL = 49  # of Linux; Python does not name it
_SEARCH = "M-SEARCH * HTTP/1.1"


class SsdpDevice:
    """A device that announces itself until it is closed.

    Args:
        host: the camera's address, a numeric IPv4 address of this computer.
        announcement: what is announced.
        counters: of the camera.

    Raises:
        OSError: the interface has no multicast, or no port is free.
    """

    def __init__(self, host: str, announcement: SsdpAnnouncement, counters: Counters) -> None:
        self._announcement = announcement
        self._loopback = ipaddress.ip_address(host).is_loopback
        self._gate = HttpGate(host, self._document, lambda: None, counters)
        self._base = f"http://{host}:{self._gate.port}"
        self._closing = False
        self._wake, self._waker = socket.socketpair()
        self._sockets: list[socket.socket] = [self._wake, self._waker]
        try:
            self._group = self._kept(member_of_group(host))
            self._out = self._kept(sender_from(host))
            self._notify("alive")
        except BaseException:
            self._close_sockets()
            self._gate.close()
            raise
        self._thread = threading.Thread(
            target=self._serve, name=f"camera ssdp {self._gate.port}", daemon=True
        )
        self._thread.start()

    @property
    def location(self) -> str:
        """The address of the description."""
        return self._base + self._announcement.path

    def close(self, *, is_ours: bool = True) -> None:
        """Say goodbye and stop; in a forked child, close its copies of the sockets."""
        if is_ours:
            self._closing = True
            self._waker.send(b"x")
            self._thread.join()
            with contextlib.suppress(OSError):  # the interface may be gone
                self._notify("byebye")
        self._close_sockets()
        self._gate.close()

    def _kept(self, sock: socket.socket) -> socket.socket:
        self._sockets.append(sock)
        return sock

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()

    def _document(self, path: str) -> tuple[str, bool] | None:
        text = self._announcement.documents.get(path)
        return None if text is None else (text.replace(BASE, self._base), False)

    def _targets(self) -> Iterator[tuple[str, str]]:
        """Each search target with its USN."""
        udn = self._announcement.udn
        yield udn, udn
        for target in ("upnp:rootdevice", *self._announcement.types):
            yield target, f"{udn}::{target}"

    def _notify(self, what: str) -> None:
        for target, usn in self._targets():
            lines = [f"NOTIFY * HTTP/1.1\r\nHOST: {GROUP}:{PORT}"]
            if what == "alive":
                lines += [f"CACHE-CONTROL: max-age={MAX_AGE_S}", f"LOCATION: {self.location}"]
                lines += [f"SERVER: {self._announcement.server}"]
            lines += [f"NT: {target}", f"NTS: ssdp:{what}", f"USN: {usn}"]
            self._out.sendto(_packed(lines), (GROUP, PORT))

    def _serve(self) -> None:
        next_alive = time.monotonic() + _ALIVE_S
        second, read = 0.0, 0
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            selector.register(self._group, selectors.EVENT_READ)
            while not self._closing:
                now = time.monotonic()
                if now >= next_alive:
                    self._try_to_notify()
                    next_alive = now + _ALIVE_S
                if now - second >= 1:
                    second, read = now, 0
                if read >= MOST_A_SECOND:
                    _wait_for(self._wake, second + 1 - now)
                elif self._group in [key.fileobj for key, _ in selector.select(next_alive - now)]:
                    read += 1
                    self._answer_next()

    def _try_to_notify(self) -> None:
        with contextlib.suppress(OSError):
            self._notify("alive")

    def _answer_next(self) -> None:
        """Answer one datagram, if it is a search for this device."""
        try:
            data, sender = self._group.recvfrom(LONGEST + 1)
            if self._loopback and not ipaddress.ip_address(sender[0]).is_loopback:
                return
            wanted = searched(data)
            for target, usn in self._targets():
                if wanted in ("ssdp:all", target):
                    self._out.sendto(self._answer(target, usn), sender)
        except OSError:  # nothing there, or the searcher cannot be reached
            pass

    def _answer(self, target: str, usn: str) -> bytes:
        return _packed(
            [
                "HTTP/1.1 200 OK",
                f"CACHE-CONTROL: max-age={MAX_AGE_S}",
                "EXT:",
                f"LOCATION: {self.location}",
                f"SERVER: {self._announcement.server}",
                f"ST: {target}",
                f"USN: {usn}",
            ]
        )


def searched(data: bytes) -> str | None:
    """Return the target of an M-SEARCH; None for any other datagram."""
    if len(data) > LONGEST:
        return None
    first, *lines = data.decode("utf-8", "replace").split("\r\n")
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.strip().upper()] = value.strip()
    discovers = fields.get("MAN", "").strip('"') == "ssdp:discover"
    return fields.get("ST") if first == _SEARCH and discovers else None


def member_of_group(host: str) -> socket.socket:
    """Return a socket that receives what the interface of an address hears in the group."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            # Otherwise it would receive what another program has joined on another interface.
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((GROUP, PORT))
        member = socket.inet_aton(GROUP) + socket.inet_aton(host)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def sender_from(host: str) -> socket.socket:
    """Return a socket that sends from an address; multicast on its interface, no further."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        sock.bind((host, 0))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _packed(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


def _wait_for(sock: socket.socket, seconds: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        selector.select(max(0.0, seconds))
