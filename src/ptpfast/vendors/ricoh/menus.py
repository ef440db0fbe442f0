"""The words for the owner of a Ricoh Theta. It asks nobody."""

from __future__ import annotations

from ..menus import Menus

MENUS = Menus(connect="switch on Wi-Fi at the side of the camera", accept="")
