"""The current state of a `pull`, as one line that fits the terminal.

`Status` receives events and writes nothing. Another thread may read it, because each change
replaces one attribute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.text import printable
from ..library.report.rate import Rate
from .in_flight import InFlight
from .output import human_size, plural

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo

NEXT = "preparing the next file"
SILENT_S = 3.0  # without a byte: that is said
BRIEF_S = 1.0  # a file that takes no longer is not named
BAR = 12  # the shortest bar, in columns
LONGEST_BAR = 40
_SHORTEST_NAME = 6
RATE_WIDTH = len("999.9 MB/s")


class Status:
    """The state of a run.

    Args:
        tries: How many attempts to reconnect are allowed; None for no limit.
        clock: Returns seconds; for tests.
    """

    def __init__(
        self, tries: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.in_flight: InFlight = InFlight()
        self.rate: Rate = Rate(clock)
        self.done: int = 0  # files that were under way and no longer are
        self._clock = clock
        self._tries = tries
        self._since = clock()  # since when it is as it is: a wait, or the last byte
        self._waits_for = "connecting to the camera"
        self._lost = 0  # failed tries since the last byte
        self.count: int = 0
        self.is_counted: bool = False
        self._total = 0
        self._begun: frozenset[int] = frozenset()
        self._file = False  # whether a file is received, and nothing else is done
        self._moved = self._before = 0  # bytes of this run: all, and those of earlier files
        self._kept = 0
        self._began: float | None = None

    # What happens

    def counting(self, what: str, done: int, total: int) -> None:
        """Note that `done` of `total` objects were looked at."""
        self._lost = 0
        self._wait(f"{what}: {done:,} of {total:,}" if done < total else "preparing")

    def another(self) -> Status:
        """Return the state of another camera of the run."""
        return Status(self._tries, self._clock)

    def end(self) -> None:
        """Note that the run of this camera is over."""
        self._lost, self._file, self._waits_for = 0, False, ""

    def planned(self, count: int, size: int, *, listed: bool) -> None:
        """Note the planned files and bytes; `listed` is true if these are all."""
        self.count = count
        self._total = size
        self.is_counted = listed

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        """Note that the download of a file begins."""
        self.in_flight.begin(info, path, kept)
        self._before, self._kept = self._moved, kept
        self._begun |= {info.handle}
        self.rate.add(self._moved)
        if self._began is None:
            self._began = self._clock()
        self._receiving()

    def progress(self, received: int, size: int | None) -> bool:
        """Note how many bytes are here; return whether the connection had been lost before."""
        was_lost, more = bool(self._lost), received > self.in_flight.received
        self.in_flight.come_to(received, size)
        if received < self._kept:  # it was restarted
            self._kept = 0
        self._moved = max(self._moved, self._before + received - self._kept)
        self.rate.add(self._moved)
        if not more:
            return False
        self._lost = 0
        self._receiving()
        return was_lost

    def finished(self, handle: int, *, stopped: bool) -> bool:
        """Note that a file is done or the run stops; return whether its download had begun."""
        was_begun = handle in self._begun
        self._begun -= {handle}
        self.done += was_begun and not stopped
        if self.in_flight.end(handle) or stopped:
            is_last = self.is_counted and self.done >= self.count
            self._wait("stopping" if stopped else "finishing" if is_last else NEXT)
        return was_begun

    def lost(self) -> int:
        """Note that the connection is lost; return the number of the next attempt."""
        if not self._lost:
            self._wait("waiting for the camera")
        self._lost += 1
        return self._lost

    def trying(self, tries: int) -> None:
        """Note the number of the next attempt to reconnect, as the run counts them."""
        self._lost = tries

    def waits_for(self, what: str, waited_s: float = 0.0) -> None:
        """Note that the run has waited for something else for `waited_s` seconds."""
        self._wait(what, waited_s)

    def _wait(self, what: str, waited_s: float = 0.0) -> None:
        if what != self._waits_for or self._file:
            self._since = self._clock() - waited_s
        self._waits_for, self._file = what, False

    def _receiving(self) -> None:
        self._since, self._waits_for, self._file = self._clock(), "", True

    # What it says

    @property
    def of_tries(self) -> str:
        """The number of the current attempt to reconnect: `2 of 8`."""
        return f"{self._lost:,}" + ("" if self._tries is None else f" of {self._tries:,}")

    @property
    def is_first_try(self) -> bool:
        """True if no earlier attempt to reconnect has failed."""
        return self._lost <= 1

    @property
    def ended(self) -> str:
        """The number of finished files, and of all files if it is known: `3/12`."""
        return f"{self.done}/{self.count}" if self.is_counted else str(self.done)

    @property
    def place(self) -> str:
        """The number of the current file: `3/12`; `3/12+` while more may be listed."""
        number = self.done + len(self._begun)  # received files may still wait for the disk
        if not self.count:
            return ""
        more = "" if self.is_counted else "+"
        return f"{min(number, self.count)}/{self.count}{more}"

    def wait(self) -> str:
        """Return for what the camera waits, and how long; '' if it sends, or has just sent."""
        waited_s = self._clock() - self._since
        if self._file:
            return f"no data for {human_wait(waited_s)}" if waited_s >= SILENT_S else ""
        if not self._waits_for or (self._waits_for == NEXT and waited_s < SILENT_S):
            return ""
        tries = f"try {self.of_tries}, " if self._lost else ""
        return f"{self._waits_for}, {tries}{human_wait(waited_s)}"

    def line(self, width: int) -> str:
        """Return the fullest form that fits into `width` columns."""
        if self._is_brief():
            forms = self._brief_forms(width)
        else:
            forms = self._file_forms(width) if self._file else self._waiting_forms()
        lines = [printable(" ".join(filter(None, form))) for form in forms]
        fitting = (line for line in lines if columns(line) <= width)
        return next(fitting, "") or cut(lines[-1], width)

    def _is_brief(self) -> bool:
        """Whether files come so quickly that their names would only flicker."""
        if self._lost or self._clock() - self._since >= SILENT_S:
            return False
        rate = self.rate.now()
        return self._waits_for == NEXT or (
            self._file and self.done > 0 and (self.in_flight.size or 0) < BRIEF_S * rate
        )

    def _brief_forms(self, width: int) -> Iterable[tuple[str, ...]]:
        files, rate, left = f"{self.place} files", self._rate(), self._left()
        bar_width = width - sum(columns(part) + 1 for part in (files, rate, left))
        if bar_width >= BAR and self.is_counted:
            yield files, _bar(self._moved, self._total, min(bar_width, LONGEST_BAR)), rate, left
        yield files, rate
        yield (self.place,)

    def _waiting_forms(self) -> Iterable[tuple[str, ...]]:
        waited = human_wait(self._clock() - self._since)
        what, place, name = self._waits_for, self.place, self.in_flight.name
        if self._lost:
            tries = f"try {self.of_tries}, {waited}"
            yield place, f"{name}:" if name else "", f"{what}, {tries}"
            yield place, f"{what}, {tries}"
            yield (f"{what}, {tries}",)
            yield (f"camera lost, {tries}",)
            yield (tries,)
            return
        yield place, f"{what}, {waited}"
        yield (f"{what}, {waited}",)
        yield (what,)

    def _file_forms(self, width: int) -> Iterable[tuple[str, ...]]:
        place, name, amount = self.place, self.in_flight.name, self._amount()
        silent_s = self._clock() - self._since
        if silent_s >= SILENT_S:
            silent = f"no data for {human_wait(silent_s)}"
            yield place, name, amount, silent
            yield place, f"{name}:", silent
            yield place, silent
            yield (silent,)
            return
        rate, left = self._rate(), self._left()
        bar_width = width - sum(columns(part) + 1 for part in (place, name, amount, rate, left))
        if bar_width >= BAR:
            bar = _bar(
                self.in_flight.received, self.in_flight.size or 0, min(bar_width, LONGEST_BAR)
            )
            yield place, name, bar, amount, rate, left
        yield place, name, amount, rate, left
        yield place, name, amount, rate
        of = amount.replace(" of ", "/")
        room = width - sum(columns(part) + 1 for part in (place, of, rate))
        if room >= _SHORTEST_NAME:
            yield place, shortened(name, room), of, rate
        yield place, amount, rate
        yield amount, rate
        yield (rate.strip(),)

    def _rate(self) -> str:
        return f"{human_size(round(self.rate.now()))}/s".rjust(RATE_WIDTH)

    def _amount(self) -> str:
        """`14.7 of 25.0 MB`, as wide from the first byte to the last."""
        received, size = self.in_flight.received, self.in_flight.size
        if size is None:
            return human_size(received).rjust(len("999.9 MB"))
        number, unit = human_size(size).split()
        factor = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[unit]
        come = f"{received / factor:.0f}" if unit == "B" else f"{received / factor:.1f}"
        return f"{come.rjust(len(number))} of {number} {unit}"

    def _left(self) -> str:
        left_s = self.left_s()
        return ("" if left_s is None else time_left(left_s)).rjust(len("59:59 left"))

    def left_s(self) -> float | None:
        """Return the seconds left for the run at its mean rate; None if that is not known."""
        if self._began is None or not self.is_counted or self.rate.now() <= 0:
            return None
        took = self._clock() - self._began
        if took < 1 or self._moved <= 0:
            return None
        return max(0, self._total - self._moved) * took / self._moved


def _bar(part: int, whole: int, width: int) -> str:
    """Return how much of a whole is here."""
    full = int(width * min(1.0, part / whole)) if whole else 0
    return "━" * full + "─" * (width - full)


def time_left(seconds: float) -> str:
    """Return a time as `1:09 left`; '' if it is too long to be told."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} left"
    return f"{minutes // 60} h {minutes % 60:02d} left" if minutes < 6000 else ""


def human_wait(seconds: float) -> str:
    """Return a wait in whole seconds: `14 s`, `3 min 07 s`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def storing_words(files: int, place: str) -> str:
    """Return the text that is shown during a wait for the disk, or for another place."""
    return f"waiting for the {place} ({plural(files, 'file')} to store)"


def shortened(name: str, width: int) -> str:
    """Return a name without its middle, because numbers and extension are at its end."""
    if columns(name) <= width:
        return name
    tail = max((width - 1) * 2 // 3, min(width - 1, len("0001.DNG")))
    head = width - 1 - tail
    short = f"{name[:head]}…{name[-tail:]}"
    while columns(short) > width:  # wide characters
        short = short[:-1]
    return short


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """Return the words of a text that fit."""
    while text and columns(text) > width:
        text = text.rpartition(" ")[0]
    return text
