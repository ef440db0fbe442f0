"""The words for the owner of a Sony camera.

Source: Sony's Camera Control PTP 3 Reference (pages 42 and 43) for the pairing.
"""

from __future__ import annotations

from ..menus import Menus

MENUS = Menus(
    connect=(
        "Network menu > PC Remote over Wi-Fi or LAN, and Access Authentication off; "
        "older bodies: Wi-Fi menu > Send to Computer"
    ),
    accept="accept this computer on the camera when it shows its name",
    readmit="reset the network settings in the camera's menu, and pair again",
)
