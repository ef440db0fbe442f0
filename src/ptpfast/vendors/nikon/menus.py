"""The words for the owner of a Nikon camera.

Sources: camcon (a Z 8 and a Z 6) for the approval, and that only another GUID ends a rejection.
"""

from __future__ import annotations

from ..menus import Menus

MENUS = Menus(
    connect=(
        "Z bodies: Network menu > Connect to computer (Z 6: Setup menu > Connect to PC); "
        "DSLR and Nikon 1: Setup menu > Wi-Fi > Network connection > Enable"
    ),
    accept="compare the number with that on the camera, then press OK on the camera",
    readmit=(
        "the camera refuses this identity for good: run 'ptpfast pair --new-identity', "
        "and press OK on the camera"
    ),
    admits_unknown=True,
)
