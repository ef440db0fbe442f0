"""The search for cameras: all ways at the same time."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from .. import vendors
from ..ptp.arguments import seconds as checked_seconds
from ..transport.contract import Address
from ..vendors.signs import Told
from .datagrams import Datagrams, listener_at
from .found import Found, found, learn
from .mdns import Mdns, require_zeroconf
from .networks import Door, Network, doors, is_inside, networks
from .round import Round
from .ssdp import Ssdp

KNOCK_S = 1.0  # for a TCP connection to an address that is tried


def discover(
    seconds: float = 3.0,
    *,
    interfaces: str | Iterable[str] | None = None,
    addresses: str | Iterable[str] | None = None,
) -> list[Found]:
    """Find the cameras in the networks of this computer.

    Cameras announce themselves by mDNS, SSDP or broadcast. Cameras in networks of their own often
    do not: a TCP connection is opened to their known addresses and to the gateway, and closed at
    once.

    Args:
        seconds: How long to search.
        interfaces: IPv4 addresses of this computer, to search their networks only; by default all
            but loopback.
        addresses: `HOST` or `HOST:PORT` to try instead of the known addresses; an empty list for
            none.

    Returns:
        The cameras, in the order in which they were found. A camera that only has answered to a
        TCP connection may be another device with that port.

    Raises:
        TypeError, ValueError: An argument is wrong.
        ConnectFailed: This computer is in no network.
        ModuleNotFoundError: The extra `discovery` is not installed.
    """
    cameras: list[Found] = []
    for camera in stream(seconds, interfaces=interfaces, addresses=addresses):
        learn(cameras, camera)
    return cameras


def stream(
    seconds: float = 3.0,
    *,
    interfaces: str | Iterable[str] | None = None,
    addresses: str | Iterable[str] | None = None,
) -> Iterator[Found]:
    """Yield each camera as soon as it is found, and again when more is known about it.

    Args, Raises: as of `discover`. The arguments are checked at once.
    """
    checked_seconds("seconds", seconds)
    require_zeroconf()
    inside = networks(interfaces)
    return _stream(seconds, inside, doors(addresses, inside))


def _stream(seconds: float, inside: list[Network], known: list[Door]) -> Iterator[Found]:
    round_ = Round(seconds)
    with contextlib.ExitStack() as closing:
        datagrams = Datagrams(round_)
        closing.callback(datagrams.close)
        closing.callback(round_.close)  # before it: the workers use what the others close
        Ssdp(round_, datagrams, inside)
        _hear_broadcasts(round_, datagrams, inside)
        datagrams.start()
        for door in known:
            round_.start(_knock, round_, door)
        mdns = Mdns(round_, inside)
        closing.callback(mdns.close)
        closing.callback(round_.close)
        yield from round_.cameras()


def _hear_broadcasts(round_: Round, datagrams: Datagrams, inside: list[Network]) -> None:
    for vendor in map(vendors.named, vendors.NAMES):
        for port, read in vendor.signs.broadcasts.items():
            hear = _heard(round_, vendor.name, vendor.transport.port, read, inside)
            datagrams.read(partial(listener_at, port), hear)


def _heard(
    round_: Round,
    vendor: str,
    port: int,
    read: Callable[[bytes], Told | None],
    inside: list[Network],
) -> Callable[[bytes, str], None]:
    def hear(data: bytes, sender: str) -> None:
        told = read(data)
        # Another host's address in it would send the user there.
        if told is not None and told.host in ("", sender) and is_inside(sender, inside):
            round_.see(found(Address(sender, port), vendor, told, "broadcast"))

    return hear


def _knock(round_: Round, door: Door) -> None:
    """Report a camera where something listens. Nothing is sent: some cameras mind."""
    try:
        socket.create_connection(door.camera, min(KNOCK_S, round_.left_s)).close()
    except (OSError, ValueError):
        return
    round_.see(found(door.camera, door.vendor, Told(), "address"))
