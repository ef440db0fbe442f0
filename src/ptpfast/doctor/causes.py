"""Everything that the doctor can name: what is wrong, and what to do. One place for each sentence.

The first argument of each function is what the sentence is about. The codes are a contract:
programs read them in `--json`.
"""

from __future__ import annotations

from ..vendors.menus import Menus
from .diagnosis import Cause

DISCOVER = "'ptpfast discover' finds the cameras in the networks of this computer"
ASLEEP = "press the shutter button halfway to wake it, and switch off its automatic power-off"
RESTART = "switch the camera's Wi-Fi off and on, and try again"
PAIR = "run 'ptpfast pair' and accept this computer on the camera"

# The way


def no_network() -> Cause:
    return Cause(
        "no-network",
        "this computer is in no network",
        "join the camera's Wi-Fi, or connect the network cable",
    )


def no_route(host: str, networks: str) -> Cause:
    return Cause(
        "no-route",
        f"this computer has no route to {host}; its networks: {networks}",
        f"join the camera's network; if you have, check the address: {DISCOVER}",
    )


def wrong_network(host: str, gateway: str, networks: str) -> Cause:
    return Cause(
        "wrong-network",
        f"{host} is in none of this computer's networks ({networks}), and the gateway {gateway} "
        "does not reach it",
        f"join the camera's network, or correct the address: {DISCOVER}",
    )


def vpn(host: str, interface: str) -> Cause:
    return Cause(
        "vpn",
        f"packets to {host} go into the tunnel {interface}, and nothing comes back",
        "switch the VPN off, or allow local networks in its settings",
    )


def two_networks(host: str, interfaces: list[str]) -> Cause:
    first, *others = dict.fromkeys(interfaces)
    return Cause(
        "two-networks",
        f"{host} is in the networks of {first} and of {', '.join(others)}; packets go to {first}, "
        "and nothing answers there",
        f"disconnect the one that the camera is not in: {first} or {', '.join(others)}",
    )


# The host


def name_unknown(host: str) -> Cause:
    return Cause(
        "name-unknown",
        f"the name {host} is not known to this network",
        f"check the spelling, or use the camera's IP address: {DISCOVER}",
    )


def name_unanswered(host: str, seconds: float) -> Cause:
    return Cause(
        "name-unanswered",
        f"the name server has not answered within {seconds:.0f} s for {host}",
        f"use the camera's IP address: {DISCOVER}",
    )


def no_device(host: str) -> Cause:
    return Cause(
        "no-device",
        f"no device answers at {host}: the camera is off or asleep, or has another address",
        f"{ASLEEP}; then check the address: {DISCOVER}",
    )


def filtered(address: str) -> Cause:
    return Cause(
        "filtered",
        f"nothing comes back from {address}: a firewall drops the packets, or the camera sleeps",
        f"{ASLEEP}; allow the port in the firewall, and switch off 'client isolation' in the "
        "settings of the router or hotspot",
    )


def local_firewall(address: str) -> Cause:
    return Cause(
        "local-firewall",
        f"this computer does not let the connection to {address} out",
        "allow it in this computer's firewall or security software",
    )


def nothing_listens(address: str, menus: Menus) -> Cause:
    return Cause(
        "nothing-listens",
        f"a device is at {address.rpartition(':')[0]}, but nothing listens at {address}: the "
        "camera is not in its remote mode, or this is another device",
        f"on the camera: {menus.connect}",
    )


def this_computer(text: str, hint: str) -> Cause:
    return Cause("this-computer", text, hint)


# Who answers


def http_server(address: str, server: str) -> Cause:
    named = f" ({server})" if server else ""
    return Cause(
        "http-server",
        f"a web server answers at {address}{named}, not a camera",
        f"this is probably a router, or the wrong port; {DISCOVER}",
    )


def other_service(address: str, banner: str) -> Cause:
    return Cause(
        "other-service",
        f"another service answers at {address}: {banner!r}",
        f"check address and port: {DISCOVER}",
    )


def other_protocol(address: str, vendor: str, port: int) -> Cause:
    return Cause(
        "other-protocol",
        f"a {vendor.title()} camera answers at {address}, in its maker's own protocol",
        f"leave the port out, or write {port}; from Python: connect(vendor={vendor!r})",
    )


def not_ptpip(address: str) -> Cause:
    return Cause(
        "not-ptpip",
        f"something answers at {address}, but not as a PTP/IP camera does",
        f"check the address: {DISCOVER}; if it is the camera, {RESTART}",
    )


def silent(address: str, menus: Menus) -> Cause:
    accept = f"; {menus.accept}" if menus.accept else ""
    return Cause(
        "silent",
        f"{address} accepts the connection and then does not answer: the camera asks its owner or "
        "hangs, or this is another device",
        f"run 'ptpfast pair' and look at the camera's display{accept}; otherwise {RESTART}",
    )


def closed_at_once(address: str) -> Cause:
    return Cause(
        "closed-at-once",
        f"{address} closes the connection at once: the camera is in use by another computer or "
        "phone, or this is another device",
        f"disconnect the other one, or {RESTART}",
    )


def event_refused(address: str) -> Cause:
    return Cause(
        "event-refused",
        f"the camera at {address} answers, and refuses the second connection, that for events",
        f"{RESTART}; a router or firewall may allow only one connection",
    )


def event_failed(message: str) -> Cause:
    return Cause("event-failed", message, f"{RESTART}; another computer may be connected")


# What the camera says


def busy(text: str) -> Cause:
    return Cause(
        "busy",
        text,
        "disconnect the phone or other computer; after an aborted session wait half a minute",
    )


def not_paired(where: str, menus: Menus) -> Cause:
    return Cause(
        "not-paired",
        f"{where} does not know this computer, or has rejected it",
        f"{PAIR}: {menus.connect}; if it was rejected: {menus.readmit}",
    )


def awaits_owner(text: str, menus: Menus) -> Cause:
    accept = f": {menus.accept}" if menus.accept else ""
    return Cause("not-paired", f"the camera waits for its owner: {text}", PAIR + accept)


def rejected(where: str, menus: Menus) -> Cause:
    return Cause("rejected", f"{where} rejects this computer", menus.readmit)


def refused(text: str, hint: str) -> Cause:
    return Cause("refused", text, hint or RESTART)


# The session


def large_packets_lost(address: str, segment: int) -> Cause:
    return Cause(
        "large-packets-lost",
        f"{address} answers in small packets of {segment} bytes, and large ones are lost on the "
        "way: an MTU black hole",
        "set the MTU of this computer's interface to 576 or 1280, and mend that of the VPN, router "
        "or hotspot in between",
    )


def hangs(message: str) -> Cause:
    return Cause("hangs", message, "switch the camera off and on, then try again")


def lost(message: str) -> Cause:
    return Cause("connection-lost", message, f"{ASLEEP}; {RESTART}")


def broken_protocol(message: str) -> Cause:
    return Cause("broken-protocol", message, "please report it with the camera's model")


def wrong_mode(message: str, menus: Menus, *, blocks: bool = True) -> Cause:
    return Cause(
        "wrong-mode",
        f"the camera does not show its card in this mode: {message}",
        f"choose another mode on the camera: {menus.connect}",
        blocks,
    )


def asleep(message: str) -> Cause:
    return Cause("asleep", f"the camera goes to sleep or has no card: {message}", ASLEEP)


def no_card() -> Cause:
    return Cause(
        "no-card",
        "the camera shows no memory card",
        "insert a card; some cameras hide it in remote or phone mode: choose another mode",
    )


def empty_card(doubts: str) -> Cause:
    return Cause(
        "nothing-listed",
        f"the card lists no pictures: {doubts}" if doubts else "the card lists no pictures",
        "take a picture; some cameras show only the pictures that were chosen to be sent",
        blocks=False,
    )


# Speed


def slow_round_trips(ms: float, line_ms: float | None) -> Cause:
    far = line_ms is not None and line_ms > ms / 2
    where = "the network" if far else "the camera"
    return Cause(
        "slow-round-trips",
        f"each request takes {ms:.0f} ms, most of it in {where}",
        "move closer, or use a cable or the camera's own network; 'ptpfast tune' may help",
        blocks=False,
    )


def loss(percent: float) -> Cause:
    return Cause(
        "loss",
        f"packets are lost on the way: {percent:.1f} % arrive after a missing one",
        "move closer, choose a free channel or the 5 GHz band, or use a cable",
        blocks=False,
    )


def weak_signal(dbm: float) -> Cause:
    return Cause(
        "weak-signal",
        f"the signal is weak: {dbm:.0f} dBm",
        "move closer to the camera or access point",
        blocks=False,
    )


# This computer's disk


def disk_full(folder: str, free: str) -> Cause:
    return Cause(
        "disk-full",
        f"only {free} are free in {folder}",
        "free some space, or download into another folder",
        blocks=False,
    )


def disk_not_writable(folder: str, reason: str) -> Cause:
    return Cause(
        "disk-not-writable",
        f"files cannot be written in {folder}: {reason}",
        "download into another folder",
        blocks=False,
    )


# The search


def no_camera(networks: str, seconds: float) -> Cause:
    where = f" in {networks}" if networks else ""
    return Cause(
        "no-camera",
        f"no camera was found{where} within {seconds:g} s",
        "join the camera's network, and start its remote or 'connect to PC' mode; if you know its "
        "address: ptpfast doctor ADDRESS",
    )


def no_search(library: str) -> Cause:
    return Cause(
        "no-search",
        f"cameras cannot be searched for: {library} is not installed",
        "name the camera: ptpfast doctor ADDRESS; or pip install 'ptpfast[discovery]'",
    )


def several_cameras(addresses: list[str]) -> Cause:
    return Cause(
        "several-cameras",
        f"{len(addresses)} cameras were found: {', '.join(addresses)}",
        f"name one: ptpfast doctor {addresses[0]}",
    )
