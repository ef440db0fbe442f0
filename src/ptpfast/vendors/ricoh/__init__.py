"""Ricoh's Theta cameras that speak PTP/IP: the first one, and the m15.

They behave as the standard says (Ricoh's "PTP-IP reference"). Later models (S, SC, V, Z1, X) speak
HTTP over Wi-Fi.
"""

from __future__ import annotations

from ..signs import Signs
from ..traced import Traced
from ..vendor import Vendor
from .codes import RicohOperation, RicohProperty
from .menus import MENUS

RICOH = Vendor(
    name="ricoh",
    matches=lambda info: info.manufacturer.upper().startswith("RICOH"),
    operations=RicohOperation,
    properties=RicohProperty,
    signs=Signs(addresses=("192.168.1.1",)),  # of all models
    menus=MENUS,
    traced=Traced(pictures=frozenset({RicohOperation.GetResizedImageObject})),
)
