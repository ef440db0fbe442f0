"""Outstanding requests, in order."""

from __future__ import annotations

import time
from collections import deque

from ..engine.channel import Channel
from ..engine.phase import Phase
from ..ptp.errors import Timeout
from .pipelining import Ahead, Request

# After an error in mid-phase: this much is read and dropped to keep the connection usable.
DRAIN_SIZE = 64 << 20


class Outstanding:
    """The answers that a Command connection still has to deliver.

    Attributes:
        ahead: The last of them, which the next run will ask for.
    """

    def __init__(self, command: Channel) -> None:
        self._command = command
        self._phases: deque[Phase] = deque()
        self.ahead: Ahead = Ahead()

    def __bool__(self) -> bool:
        return bool(self._phases)

    def add(self, phase: Phase) -> None:
        """Append a request that was sent."""
        phase.early = bool(self._phases)
        self._phases.append(phase)

    def is_first(self, phase: Phase) -> bool:
        """Return whether that answer comes next."""
        return bool(self._phases) and self._phases[0] is phase

    def is_ahead(self, request: Request) -> bool:
        """Return whether the next answer is to this request, which was sent ahead."""
        first = self.ahead.first
        if first is None or first.asks() != request.asks():
            return False
        return self.ahead.starts_with(self._phases[0])

    def end_first(self) -> None:
        """Note that the first answer was received to its end."""
        self._phases.popleft()

    def clear(self) -> None:
        """Forget all of them: none will come."""
        self._phases.clear()
        self.ahead.take_all()

    def drain(self, timeout_s: float) -> None:
        """Receive all answers to their end and drop their payload.

        Raises:
            Timeout: it takes longer than `timeout_s`, or more than 64 MiB are to come.
            PTPError: as `Channel.receive`.
        """
        if not self._phases:
            return
        until = time.monotonic() + timeout_s
        # A request that was sent ahead was not interrupted: a later cancel counts.
        if not self.ahead.starts_with(self._phases[0]):
            self._command.resume()
        self.ahead.take_all()
        while self._phases:
            phase = self._phases[0]
            phase.sink = None
            if self._known_to_come() > DRAIN_SIZE:
                raise Timeout(
                    f"{phase.label}: too much of its interrupted answer is still outstanding"
                )
            while not phase.done:
                left = until - time.monotonic()
                if left <= 0:
                    raise Timeout(f"{phase.label}: its interrupted answer does not end")
                self._command.receive(phase, first_s=left, idle_s=left, slice_s=left)
            self._phases.popleft()

    def _known_to_come(self) -> int:
        """Return the payload bytes that were announced and have not come."""
        return sum((one.total or 0) - one.received for one in self._phases if one.total)
