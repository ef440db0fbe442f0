"""Cameras that offer PTP/IP as a service in mDNS; zeroconf speaks the protocol."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from ipaddress import ip_address
from typing import TYPE_CHECKING

from .. import vendors
from ..transport.contract import Address
from ..vendors.announcement import PTP_SERVICE
from ..vendors.signs import Told
from .found import found
from .networks import INSTALL, Network, is_usable
from .round import Round

if TYPE_CHECKING:
    from zeroconf import ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

log: logging.Logger = logging.getLogger("ptpfast")

KIND = f"{PTP_SERVICE}.local."
MOST_NAMES = 256


class Mdns:
    """A search by mDNS.

    Args:
        round_: the search for cameras that it is part of.
        inside: the networks.
    """

    def __init__(self, round_: Round, inside: list[Network]) -> None:
        self._round, self._inside = round_, inside
        self._names: set[str] = set()
        self._lock = threading.Lock()
        self._running = _started(inside)
        self._browser: ServiceBrowser | None = None
        if self._running is not None:
            from zeroconf import ServiceBrowser

            self._browser = ServiceBrowser(self._running, KIND, handlers=[self._changed])

    def close(self) -> None:
        """Stop; the search must be over."""
        if self._browser is not None:
            self._browser.cancel()
        if self._running is not None:
            self._running.close()

    # zeroconf gives its arguments by these names.
    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change.name == "Removed":
            return
        with self._lock:
            if name in self._names or len(self._names) >= MOST_NAMES:
                return
            self._names.add(name)
        self._round.start(self._resolve, zeroconf, name)

    def _resolve(self, running: Zeroconf, name: str) -> None:
        info = running.get_service_info(KIND, name, timeout=int(self._round.left_s * 1000))
        if info is None:
            return
        host = host_of(info, self._inside)
        if host and info.port:
            instance = name.removesuffix(f".{KIND}")
            txt = {key: value or "" for key, value in info.decoded_properties.items()}
            vendor, told = _read(instance, txt)
            self._round.see(found(Address(host, info.port), vendor, told, "mdns"))


def require_zeroconf() -> None:
    """Raise ModuleNotFoundError, with the way to install it, without zeroconf."""
    try:
        import zeroconf  # noqa: F401
    except ModuleNotFoundError as error:
        text = f"discovery needs zeroconf: {INSTALL}"
        raise ModuleNotFoundError(text, name="zeroconf") from error


def host_of(info: ServiceInfo, inside: list[Network]) -> str:
    """Return the address of a service: IPv4 if it has one, else IPv6 with its scope, or empty."""
    addresses = [each for each in info.parsed_scoped_addresses() if is_usable(each, inside)]
    addresses.sort(key=lambda each: ip_address(each).version)
    scopes = {network.scope for network in inside if network.scope}
    for each in addresses:
        if "%" in each:
            return with_name(each)
        if not ip_address(each).is_link_local or ":" not in each:
            return each
        if len(scopes) == 1:
            return f"{each}%{scopes.pop()}"
    return ""


def with_name(address: str) -> str:
    """Return an IPv6 address with the name of its interface: the number changes with time."""
    host, _, scope = address.partition("%")
    try:
        return f"{host}%{socket.if_indextoname(int(scope))}"
    except (OSError, ValueError, OverflowError):  # it is a name, or the interface has gone
        return address


def _read(instance: str, txt: dict[str, str]) -> tuple[str | None, Told]:
    """Return the vendor of an instance, if one knows it, and what it tells."""
    for vendor in map(vendors.named, vendors.NAMES):
        told = vendor.signs.instance(instance, txt)
        if told is not None:
            return vendor.name, told
    return None, Told(instance)


def _started(inside: list[Network]) -> Zeroconf | None:
    """Return zeroconf on the interfaces of the networks; None if it can use none."""
    from zeroconf import IPVersion, Zeroconf

    hosts = [network.address for network in inside]
    both = [*hosts, *(network.link_local for network in inside if network.link_local)]
    if len(both) > len(hosts):
        with contextlib.suppress(OSError, RuntimeError):
            return Zeroconf(interfaces=both, ip_version=IPVersion.All)
    try:
        return Zeroconf(interfaces=hosts, ip_version=IPVersion.V4Only)
    except (OSError, RuntimeError) as error:
        log.warning("cameras that use mDNS cannot be found: %s", error)
        return None
