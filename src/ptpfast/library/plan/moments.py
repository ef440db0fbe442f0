"""Read dates as people write them: `2026-11-22T14:30`, `2026-11`, `yesterday`, `12h`.

A library such as dateparser guesses: it reads `05/06` by the user's locale, and a wrong guess would
select other files. Every form here has one meaning.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

FORMS = "write 2026-11-22, 2026-11-22T14:30, 2026-11, 2026, today, yesterday, 2d or 12h"

_MONTH = re.compile(r"(\d{4})(?:-(\d{1,2}))?", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_AGO = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*([a-z]+?)s?(?:\s+ago)?", re.ASCII)
_DAYS = {"today": 0, "yesterday": 1}
_UNITS = {
    **dict.fromkeys(("m", "min", "minute"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hour"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day"), timedelta(days=1)),
    **dict.fromkeys(("w", "week"), timedelta(weeks=1)),
}

Edge = Literal["since", "until"]


def moment(name: Edge, given: Any, now: datetime | None = None) -> date:
    """Return the date or datetime that an argument means.

    Args:
        name: `since` or `until`: which end of a month or a year is meant.
        given: a date, a datetime, or a text.
        now: the present, by this computer's clock; for tests.

    Returns:
        A date for a whole day, a datetime for a moment. `2d` is the moment 48 hours ago.

    Raises:
        TypeError: it is neither a date nor a text.
        ValueError: the text is no date; the message has the right forms.
    """
    if isinstance(given, date):
        return given
    if not isinstance(given, str):
        raise TypeError(f"{name} takes a date, a datetime or a text, not {given!r:.60}")
    text = given.strip()
    try:
        found = _read(name, text, now or datetime.now())
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise ValueError(f"{name}: {given!r:.60} is not a date; {FORMS}")
    return found


def is_later(since: date, until: date) -> bool:
    """Return whether a range ends before it begins."""
    first = since if isinstance(since, datetime) else datetime.combine(since, time.min)
    last = until if isinstance(until, datetime) else datetime.combine(until, time.max)
    if first.tzinfo is None or last.tzinfo is None:  # one clock with a zone: as the clocks show it
        first, last = first.replace(tzinfo=None), last.replace(tzinfo=None)
    return first > last


def _read(name: Edge, text: str, now: datetime) -> date | None:
    if (days := _DAYS.get(text.lower())) is not None:
        return now.date() - timedelta(days=days)
    if text.lower() == "now":
        return now.replace(microsecond=0)
    if match := _MONTH.fullmatch(text):
        year, month = int(match[1]), match[2] and int(match[2])
        if name == "since":
            return date(year, month or 1, 1)
        last = month or 12
        return date(year, last, calendar.monthrange(year, last)[1])
    if match := _DAY.fullmatch(text):
        return date(*map(int, match.groups()))
    if match := _AGO.fullmatch(text.lower()):
        unit = _UNITS.get(match[2])
        return None if unit is None else (now - float(match[1]) * unit).replace(microsecond=0)
    if not text.isascii():
        return None
    if len(text) <= len("2026-11-22"):
        return date.fromisoformat(text)
    return datetime.fromisoformat(text)
