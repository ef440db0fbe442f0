"""Nikon. What a real body lists is in `reported`, what a simulated one answers in `body`."""

from __future__ import annotations

from ...ptp.datasets import DeviceInfo
from ..vendor import Vendor
from .codes import NikonOperation, NikonResponse
from .dialect import QUIRKS, NikonDialect


def matches(info: DeviceInfo) -> bool:
    """By manufacturer: newer bodies report Microsoft's or MTP's vendor extension (libgphoto2)."""
    return "nikon" in info.manufacturer.lower()


NIKON = Vendor(
    name="nikon",
    matches=matches,
    operations=NikonOperation,
    responses=NikonResponse,
    quirks=QUIRKS,
    dialect=NikonDialect,
)
