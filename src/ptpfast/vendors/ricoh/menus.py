"""Menu steps for the owner of a Ricoh Theta. The camera needs no confirmation."""

from __future__ import annotations

from ..menus import Menus

MENUS = Menus(connect="switch on Wi-Fi at the side of the camera", accept="")
