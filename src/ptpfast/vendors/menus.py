"""What a camera's owner does in its menus, in words, as data.

A vendor's folder has its words in `menus`. `ptpfast pair` and `ptpfast doctor` show them, and
docs/connect.md explains them at length.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Menus:
    """The words for the owner of a vendor's cameras.

    Attributes:
        connect: How a computer is let in: the menu and the entry.
        accept: What the owner presses when the camera shows this computer; empty if cameras of this
            vendor do not ask.
        readmit: The way back for a computer that the camera has rejected or forgotten.
        admits_unknown: Whether cameras accept the handshake of a computer that they do not know,
            and ask their owner then. Such a camera refuses the handshake after a rejection only.
    """

    connect: str = "switch on the camera's Wi-Fi and its remote or 'connect to PC' mode"
    accept: str = "accept this computer on the camera, if it shows it"
    readmit: str = "delete this computer in the camera's Wi-Fi menu, then pair it again"
    admits_unknown: bool = False
