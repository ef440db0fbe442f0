"""The routes of this computer, and whether a neighbour in one of its networks answers.

Linux shows both in /proc/net. Elsewhere nothing is known: an empty list, or None.
"""

from __future__ import annotations

import re
import socket
import sys
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path

ROUTES, NEIGHBOURS = Path("/proc/net/route"), Path("/proc/net/arp")
_UP, _GATEWAY, _REJECT = 0x1, 0x2, 0x200
_COMPLETE = 0x2  # of a neighbour: its address on the wire is known
# Types of interfaces that are tunnels, from linux/if_arp.h: PPP, IP in IP, IPv6 in IPv4, GRE, and
# those without addresses of their own, such as TUN and WireGuard.
_TUNNEL_TYPES = frozenset({512, 768, 769, 776, 778, 65534})
_TUNNEL_NAMES = re.compile(r"(tun|tap|utun|wg|ppp|ipsec|tailscale|zt|nordlynx|proton)[0-9a-z]*")


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the routing table.

    Attributes:
        interface: The name of the interface.
        network: The destination.
        gateway: The next host on the way; None for a network that this computer is in.
        metric: The smaller one is used.
    """

    interface: str
    network: IPv4Network
    gateway: IPv4Address | None
    metric: int


def routes(path: Path = ROUTES) -> list[Route]:
    """Return the IPv4 routes; rows that cannot be read are left out."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()[1:]
    except (OSError, UnicodeError):
        return []
    found = []
    for line in lines:
        words = line.split()
        try:
            flags = int(words[3], 16)
            network = IPv4Network((int(_address(words[1])), _prefix(_address(words[7]))))
            gateway = _address(words[2]) if flags & _GATEWAY else None
            metric = int(words[6])
        except (IndexError, ValueError):
            continue
        if flags & _UP and not flags & _REJECT:
            found.append(Route(words[0], network, gateway, metric))
    return found


def gateways(path: Path = ROUTES) -> list[str]:
    """Return the addresses of the default gateways."""
    found = (row for row in routes(path) if row.network.prefixlen == 0 and row.gateway)
    return list(dict.fromkeys(str(row.gateway) for row in found))


def ways_to(host: str, table: list[Route]) -> list[Route]:
    """Return the routes that lead to an IPv4 address, the one that is used first."""
    try:
        address = IPv4Address(host)
    except ValueError:
        return []
    fitting = [row for row in table if address in row.network]
    return sorted(fitting, key=lambda row: (-row.network.prefixlen, row.metric))


def local_address(host: str, port: int) -> str:
    """Return the address of this computer from which it would send to a host. Nothing is sent.

    Raises:
        OSError: there is no route.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM)[0][4])
        address: str = sock.getsockname()[0]
        return address


def has_neighbour(host: str, path: Path = NEIGHBOURS) -> bool | None:
    """Return whether a host of an own network has answered the question for its hardware address.

    None if it is not known, as for a host behind a gateway, or of IPv6.
    """
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) > 2 and words[0] == host:
            try:
                return bool(int(words[2], 16) & _COMPLETE)
            except ValueError:
                return None
    return None


def is_tunnel(name: str, root: Path = Path("/")) -> bool:
    """Return whether an interface is a tunnel, such as that of a VPN."""
    folder = root / "sys/class/net" / name
    if (folder / "tun_flags").exists():
        return True
    try:
        if int((folder / "type").read_text()) in _TUNNEL_TYPES:
            return True
    except (OSError, ValueError):
        pass
    return _TUNNEL_NAMES.fullmatch(name) is not None


def is_private(host: str) -> bool:
    """Return whether an address is used in local networks only, as those of cameras are."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_private or address.is_link_local


def _address(text: str) -> IPv4Address:
    """Return an address that the kernel wrote in hexadecimal, in its own byte order."""
    number = bytes.fromhex(text)
    if len(number) != 4:
        raise ValueError(f"{text!r} is no address")
    return IPv4Address(number[::-1] if sys.byteorder == "little" else number)


def _prefix(mask: IPv4Address) -> int:
    return int(mask).bit_count()
