"""The way to the camera: its name, the route, the interface, and what may divert the packets."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from ..network import routes
from ..network.interface import Interface, described, interface_of
from ..network.routes import Route
from ..transport.contract import Address
from . import causes
from .diagnosis import Cause, Step

NAME_S = 5.0  # for the resolver, which may wait longer on its own


@dataclass(frozen=True)
class Way:
    """The way to a host.

    Attributes:
        host: The IP address.
        local: The address of this computer on the way.
        interface: The interface on the way.
        table: The routes of this computer; empty if the system does not tell.
        used: The routes to the host, the one in use first.
    """

    host: str
    local: str
    interface: Interface
    table: list[Route] = field(default_factory=list)
    used: list[Route] = field(default_factory=list)

    @property
    def is_tunnelled(self) -> bool:
        """Whether the way leads through a tunnel, such as that of a VPN."""
        return self.interface.kind != "loopback" and routes.is_tunnel(self.interface.name)

    @property
    def is_direct(self) -> bool | None:
        """Whether the host is in a network of this computer; None if that is not known."""
        return self.used[0].gateway is None if self.used else None

    @property
    def rivals(self) -> list[Route]:
        """The networks of this computer that the host may be in, if they are several."""
        direct = [row for row in self.used if row.gateway is None and row.network.prefixlen]
        return direct if len({row.interface for row in direct}) > 1 else []


def networks_of(table: list[Route]) -> str:
    """Return the networks of this computer in words: `wlan0 192.168.0.0/24`."""
    direct = [row for row in table if row.gateway is None and row.network.prefixlen]
    return ", ".join(dict.fromkeys(f"{row.interface} {row.network}" for row in direct))


def resolve(address: Address) -> tuple[str, Step, Cause | None]:
    """Return the IP address of a host, the step, and the cause if there is none."""
    host = address.host
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        pass
    else:
        return host, Step("name", "ok", f"{host} is an IP address", {"ip": host}), None
    found = _looked_up(address)
    if isinstance(found, str):
        return found, Step("name", "ok", f"{host} is {found}", {"ip": found}), None
    cause = causes.name_unknown(host) if found is not None else causes.name_unanswered(host, NAME_S)
    return "", Step("name", "bad", cause.text, {"ip": None}), cause


def _looked_up(address: Address) -> str | OSError | None:
    """Return the IP address, the error, or None if the resolver takes too long.

    The resolver cannot be interrupted: the thread that waits for it is left alone.
    """
    found: list[str | OSError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            found.append(error if isinstance(error, OSError) else OSError(str(error)))
        else:
            found.append(str(rows[0][4][0]))

    thread = threading.Thread(target=look_up, name="ptpfast resolver", daemon=True)
    thread.start()
    thread.join(NAME_S)
    return found[0] if found else None


def way_to(host: str, port: int) -> tuple[Way | None, list[Step], Cause | None]:
    """Return the way to an IP address, the steps, and the cause if there is none."""
    table = routes.routes()
    networks = networks_of(table)
    try:
        local = routes.local_address(host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        cause = causes.no_route(host, networks) if networks else causes.no_network()
        why = {"local": None, "interface": None, "networks": networks, "error": reason}
        return None, [Step("route", "bad", cause.text, why)], cause
    is_here = host == local or ip_address(local.partition("%")[0]).is_loopback
    used = [] if is_here else routes.ways_to(host, table)
    # The address may be that of another interface, as with a tunnel that has none of its own.
    interface = described(used[0].interface) if used else interface_of(local)
    way = Way(host, local, interface, table, used)
    gateway = str(used[0].gateway) if used and used[0].gateway else None
    through = f", through the gateway {gateway}" if gateway else ""
    name = f"{interface.name} ({interface.kind})" if interface.name else "an unknown interface"
    facts: dict[str, Any] = {
        "local": local,
        "interface": interface.name or None,
        "kind": interface.kind,
        "gateway": gateway,
        "networks": networks,
        "tunnel": way.is_tunnelled,
    }
    steps = [Step("route", "ok", f"from {local} by {name}{through}", facts)]
    if way.is_tunnelled:
        text = f"{interface.name} is a tunnel, such as that of a VPN"
        steps.append(Step("detour", "slow", text, {"tunnel": interface.name}))
    elif way.rivals:
        names = [row.interface for row in way.rivals]
        text = f"{host} is in {len(names)} networks of this computer: {', '.join(names)}"
        steps.append(Step("detour", "slow", text, {"interfaces": names}))
    return way, steps, None


def diverted(way: Way) -> Cause | None:
    """Return the reason of the way itself why a host does not answer, if there is one."""
    if way.is_tunnelled:
        return causes.vpn(way.host, way.interface.name)
    if way.rivals:
        return causes.two_networks(way.host, [row.interface for row in way.rivals])
    if way.is_direct is False and routes.is_private(way.host):
        return causes.wrong_network(way.host, str(way.used[0].gateway), networks_of(way.table))
    return None
