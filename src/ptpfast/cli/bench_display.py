"""What `ptpfast bench` shows while it measures."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..engine.text import printable
from .bars import bars
from .file_lines import waiting_line
from .output import Output, in_lines, is_terminal

if TYPE_CHECKING:
    from ..measure.plan import Plan
    from ..measure.series import Interval
    from ..ptp.errors import PTPError

LINE_S = 60.0  # between two lines about a long read


class Quiet:
    """Shows nothing of a run, and records that the camera was waited for."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._at_spot: list[Interval] = []

    def step(self, what: str) -> None:
        pass

    def found(self, what: str, value: str) -> None:
        self.say(f"{what}: {value}")

    def waiting(self, error: PTPError) -> None:
        self.say(waiting_line(error))
        self._output.record("waiting", reason=error.message)

    def interval(self, interval: Interval) -> None:
        from ..measure.report import interval_fields

        self._output.record("interval", **interval_fields(interval))
        if interval.spot:
            self._at_spot.append(interval)

    def left(self) -> None:
        """Say the rate at the spot that was measured last."""
        from ..measure.series import spots
        from ..measure.text import spot_words

        for course in spots(self._at_spot):
            self.say(f"{course.spot}: {spot_words(course)}")
        self._at_spot = []

    def say(self, line: str) -> None:
        """Write a line about the run."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Show nothing meanwhile: the user is asked something."""
        yield

    def close(self) -> None:
        """Nothing of it stays on the screen."""


class Lines(Quiet):
    """A line for each finding, and now and then one of a long read."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._told_at = float("-inf")

    def interval(self, interval: Interval) -> None:
        super().interval(interval)
        if not interval.spot and interval.at - self._told_at >= LINE_S:
            self._told_at = interval.at
            self.say(f"a long read: {interval.mb_per_s:.2f} MB/s")

    def say(self, line: str) -> None:
        self._output.note(line)


class Bar(Quiet):
    """A bar over the time it takes, and what is measured just now."""

    def __init__(self, output: Output, budget: float) -> None:
        super().__init__(output)
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

        from ..measure.waits import CONNECTING

        self._connecting = CONNECTING
        self._began: float | None = None  # of the first step after connecting
        self._bar = bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TimeElapsedColumn(),
        )
        self._task = self._bar.add_task(CONNECTING, total=budget)
        self._bar.start()

    def step(self, what: str) -> None:
        if self._began is None and what != self._connecting:
            self._began = time.monotonic()
        spent = 0.0 if self._began is None else time.monotonic() - self._began
        self._bar.update(self._task, description=printable(what), completed=spent)

    def found(self, what: str, value: str) -> None:
        super().found(what, value)
        self.step(what)

    def interval(self, interval: Interval) -> None:
        super().interval(interval)
        self.step(f"{interval.spot or 'a long read'}: {interval.mb_per_s:.1f} MB/s")

    def say(self, line: str) -> None:
        console = self._bar.console
        console.print(in_lines(printable(line), console.width), soft_wrap=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._bar.stop()
        yield
        self._bar.start()

    def close(self) -> None:
        self._bar.stop()


def display(output: Output, plan: Plan) -> Quiet:
    """Return what is shown on standard error during the run."""
    if output.quiet:
        return Quiet(output)
    if output.verbose or output.plain or not is_terminal(sys.stderr):
        return Lines(output)
    try:
        return Bar(output, plan.budget_s + plan.long_s)
    except ModuleNotFoundError:
        return Lines(output)
