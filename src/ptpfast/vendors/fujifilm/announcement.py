"""What Fujifilm bodies of 2014 to 2021 announce: they call computers for PC AutoSave by broadcast.

Source: vcam (src/fuji/ssdp.c) and fudge (lib/discovery.c). How often a body repeats its call is not
published: the MX of its text is taken.
"""

from __future__ import annotations

from ..announcement import Announcement, BroadcastAnnouncement, Identity
from . import texts
from .signs import REGISTER

EVERY_S = 3.0


def announces(_: Identity) -> tuple[Announcement, ...]:
    """Return what a body announces that is not registered anywhere."""

    def text(address: str) -> bytes:
        return texts.discover("*", address)

    return (BroadcastAnnouncement(REGISTER, text, EVERY_S),)
