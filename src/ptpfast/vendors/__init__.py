"""The vendors ptpfast knows. A new one is a new folder here and its name in `NAMES`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from ..ptp.datasets import DeviceInfo
from ..transport.contract import Transport
from ..transport.ptpip import PTP_IP
from .bulk import BulkListing
from .dialect import ROLES, Asks, Dialect, ReconnectFirst, Role
from .quirks import Quirks, Tuning
from .reads import PartialRead
from .standard import STANDARD
from .vendor import Vendor

if TYPE_CHECKING:
    from .body import Model

# `nikon` is NIKON in nikon/, and so on. Loaded when it is asked for: it would be a good part of
# `import ptpfast`.
NAMES = ("standard", "nikon", "canon", "sony", "fujifilm", "ricoh", "panasonic")
# Real bodies that the simulated camera can be → the vendor whose folder has them.
BODIES = {
    "nikon-d5300": "nikon",
    "nikon-d7200": "nikon",
    "nikon-d850": "nikon",
    "nikon-z6": "nikon",
    "nikon-z6-3": "nikon",
    "nikon-z8": "nikon",
    "nikon-z9": "nikon",
    "canon-80d": "canon",
    "canon-m50": "canon",
    "canon-r6m2": "canon",
    "fuji-xt4": "fujifilm",
    "fuji-xt2": "fujifilm",
    "ricoh-theta-m15": "ricoh",
    "panasonic-bgh1": "panasonic",
    "sony-a7m4": "sony",
    "sony-a7r3": "sony",
    "sony-a7sm3": "sony",
}


@cache
def named(name: str) -> Vendor:
    """Return a vendor by name; ValueError for an unknown one."""
    if name not in NAMES:
        raise ValueError(f"no vendor {name!r}; there are: {', '.join(NAMES)}")
    vendor: Vendor = getattr(import_module(f".{name}", __name__), name.upper())
    return vendor


def given(vendor: str | Vendor) -> Vendor:
    """Return the vendor that an argument means; ValueError, TypeError."""
    if isinstance(vendor, str):
        return named(vendor)
    if not isinstance(vendor, Vendor):
        raise TypeError(f"vendor is a name or a Vendor, not {type(vendor).__name__}")
    return vendor


def with_body(name: str) -> Vendor:
    """Return the vendor of a body of `BODIES`, with that body as its model; ValueError."""
    if name not in BODIES:
        raise ValueError(f"no body {name!r}; there are: {', '.join(BODIES)}")
    vendor = named(BODIES[name])
    bodies: dict[str, Model] = import_module(f".{vendor.name}.body", __name__).BODIES
    return replace(vendor, body=bodies[name])


def select(device_info: DeviceInfo) -> Vendor:
    """Return the vendor of a camera by its DeviceInfo; `STANDARD` without one."""
    return next((vendor for vendor in map(named, NAMES) if vendor.matches(device_info)), STANDARD)


def transport_of(vendor: Vendor | None, port: int) -> Transport:
    """Return the transport to connect with: the vendor's, the one for this port, or PTP/IP."""
    if vendor is not None:
        return vendor.transport
    if port == PTP_IP.port:
        return PTP_IP
    return next((one for one in transports() if one.port == port), PTP_IP)


def transports() -> list[Transport]:
    """Return the vendors' own transports."""
    found = (named(name).transport for name in NAMES)
    return [one for one in dict.fromkeys(found) if one is not PTP_IP]


__all__ = [
    "BODIES",
    "NAMES",
    "ROLES",
    "STANDARD",
    "Asks",
    "BulkListing",
    "Dialect",
    "PartialRead",
    "Quirks",
    "ReconnectFirst",
    "Role",
    "Tuning",
    "Vendor",
    "given",
    "named",
    "select",
    "transport_of",
    "transports",
    "with_body",
]
