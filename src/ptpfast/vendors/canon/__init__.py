"""Canon EOS. `reported` has the lists of real bodies, `body` the answers of a simulated one."""

from __future__ import annotations

from ...ptp.datasets import DeviceInfo
from ..vendor import Vendor
from .codes import CanonOperation, CanonProperty, CanonResponse
from .dialect import QUIRKS, CanonDialect
from .menus import MENUS
from .signs import SIGNS
from .traced import TRACED


def matches(info: DeviceInfo) -> bool:
    """Match by manufacturer, `Canon.Inc` as a rule: some bodies report Microsoft's vendor extension
    (libgphoto2)."""
    return info.manufacturer.lower().startswith("canon")


CANON = Vendor(
    name="canon",
    matches=matches,
    operations=CanonOperation,
    properties=CanonProperty,
    responses=CanonResponse,
    quirks=QUIRKS,
    dialect=CanonDialect,
    signs=SIGNS,
    menus=MENUS,
    traced=TRACED,
)
