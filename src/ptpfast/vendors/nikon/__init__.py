"""Nikon. `reported` has the lists of real bodies, `body` the answers of a simulated one."""

from __future__ import annotations

from ...ptp.datasets import DeviceInfo
from ..vendor import Vendor
from .codes import NikonOperation, NikonProperty, NikonResponse
from .dialect import QUIRKS, NikonDialect
from .menus import MENUS
from .signs import SIGNS


def matches(info: DeviceInfo) -> bool:
    """Match by manufacturer: newer bodies report Microsoft's or MTP's vendor extension
    (libgphoto2)."""
    return "nikon" in info.manufacturer.lower()


NIKON = Vendor(
    name="nikon",
    matches=matches,
    operations=NikonOperation,
    properties=NikonProperty,
    responses=NikonResponse,
    quirks=QUIRKS,
    dialect=NikonDialect,
    signs=SIGNS,
    menus=MENUS,
)
