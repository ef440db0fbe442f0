"""Download each new shot as it happens, and the rest of the card in the background.

`shots` takes the options, `watcher` watches one session. `reported` has the camera's events,
`cards` the handles that are listed, `ledger` those that are dealt with, `telling` says what
happens. The downloads themselves are the runs of `ptpfast.library`.
"""

from __future__ import annotations

from .previews import ShotPreview
from .shots import Watch, WatchOptions, watch
from .status import WatchStatus

__all__ = ["ShotPreview", "Watch", "WatchOptions", "WatchStatus", "watch"]
