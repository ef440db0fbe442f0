"""Sizes and durations as people write them."""

from __future__ import annotations

import re

_UNITS = {
    "": 1,
    "K": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
    "KI": 1 << 10,
    "MI": 1 << 20,
    "GI": 1 << 30,
    "TI": 1 << 40,
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", re.IGNORECASE)
_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(
    r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s?)?", re.IGNORECASE
)
LARGEST = 1 << 62
LONGEST_S = 366 * 86_400


def size_of(text: str) -> int:
    """Return the bytes of `65536`, `512K`, `25M` or `1.5GiB`; K, M, G are powers of 1000, KiB… of
    1024. ValueError."""
    match = _SIZE.fullmatch(text.strip()) if text.isascii() else None
    if match is None or match[2].upper() == "I":
        raise ValueError(f"{text!r} is not a size; write 65536, 512K, 25M or 1MiB")
    unit = _UNITS[match[2].upper()]
    if float(match[1]) * unit >= LARGEST:
        raise ValueError(f"{text!r} is out of range")
    return int(match[1]) * unit if match[1].isdecimal() else int(float(match[1]) * unit)


def duration_of(text: str) -> float:
    """Return the seconds of `90`, `45m`, `2h` or `1h30m`. ValueError."""
    match = _DURATION.fullmatch(text.strip()) if text.isascii() and text.strip() else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write 90, 45m, 2h or 1h30m")
    parts = zip(match.groups(), _SECONDS.values(), strict=True)
    seconds = sum(int(number) * each for number, each in parts if number)
    if not 0 < seconds <= LONGEST_S:
        raise ValueError(f"{text!r} is out of range: a duration is 1 s to a year")
    return float(seconds)
