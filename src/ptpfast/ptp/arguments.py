"""Checks of public arguments: numbers, choices, switches, and one value or several.

An argument that takes several values also takes a single one. A wrong value raises TypeError or
ValueError with a sentence. A misread argument could select more objects than its caller wanted, and
selected objects may be deleted on the camera.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, SupportsFloat

LONGEST_S = 100_000_000  # three years: a longer timeout is a mistake
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Iterable, but never meant as a list of values.
_NO_LISTS = (str, bytes, bytearray, memoryview, os.PathLike, Mapping)


def several(name: str, given: Any, kind: type | tuple[type, ...], what: str) -> tuple[Any, ...]:
    """Return the values of the argument `name` as a tuple: `given` itself, or its elements.

    Args:
        name: the argument, for messages.
        given: one value of `kind`, or any iterable of them; a generator is consumed.
        kind: the type of a value.
        what: such a value in words, for messages.

    Raises:
        TypeError: None, or anything else.
    """
    if isinstance(given, kind):
        return (given,)
    values = listed(name, given, what)
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"{name} takes {what} or a list of them; {_shown(value)} is in it")
    return values


def listed(name: str, given: Any, what: str) -> tuple[Any, ...]:
    """Return the elements of a list, a generator or an array. TypeError for anything else."""
    if isinstance(given, _NO_LISTS) or not isinstance(given, Iterable):
        raise TypeError(f"{name} takes {what} or a list of them, not {_shown(given)}")
    return tuple(given)


def texts(name: str, given: Any, known: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return one str or several as a tuple; with `known`, each must be one of these.

    Raises:
        ValueError: a text is empty, or has a blank or a line break at its ends. Such a pattern
            matches nothing, so an exclusion would exclude nothing.
    """
    values = several(name, given, str, "a str")
    for value in values:
        if not value.strip():
            raise ValueError(f"{name} contains an empty text: {value!r}")
        if value != value.strip() or _CONTROL.search(value):
            raise ValueError(
                f"{name}: {value!r} has a blank or a line break that no name has; "
                "remove it, or write ? for it"
            )
    if known is not None:
        names = tuple(known)
        for value in values:
            if value not in names:
                raise ValueError(f"{name}: unknown value {value!r}; use one of {', '.join(names)}")
    return values


def folders(name: str, given: Any) -> tuple[Path, ...]:
    """One path or several. ValueError for an empty one, which would be the current folder."""
    return tuple(
        path_of(name, value) for value in several(name, given, (str, os.PathLike), "a path")
    )


def path_of(name: str, given: Any) -> Path:
    """Return the path of one file or folder. TypeError, ValueError."""
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"{name} takes a path, not {_shown(given)}")
    text = os.fspath(given)
    if not isinstance(text, str):
        raise TypeError(f"{name} takes a path of text, not {_shown(given)}")
    if not text.strip():
        raise ValueError(f"{name} is an empty path; write '.' for the current folder")
    if "\0" in text:
        raise ValueError(f"{name}: {text!r} contains a NUL character")
    return Path(given)


def numbers(name: str, given: Any, what: str) -> tuple[int, ...]:
    """Return one whole number or several as a tuple; numpy's integers count. Raises TypeError."""
    if (number := whole_number(given)) is not None:
        return (number,)
    return tuple(number_in(name, value, what) for value in listed(name, given, what))


def number_in(name: str, value: Any, what: str) -> int:
    """Return a whole number from a list. Raises TypeError."""
    if (number := whole_number(value)) is None:
        raise TypeError(f"{name} takes {what} or a list of them, not {_shown(value)}")
    return number


def code_in(name: str, value: Any, what: str) -> int:
    """Return a number of 32 bits, alone or in a list. TypeError, ValueError."""
    number = number_in(name, value, what)
    if not 0 <= number <= 0xFFFFFFFF:
        raise ValueError(f"{name} takes {what}: numbers of 32 bits, not {_shown(number)}")
    return number


def whole_number(value: Any) -> int | None:
    """Return a whole number as an int; None for anything else, including a bool."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def whole(name: str, given: Any, what: str, least: int = 0, most: int | None = None) -> int:
    """Return a whole number from `least` to `most`; numpy's are whole numbers too.

    Args:
        name: the argument, for messages.
        given: the value.
        what: what the argument takes, for messages: `a number of bytes, such as 1_000_000`.
        least: the smallest value.
        most: the largest value.

    Raises:
        TypeError: it is no whole number. A bool is none.
        ValueError: it is out of range.
    """
    if (number := whole_number(given)) is None:
        raise TypeError(f"{name} takes {what}, not {_shown(given)}")
    if number < least or (most is not None and number > most):
        limits = f"{least} or more" if most is None else f"from {least:,} to {most:,}"
        kind = "the negative " if number < 0 else ""
        raise ValueError(f"{name} takes {what}: {limits}, not {kind}{_shown(number)}")
    return number


def seconds(name: str, given: Any) -> float:
    """Return a time in seconds, 0 or more. TypeError, ValueError."""
    if isinstance(given, bool) or not isinstance(given, SupportsFloat):
        raise TypeError(f"{name} takes a number of seconds, not {_shown(given)}")
    number = float(given)
    if not 0 <= number <= LONGEST_S:  # false for NaN, too
        raise ValueError(
            f"{name} takes a number of seconds from 0 to {LONGEST_S:,}, not {_shown(given)}"
        )
    return number


def choice(name: str, given: Any, allowed: Iterable[str]) -> str:
    """Return one of the allowed words. TypeError, ValueError."""
    words = tuple(allowed)
    if not isinstance(given, str) or given not in words:
        kind = ValueError if isinstance(given, str) else TypeError
        raise kind(f"{name} is one of {', '.join(words)}, not {_shown(given)}")
    return given


def code_of(name: str, given: Any) -> int:
    """Return a code or handle of 32 bits. TypeError, ValueError."""
    return whole(name, given, "a whole number of 32 bits", 0, 0xFFFFFFFF)


def callback(name: str, given: Any) -> None:
    """TypeError unless the argument is a function or None."""
    if given is not None and not callable(given):
        raise TypeError(f"{name} takes a function, not {_shown(given)}")


def switches(**given: Any) -> None:
    """Raise TypeError unless every argument is True or False: the text 'no' would be true."""
    for name, value in given.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} is True or False, not {_shown(value)}")


def check_names(function: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raise TypeError, in Python's own words, for the first unknown keyword argument."""
    for name in given:
        if name not in known:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")


def _shown(value: Any) -> str:
    """Return a value for a message, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
