"""What a watch is doing, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

State = Literal[
    "connecting", "listing", "watching", "fetching", "away", "no card", "failing", "no destination"
]


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """What a watch is doing.

    Attributes:
        state: `connecting` before the first connection. `listing`: the card is listed. `watching`:
            connected, and everything that is known of is here. `fetching`: files arrive. `away`:
            the connection is lost, and is tried again without end. `no card`: the camera has no
            memory card. `failing`: the camera answers with errors, and is asked again. `no
            destination`: the server of a URL is lost, and is tried again without end.
        reason: The last error in a state that waits for the camera; else empty.
        since: When this state began.
        files: Files downloaded since the start.
        size: Bytes of them.
        last: The last of them.
        camera: The address of the camera, if several are watched.
        known: Files that were on the card at the start and were downloaded before, to any folder.
    """

    state: State = "connecting"
    reason: str = ""
    since: datetime = field(default_factory=datetime.now)
    files: int = 0
    size: int = 0
    last: Path | None = None
    camera: str = ""
    known: int = 0


# The first is the one to tell of several.
_URGENT: tuple[State, ...] = (
    *(
        "no destination",
        "failing",
        "away",
        "connecting",
        "no card",
        "listing",
        "fetching",
        "watching",
    ),
)


def merged(statuses: Sequence[WatchStatus]) -> WatchStatus:
    """Return the status of the camera that needs attention most, with the files of all."""
    most = min(statuses, key=lambda status: _URGENT.index(status.state))
    files, size = sum(each.files for each in statuses), sum(each.size for each in statuses)
    known = sum(each.known for each in statuses)
    return replace(most, files=files, size=size, known=known)
