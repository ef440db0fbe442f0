"""A camera that was found."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from ..engine.text import printable
from ..transport.contract import Address
from ..vendors.signs import Told

LONGEST = 100  # characters of a text that a camera tells


@dataclass(frozen=True)
class Found:
    """A camera that was found.

    Texts are empty if the camera does not tell them.

    Attributes:
        host: Its address, for `connect`. A link-local IPv6 address has its interface:
            `fe80::1%wlan0`.
        port: Its TCP port.
        vendor: The vendor's name, as of `Vendor`; None if it is not known.
        model: Its model.
        name: Its own name.
        serial_number: Its serial number.
        guid: Its GUID or UUID.
        found_by: How it was found: `mdns`, `ssdp`, `broadcast` or `address`.
    """

    host: str
    port: int
    vendor: str | None = None
    model: str = ""
    name: str = ""
    serial_number: str = ""
    guid: str = ""
    found_by: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """`HOST:PORT`, for the command line."""
        return str(Address(self.host, self.port))

    def is_same(self, other: Found) -> bool:
        """Return whether this is the camera that `other` is, as far as it can be told."""
        where = (self.host, self.port) == (other.host, other.port)
        return where and ("" in (self.guid, other.guid) or self.guid == other.guid)

    def merged(self, other: Found) -> Found:
        """Return this camera with what another way to find it has added."""
        added: dict[str, Any] = {
            field.name: getattr(other, field.name)
            for field in fields(self)
            if not getattr(self, field.name)
        }
        ways = tuple(dict.fromkeys((*self.found_by, *other.found_by)))
        return replace(self, **{**added, "found_by": ways})


def learn(cameras: list[Found], seen: Found) -> Found:
    """Put a camera into a list, merged with what the list has about it; return the result."""
    for index, known in enumerate(cameras):
        if known.is_same(seen):
            cameras[index] = known.merged(seen)
            return cameras[index]
    cameras.append(seen)
    return seen


def distinct(cameras: list[Found]) -> list[Found]:
    """Return the cameras without open ports of hosts that have announced a camera."""
    announced = {camera.host for camera in cameras if camera.found_by != ("address",)}
    return [
        camera
        for camera in cameras
        if camera.found_by != ("address",) or camera.host not in announced
    ]


def found(address: Address, vendor: str | None, told: Told, way: str) -> Found:
    """Return a camera with what it tells, made safe to show."""
    return Found(
        *address,
        vendor,
        model=shortened(told.model),
        name=shortened(told.name),
        serial_number=shortened(told.serial_number),
        guid=shortened(told.guid),
        found_by=(way,),
    )


def shortened(text: str) -> str:
    """Return a text from a camera, on one line and not too long."""
    return printable(text[: 2 * LONGEST]).strip()[:LONGEST]
