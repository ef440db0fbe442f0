"""The standard vendor: cameras that follow ISO 15740 and MTP, and vendors without a folder."""

from __future__ import annotations

from ..traced import Traced
from ..vendor import Vendor
from .codes import StandardOperation
from .dialect import StandardDialect

STANDARD = Vendor(
    "standard",
    operations=StandardOperation,
    dialect=StandardDialect,
    traced=Traced(ranges={StandardOperation.GetPartialObject64: (1, 2, 3)}),
)
