"""Which process made a thing: a forked child has copies of its parent's sessions and files.

A child that used one would talk into its parent's conversation, and one that ended it in order
would end its parent's. So it may close its copies of the descriptors, and nothing else.
"""

from __future__ import annotations

import os


class Owner:
    """The process that makes this object."""

    __slots__ = ("_process", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._process = os.getpid()

    @property
    def is_us(self) -> bool:
        """Whether this is that process, not a child of it."""
        return os.getpid() == self._process

    def require(self) -> None:
        """RuntimeError in any other process."""
        if os.getpid() != self._process:
            raise RuntimeError(
                f"this {self._what} belongs to the process that opened it; connect again in the "
                "child"
            )
