"""The texts by which a body and a computer find each other for PC AutoSave and for tethering.

They look like HTTP: a first line, then fields, all lines ending with CRLF. The blank after a
field's colon, and the empty line at the end, may be missing.

Sources: fudge (lib/discovery.c) and vcam (src/fuji/ssdp.c), which agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...ptp.errors import ProtocolError

LONGEST = 4096  # bytes of a text
SERVICE = "PCAUTOSAVE/1.0"
TETHER_SERVICE = "PCSS/1.0"
OK = "HTTP/1.1 200 OK"
_END = "\r\n"


class Text(NamedTuple):
    """A text: its first line, and its fields with names in capitals."""

    first: str
    fields: dict[str, str]

    @property
    def words(self) -> list[str]:
        """The first line without the version: a verb and what it is about."""
        return self.first.split(" ")[:-1]

    @property
    def about(self) -> str:
        """What the verb is about; the name of a computer may have spaces in it."""
        return " ".join(self.words[1:])


def parse_text(data: bytes) -> Text:
    """Parse a text.

    Raises:
        ProtocolError: it is too long, or a line is no field.
    """
    if len(data) > LONGEST:
        raise ProtocolError(f"a text of {len(data)} bytes")
    first, *lines = data.decode("utf-8", "replace").split(_END)
    if "HTTP/1." not in first:
        raise ProtocolError(f"a text that begins with {first!r:.60}")
    fields = {}
    for line in filter(None, lines):
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolError(f"a line without a colon: {line!r:.60}")
        fields[name.strip().upper()] = value.strip()
    return Text(first, fields)


def pack_text(first: str, fields: Mapping[str, str], blank: str = "") -> bytes:
    """Encode a text; `blank` stands between a field's colon and its value."""
    lines = [first, *(f"{name}:{blank}{value}" for name, value in fields.items()), ""]
    return _END.join(lines).encode()


# What a camera says.


def discover(name: str, address: str) -> bytes:
    """Return the broadcast of a camera that looks for a computer; name `*` to be registered."""
    fields = {
        "MX": "3",
        "HOST": "192.168.1.255:|",
        "DSCADDR": address,
        "SERVICE": SERVICE,
    }
    return pack_text(f"DISCOVER {name} HTTP/1.1", fields)


def register(host: str, name: str, model: str) -> bytes:
    """Return the text with which a camera registers at a computer."""
    return pack_text("REGISTER * HTTP/1.1", {"HOST": host, "DSCNAME": name, "DSCMODEL": model})


def import_request(host: str, name: str) -> bytes:
    """Return the request of a camera that has pictures; real bodies name a folder, `/guest`."""
    return pack_text("IMPORT /guest HTTP/1.1", {"HOST": host, "DSCNAME": name, "DSCPORT": "$"})


# What a computer says.


def notify(host: str, name: str) -> bytes:
    """Return the answer to a broadcast, by the name that the camera has asked for."""
    return pack_text("NOTIFY * HTTP/1.1", {"HOST": host, "IMPORTER": name}, blank=" ")


def registered() -> bytes:
    """Return the answer to a registration."""
    return pack_text(OK, {"FOLDER": "guest", "ServiceName": SERVICE}, blank=" ")


def accepted() -> bytes:
    """Return the answer to everything else."""
    return pack_text(OK, {})


def tether_discovery(address: str) -> bytes:
    """Return the broadcast of a computer that waits for a camera to tether."""
    fields = {"HOST": address, "MX": "5", "SERVICE": TETHER_SERVICE}
    return pack_text("DISCOVERY * HTTP/1.1", fields, blank=" ")
