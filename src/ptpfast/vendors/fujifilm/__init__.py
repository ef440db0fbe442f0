"""Fujifilm."""

from __future__ import annotations

from ..traced import Traced
from ..vendor import Vendor
from .codes import FujifilmOperation, FujifilmProperty
from .dialect import QUIRKS, FujifilmDialect
from .menus import MENUS
from .signs import SIGNS
from .transport import FUJIFILM_IP

FUJIFILM = Vendor(
    name="fujifilm",
    matches=lambda info: info.manufacturer.upper().startswith("FUJI"),
    operations=FujifilmOperation,
    properties=FujifilmProperty,
    quirks=QUIRKS,
    dialect=FujifilmDialect,
    transport=FUJIFILM_IP,
    signs=SIGNS,
    menus=MENUS,
    traced=Traced(pictures=frozenset({FujifilmOperation.GetCapturePreview})),
)
