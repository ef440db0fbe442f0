"""The owner of a simulated camera, who approves or rejects the computers that connect.

A camera remembers its decision for each pair of GUID and name.
"""

from __future__ import annotations

import time
from typing import Literal

State = Literal["unknown", "approved", "rejected"]
STATES: tuple[State, ...] = ("unknown", "approved", "rejected")
Computer = tuple[bytes, str]  # GUID and name


class Approvals:
    """The decisions of one camera.

    Args:
        state: The state of computers that nothing is decided for.
        after_s: Seconds after which the owner approves a computer that asks; None: never.
    """

    def __init__(self, state: State = "approved", after_s: float | None = None) -> None:
        self.default = state
        self.after_s = after_s
        self._decided: dict[Computer, State] = {}
        self._asked: dict[Computer, float] = {}  # when, by time.monotonic

    def state(self, guid: bytes, name: str) -> State:
        """Return `unknown`, `approved` or `rejected`."""
        computer = (guid, name)
        if computer in self._decided:
            return self._decided[computer]
        asked = self._asked.get(computer)
        if asked is None or self.after_s is None or time.monotonic() - asked < self.after_s:
            return self.default
        self._decided[computer] = "approved"
        return "approved"

    def ask(self, guid: bytes, name: str) -> None:
        """Show a computer to the owner."""
        self._asked.setdefault((guid, name), time.monotonic())

    @property
    def asking(self) -> list[Computer]:
        """The computers that wait for a decision. Others may ask meanwhile."""
        return [each for each in list(self._asked) if self.state(*each) == "unknown"]

    def approve(self, guid: bytes, name: str) -> None:
        """Decide for a computer."""
        self._decided[guid, name] = "approved"

    def reject(self, guid: bytes, name: str) -> None:
        """Decide against a computer. Its GUID and name stay rejected."""
        self._decided[guid, name] = "rejected"

    def forget(self, guid: bytes, name: str) -> None:
        """Make a computer unknown again."""
        self._decided.pop((guid, name), None)
        self._asked.pop((guid, name), None)
        if self.default == "approved":
            self._decided[guid, name] = "unknown"
