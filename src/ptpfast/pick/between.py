"""What a download gives way to: previews at once, thumbnails in view between two files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..library.plan.news import Begin, News

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo


class Between(News):
    """The news of a run: no new objects, but moments at which the camera is free.

    The run asks for news between two files, and at each chunk whether any wait. So a large file is
    put back, and goes on from that byte.
    """

    def __init__(
        self,
        begin: Begin,
        *,
        wants: Callable[[ObjectInfo], bool],
        is_over: Callable[[], bool],
        gives_way: Callable[[], bool],
        serve: Callable[[], object],
    ) -> None:
        """gives_way: whether a file that arrives has to give way. serve: uses the camera."""
        super().__init__(begin, is_over=is_over, wants=wants)
        self._gives_way = gives_way
        self._serve = serve

    def waiting(self) -> bool:
        """Return whether the camera is wanted for something else."""
        return self._gives_way()

    def take(self) -> list[int]:
        """Let others use the camera; there are no new objects."""
        self._serve()
        return []
