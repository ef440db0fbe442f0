"""Dates and times in file names, the same under every locale.

`strftime` of the system writes names of months by the locale, and years before 1000 without zeros.
Then a later run would not find the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

UNDATED = "undated"
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Letter → (what it writes, a pattern for that).
_WRITES: dict[str, tuple[Callable[[datetime], str], str]] = {
    "Y": (lambda t: f"{t.year:04}", r"\d{4}"),
    "y": (lambda t: f"{t.year % 100:02}", r"\d{2}"),
    "m": (lambda t: f"{t.month:02}", r"\d{2}"),
    "d": (lambda t: f"{t.day:02}", r"\d{2}"),
    "H": (lambda t: f"{t.hour:02}", r"\d{2}"),
    "M": (lambda t: f"{t.minute:02}", r"\d{2}"),
    "S": (lambda t: f"{t.second:02}", r"\d{2}"),
    "j": (lambda t: f"{t.timetuple().tm_yday:03}", r"\d{3}"),
    "V": (lambda t: f"{t.isocalendar().week:02}", r"\d{2}"),
    "B": (lambda t: MONTHS[t.month - 1], "[A-Za-z]+"),
    "b": (lambda t: MONTHS[t.month - 1][:3], "[A-Za-z]{3}"),
    "A": (lambda t: DAYS[t.weekday()], "[A-Za-z]+"),
    "a": (lambda t: DAYS[t.weekday()][:3], "[A-Za-z]{3}"),
}
DIRECTIVES = "%Y %y %m %d %H %M %S, %j (day of the year), %V (week), %B %b (month), %A %a (day)"
_DIRECTIVE = re.compile("%(.?)", re.DOTALL)


def check_format(form: str) -> str:
    """Return what is wrong with a format; '' if nothing is."""
    letters = _DIRECTIVE.findall(form)
    for letter in letters:
        if letter not in _WRITES:
            return f"%{letter} is not known"
    return "" if letters else f"{form!r} has no %"


def written(moment: datetime, form: str) -> str:
    """Return a moment in a format that `check_format` accepts."""
    return _DIRECTIVE.sub(lambda match: _WRITES[match[1]][0](moment), form)


def pattern(form: str) -> str:
    """Return a regular expression for what `written` returns."""
    plain = _DIRECTIVE.split(form)  # literal and letter by turns
    parts = [_WRITES[each][1] if at % 2 else re.escape(each) for at, each in enumerate(plain)]
    return "".join(parts)
