"""DeleteContent: the pause between two deletions, and the event with the result of each.

Source: Sony's Camera Control PTP 3 Reference.
"""

from __future__ import annotations

import time

from ..dialect import Asks
from .codes import DELETE_PAUSE_S, SonyOperation

DELETE_S = 10.0  # for the result of a deletion


class Deletions:
    """The deletions of one session."""

    def __init__(self, link: Asks) -> None:
        self._link = link
        self._awaited: dict[int, bool] = {}  # contents that are deleted → whether a result came
        self._asked_at = 0.0

    def pause(self) -> None:
        """Wait until the camera may be asked for the next one."""
        self._link.pause(max(0.0, self._asked_at + DELETE_PAUSE_S - time.monotonic()))

    def ask(self, content_id: int, slot: int) -> None:
        """Ask the camera once to delete a content, and wait for the result.

        Raises:
            DeviceBusy: the id must be looked up again before the next try.
        """
        self._awaited[content_id] = False
        try:
            try:
                self._link.command(SonyOperation.DeleteContent, content_id, slot, busy_s=0)
            finally:
                self._asked_at = time.monotonic()
            give_up = time.monotonic() + DELETE_S
            while not self._awaited[content_id] and time.monotonic() < give_up:
                self._link.pause(0.05)
        finally:
            del self._awaited[content_id]

    def note(self, parameters: tuple[int, ...]) -> None:
        """Note the event with a result; others than those of this session are ignored."""
        content_id = parameters[1] if len(parameters) > 1 else 0
        if content_id in self._awaited:
            self._awaited[content_id] = True
