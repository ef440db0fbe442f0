"""Cameras that are UPnP devices: searched for by SSDP, and described over HTTP.

The targets are the vendors'. A description is fetched from the host that has answered and from no
other.
"""

from __future__ import annotations

import re
import socket
from functools import partial

from .. import vendors
from ..ptp.errors import PTPError
from ..transport.contract import Address
from ..transport.http_get import http_get
from ..vendors import Vendor
from ..vendors.signs import Told
from .datagrams import Datagrams, member_of, sender_from
from .description import parse_description
from .found import found
from .networks import Network
from .round import Round

GROUP, PORT = "239.255.255.250", 1900
FETCH_S = 2.0  # for a description
MOST_LINES = 64  # of an answer
_LOCATION = re.compile(r"http://([0-9.]{7,15})(?::([0-9]{1,5}))?(/[!-~]{0,300})?", re.IGNORECASE)
_UUID = re.compile(r"uuid:([0-9A-Fa-f-]{1,64})(?:::.*)?")


class Ssdp:
    """A search by SSDP.

    Args:
        round_: the search for cameras that it is part of.
        datagrams: reads the answers.
        inside: the networks.
    """

    def __init__(self, round_: Round, datagrams: Datagrams, inside: list[Network]) -> None:
        self._round = round_
        self._seen: set[tuple[str, str, str]] = set()
        self._vendors: dict[str, Vendor] = {}
        for vendor in map(vendors.named, vendors.NAMES):
            self._vendors.update(dict.fromkeys(vendor.signs.searches, vendor))
        for network in inside:
            host = network.address
            sock = datagrams.read(partial(sender_from, host), self._answered)
            if sock is not None:
                datagrams.send(partial(self._search, sock))
            datagrams.read(partial(member_of, GROUP, PORT, host), self._notified)

    def _search(self, sock: socket.socket) -> None:
        for target in self._vendors:
            lines = (
                "M-SEARCH * HTTP/1.1",
                f"HOST: {GROUP}:{PORT}",
                'MAN: "ssdp:discover"',
                "MX: 1",
                f"ST: {target}",
            )
            sock.sendto("\r\n".join((*lines, "", "")).encode("ascii"), (GROUP, PORT))

    def _answered(self, data: bytes, sender: str) -> None:
        first, fields = headers(data)
        if first.startswith("HTTP/1.") and first[8:12] == " 200":
            self._take(fields.get("ST", ""), fields, sender)

    def _notified(self, data: bytes, sender: str) -> None:
        first, fields = headers(data)
        if first.startswith("NOTIFY * ") and fields.get("NTS") == "ssdp:alive":
            self._take(fields.get("NT", ""), fields, sender)

    def _take(self, target: str, fields: dict[str, str], sender: str) -> None:
        """Describe a device, each once."""
        vendor = self._vendors.get(target)
        key = sender, target, fields.get("LOCATION", "")
        if vendor is not None and key not in self._seen and len(self._seen) < 1000:
            self._seen.add(key)
            self._round.start(self._describe, vendor, target, fields, sender)

    def _describe(self, vendor: Vendor, target: str, fields: dict[str, str], sender: str) -> None:
        told: dict[str, str] = {}
        address, path = place_of(fields.get("LOCATION", ""), sender)
        if address is not None:
            try:
                data = http_get(address, path, min(FETCH_S, self._round.left_s))
                told = parse_description(data)
            except PTPError:  # it is a camera without a description then
                pass
        maker = told.get("manufacturer", "").casefold()
        if maker and not maker.startswith(vendor.signs.manufacturer):
            return  # some targets are not the vendor's alone
        uuid = _UUID.match(told.get("UDN", "") or fields.get("USN", ""))
        is_sure = bool(maker) or f"-{vendor.name}-" in target
        camera = Told(
            told.get("friendlyName", ""),
            told.get("modelName", ""),
            told.get("serialNumber", ""),
            uuid[1] if uuid else "",
        )
        where = Address(sender, vendor.transport.port)
        self._round.see(found(where, vendor.name if is_sure else None, camera, "ssdp"))


def headers(data: bytes) -> tuple[str, dict[str, str]]:
    """Return the first line of a message and its fields, by names in capitals."""
    first, *lines = data.decode("utf-8", "replace").split("\r\n", MOST_LINES)
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().upper(), value.strip())
    return first, fields


def place_of(location: str, sender: str) -> tuple[Address | None, str]:
    """Return the server and the path of a LOCATION; None if it is not on the host that sent it."""
    match = _LOCATION.fullmatch(location)
    port = int(match[2] or 80) if match else 0
    if match is None or match[1] != sender or not 0 < port < 1 << 16:
        return None, ""
    return Address(sender, port), match[3] or "/"
