"""Nikon. `reported` has the lists of real bodies, `body` the answers of a simulated one."""

from __future__ import annotations

from ...ptp.datasets import DeviceInfo
from ..traced import DESCRIPTIONS, NAMES, VALUES, Traced, of_properties
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
    traced=Traced(
        pictures=frozenset(
            {
                NikonOperation.GetLargeThumb,
                NikonOperation.GetLiveViewImg,
                NikonOperation.GetLiveViewImageEx,
            }
        ),
        ranges={NikonOperation.GetPartialObjectEx: (1, 2, 3)},
        names=of_properties(
            NAMES | {0xD072, 0xD073, 0xD090},  # artist, copyright, comment (libgphoto2 ptp.h)
            (
                *VALUES,
                NikonOperation.GetDevicePropValueEx,
                NikonOperation.SetDevicePropValueEx,
            ),
            (*DESCRIPTIONS, NikonOperation.GetDevicePropDescEx),
        ),
    ),
)
