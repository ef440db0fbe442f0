"""The words for the owner of a Fujifilm camera of 2014 to 2021.

Sources: fudge and malc0mn/ptp-ip, also that a camera accepts one name only.
"""

from __future__ import annotations

from ..menus import Menus

MENUS = Menus(
    connect="playback or shooting menu > Wireless communication",
    accept="press OK on the camera when it shows the name of this computer",
    readmit="delete the old computer in the camera's connection settings, and pair again",
)
