"""The words for the owner of a Canon EOS camera.

Sources: reyalpchdk's notes and a capture of an EOS 80D, which answers after the owner's OK.
"""

from __future__ import annotations

from ..menus import Menus

MENUS = Menus(
    connect=(
        "Wi-Fi or network settings > EOS Utility, or Remote control (EOS Utility) > start pairing"
    ),
    accept="press OK on the camera when it shows the name of this computer",
    readmit="delete the old connection in the camera's Wi-Fi or network settings, and pair again",
)
