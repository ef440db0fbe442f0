"""Programs in a network that listen for cameras: written without the package's own code."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

GROUP = "239.255.255.250"
LOOPBACK = "127.0.0.1"
SEARCH = 'M-SEARCH * HTTP/1.1\r\nHOST: {0}:{1}\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: {2}\r\n\r\n'


def a_free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def searcher(source: str = LOOPBACK) -> Iterator[socket.socket]:
    """A socket that sends multicast over loopback alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        sock.bind((source, 0))
        sock.settimeout(5)
        yield sock


@contextmanager
def listener(port: int) -> Iterator[socket.socket]:
    """A socket that hears the group over loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((GROUP, port))
        member = socket.inet_aton(GROUP) + socket.inet_aton(LOOPBACK)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        sock.settimeout(5)
        yield sock


def search(sock: socket.socket, port: int, target: str, count: int) -> list[dict[str, str]]:
    """Search, and return the headers of so many answers."""
    sock.sendto(SEARCH.format(GROUP, port, target).encode(), (GROUP, port))
    return [headers(sock.recv(4096), "HTTP/1.1 200 OK") for _ in range(count)]


def headers(data: bytes, first: str) -> dict[str, str]:
    """The headers of a message, which must begin with a line and end with an empty one."""
    assert data.endswith(b"\r\n\r\n")
    line, *lines = data.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    assert line == first
    return dict(each.split(": ", 1) if ": " in each else (each.rstrip(":"), "") for each in lines)


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.headers.get_content_type() == "text/xml"
        text: str = answer.read().decode()
        return text
