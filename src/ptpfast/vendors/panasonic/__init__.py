"""Panasonic's Lumix bodies with tethering over a network, such as the BGH1: experimental."""

from __future__ import annotations

from dataclasses import replace

from ..traced import Traced
from ..vendor import Vendor
from .codes import PanasonicOperation
from .dialect import QUIRKS, PanasonicDialect
from .gate import Gate
from .menus import MENUS
from .transport import PanasonicTransport

PANASONIC = Vendor(
    name="panasonic",
    matches=lambda info: info.manufacturer.upper().startswith("PANASONIC"),
    operations=PanasonicOperation,
    quirks=QUIRKS,
    dialect=PanasonicDialect,
    transport=PanasonicTransport(),
    menus=MENUS,
    traced=Traced(pictures=frozenset({PanasonicOperation.LiveViewImage})),
)


def panasonic(token: str | None = None, **gate: str | int) -> Vendor:
    """Return the vendor for `connect(vendor=)`, with the token of the camera's password.

    Args:
        token: 16 hexadecimal digits; None takes the environment's PTPFAST_PANASONIC_TOKEN. A camera
            without a password needs none.
        gate: other fields of `Gate`, such as `uuid`.
    """
    chosen = Gate(token, **gate)  # type: ignore[arg-type]
    return replace(PANASONIC, transport=PanasonicTransport(chosen))


__all__ = ["PANASONIC", "panasonic"]
