"""The words for the owner of a Panasonic camera."""

from __future__ import annotations

from ..menus import Menus

MENUS = Menus(
    connect="LUMIX Tether, over the network",
    accept="",
    readmit="give the token of the camera's password in PTPFAST_PANASONIC_TOKEN",
)
