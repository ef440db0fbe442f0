"""Whether two times of a file are the same, as far as clocks and filesystems can keep them.

A camera writes wall-clock time without a zone. A file's time is seconds since 1970, made of it by
the zone of the computer; FAT keeps wall-clock time again, to two seconds. So after a flight, or a
change of daylight saving time, times differ by whole quarter hours.
"""

from __future__ import annotations

from ...transfer.part import SAME_TIME_S

QUARTER_S = 900.0
MOST_S = 26 * 3600.0  # from UTC-12 to UTC+14


def is_same_time(one: float, other: float) -> bool:
    """Return whether two times (seconds since 1970) are equal to the granularity of FAT."""
    return abs(one - other) <= SAME_TIME_S


def is_same_clock(one: float, other: float) -> bool:
    """Return whether two times are equal but for whole quarter hours of a time zone."""
    apart = abs(one - other)
    rest = apart % QUARTER_S
    return apart <= MOST_S + SAME_TIME_S and min(rest, QUARTER_S - rest) <= SAME_TIME_S
