"""The states of all cameras of a `pull`, as one line that fits the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ..engine.text import printable
from .output import human_size
from .status import RATE_WIDTH, Status, columns, cut, time_left


class Statuses:
    """The state of a run, with one camera or several.

    Another thread may call `line`, because each change replaces one attribute.
    """

    def __init__(self, alone: Status) -> None:
        """alone: the state of a run with one camera."""
        self._alone = alone
        self._each: dict[str, Status] = {}

    def add(self, name: str) -> Status:
        """Return the state of one more camera."""
        status = self._alone.another()
        self._each = {**self._each, name: status}
        return status

    def line(self, width: int) -> str:
        """Return the fullest form that fits into `width` columns."""
        if not self._each:
            return self._alone.line(width)
        lines = [printable(" ".join(filter(None, form))) for form in self._forms()]
        fitting = (line for line in lines if columns(line) <= width)
        return next(fitting, "") or cut(lines[-1], width)

    def _forms(self) -> Iterator[tuple[str, ...]]:
        each = list(self._each.values())
        more = "" if all(status.is_counted for status in each) else "+"
        count = sum(status.count for status in each)
        place = f"{sum(status.done for status in each)}/{count}{more}" if count else ""
        head = f"{len(each)} cameras {place}".strip()
        rate = f"{human_size(round(sum(status.rate.now() for status in each)))}/s"
        rate = rate.rjust(RATE_WIDTH)
        left_s = [status.left_s() for status in each]
        known = [seconds for seconds in left_s if seconds is not None]
        left = time_left(max(known)) if known and not more else ""
        waits = [f"{name}: {text}" for name, it in self._each.items() if (text := it.wait())]
        if waits:
            yield head, rate, left, "; ".join(waits)
            yield head, rate, "; ".join(waits)
            if len(waits) > 1:
                yield head, rate, f"{waits[0]}; {len(waits) - 1} more waiting"
            yield head, rate, f"{len(waits)} waiting"
        yield head, rate, left
        yield head, rate
        yield place, rate
        yield (rate.strip(),)
