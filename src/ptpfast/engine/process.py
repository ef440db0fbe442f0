"""Detect a fork: a child process has copies of its parent's sessions and files.

A child that uses such a session would send into the parent's conversation. A child that closes it
in order would end the parent's session. So a child may only close its copies of the descriptors.
"""

from __future__ import annotations

import os


class Owner:
    """The process that created an object."""

    __slots__ = ("_process", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._process = os.getpid()

    @property
    def is_us(self) -> bool:
        """True in that process, False in its children."""
        return os.getpid() == self._process

    def require(self) -> None:
        """Raise RuntimeError in any other process."""
        if os.getpid() != self._process:
            raise RuntimeError(
                f"this {self._what} belongs to the process that opened it; connect again in the "
                "child"
            )
