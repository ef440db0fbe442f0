"""The networks of this computer, and the addresses at which cameras may be."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, ip_address
from typing import NamedTuple

from .. import vendors
from ..network import routes
from ..ptp.arguments import listed
from ..ptp.errors import ConnectFailed
from ..session.address import parse_address
from ..transport.contract import Address
from ..transport.ptpip import PTP_IP

INSTALL = "pip install 'ptpfast[discovery]'"
ROUTES = routes.ROUTES


@dataclass(frozen=True)
class Network:
    """An interface of this computer.

    Attributes:
        interface: Its IPv4 address, and the network behind it.
        link_local: Its link-local IPv6 address with the interface, `fe80::1%wlan0`; or empty.
    """

    interface: IPv4Interface
    link_local: str = ""

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return str(self.interface.ip)

    @property
    def scope(self) -> str:
        """The name of the interface, if it has a link-local address."""
        return self.link_local.partition("%")[2]


class Door(NamedTuple):
    """An address that is tried.

    Attributes:
        camera: Where something has to listen: then it is taken for a camera.
        vendor: Its vendor, if the port is its alone.
    """

    camera: Address
    vendor: str | None


def networks(given: str | Iterable[str] | None) -> list[Network]:
    """Return the networks to search: of all interfaces, or of those with the given addresses.

    Raises:
        TypeError, ValueError: A given address is no IPv4 address of this computer.
        ConnectFailed: There is no network.
        ModuleNotFoundError: The library that lists interfaces is not installed.
    """
    if given is not None:
        texts = (given,) if isinstance(given, str) else listed("interfaces", given, "a str")
        return [Network(_own_address(text)) for text in texts]
    found = _all_networks()
    if not found:
        raise ConnectFailed(
            "this computer is in no network", hint="join the camera's network, then try again"
        )
    return found


def doors(given: str | Iterable[str] | None, inside: list[Network]) -> list[Door]:
    """Return the addresses to try: given ones, or those of cameras in networks of their own.

    Of the known addresses only those in one of this computer's networks are tried, and the
    gateways.

    Raises:
        TypeError, ValueError: A given text is no address.
    """
    if given is not None:
        texts = (given,) if isinstance(given, str) else listed("addresses", given, "a str")
        addresses = list(map(parse_address, texts))
        return [Door(each, _vendor_of(each.port)) for each in addresses]
    known = []
    for vendor in map(vendors.named, vendors.NAMES):
        port = vendor.transport.port
        known += [Door(Address(host, port), _vendor_of(port)) for host in vendor.signs.addresses]
    at_gateways = [Address(host, PTP_IP.port) for host in gateways()]
    known += [Door(each, None) for each in at_gateways]
    return list(dict.fromkeys(door for door in known if is_inside(door.camera.host, inside)))


def gateways() -> list[str]:
    """Return the addresses of the default gateways, where the system shows them (Linux)."""
    return routes.gateways(ROUTES)


def _vendor_of(port: int) -> str | None:
    """Return the vendor whose cameras alone listen at a port."""
    if port == PTP_IP.port:
        return None
    owners = (vendors.named(name) for name in vendors.NAMES)
    return next((vendor.name for vendor in owners if vendor.transport.port == port), None)


def _own_address(text: object) -> IPv4Interface:
    if not isinstance(text, str):
        raise TypeError(f"interfaces takes addresses of this computer, not {text!r:.60}")
    try:
        address = IPv4Address(text)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((text, 0))
    except (OSError, ValueError):
        raise ValueError(f"{text!r:.60} is no IPv4 address of this computer") from None
    return IPv4Interface((address, 8 if address.is_loopback else 24))


def _all_networks() -> list[Network]:
    """Return all interfaces with an IPv4 address, without loopback."""
    try:
        import ifaddr
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"discovery needs ifaddr: {INSTALL}", name="ifaddr") from error
    found = []
    for adapter in ifaddr.get_adapters():
        link_local, own = "", []
        for ip in adapter.ips:
            if ip.is_IPv4:
                own.append(IPv4Interface(f"{ip.ip}/{ip.network_prefix}"))
            elif IPv6Address(ip.ip[0]).is_link_local:
                link_local = f"{ip.ip[0].partition('%')[0]}%{adapter.name}"
        found += [Network(each, link_local) for each in own if not each.is_loopback]
    return found


def is_inside(text: str, inside: list[Network]) -> bool:
    """Return whether an IPv4 address belongs to one of the networks."""
    return any(IPv4Address(text) in network.interface.network for network in inside)


def is_usable(text: str, inside: list[Network]) -> bool:
    """Return whether a camera can have an address that was told: a host's, and loopback only if
    that is searched."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if address.is_loopback:
        return any(network.interface.is_loopback for network in inside)
    return not (address.is_multicast or address.is_unspecified or text == "255.255.255.255")
