"""Sony: Alpha and ZV bodies, by Wi-Fi or LAN.

A session reads the card by content lists, by content transfer, or as "Send to Computer"; or it
takes pictures by remote control. `dialect` chooses.
"""

from __future__ import annotations

from ..traced import Traced
from ..vendor import Vendor
from .codes import SonyOperation, SonyProperty, SonyResponse
from .dialect import sony_dialect
from .menus import MENUS
from .signs import SIGNS

SONY = Vendor(
    name="sony",
    matches=lambda info: info.manufacturer.casefold().startswith("sony"),
    operations=SonyOperation,
    properties=SonyProperty,
    responses=SonyResponse,
    dialect=sony_dialect,
    signs=SIGNS,
    menus=MENUS,
    traced=Traced(
        pictures=frozenset({SonyOperation.GetContentCompressedData}),
        ranges={
            SonyOperation.GetPartialLargeObject: (1, 2, 3),
            SonyOperation.GetContentData: (2, 3, 4),
        },
    ),
)
