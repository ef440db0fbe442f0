"""What a watch is doing, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

State = Literal["connecting", "listing", "watching", "fetching", "away", "no card", "failing"]


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """What a watch is doing.

    Attributes:
        state: `connecting` before the first connection. `listing`: the card is listed. `watching`:
            connected, and everything that is known of is here. `fetching`: files arrive. `away`:
            the connection is lost, and is tried again without end. `no card`: the camera has no
            memory card. `failing`: the camera answers with errors, and is asked again.
        reason: The last error in a state that waits for the camera; else empty.
        since: When this state began.
        files: Files downloaded since the start.
        size: Bytes of them.
        last: The last of them.
    """

    state: State = "connecting"
    reason: str = ""
    since: datetime = field(default_factory=datetime.now)
    files: int = 0
    size: int = 0
    last: Path | None = None
