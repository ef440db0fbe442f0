"""What is shown while a camera or its owner is waited for before a session begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .output import Output

if TYPE_CHECKING:
    from ..ptp.errors import PTPError


def showing(output: Output, *, for_owner_only: bool = False) -> Callable[[PTPError], None]:
    """Return the function that `connect` calls with the reason for a wait.

    Args:
        output: where the reason is shown.
        for_owner_only: show waits for the camera's owner, and not that for a busy camera, which is
            brief (`Common.brief_timeouts`).
    """
    from ..ptp.errors import InitFailed
    from .file_lines import waiting_line

    def show(error: PTPError) -> None:
        if for_owner_only and isinstance(error, InitFailed):
            return
        output.record("waiting", reason=error.message)
        output.note(waiting_line(error))

    return show
