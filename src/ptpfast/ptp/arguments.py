"""Checks of public arguments: one value or several of them, and switches.

An argument that takes several values takes one of them alone just as well, and means the same by
it. What cannot be meant raises TypeError or ValueError with a sentence, because an argument that is
misread may select more than its caller wanted, and what is selected may be deleted on the camera.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

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
    """One str or several, none of them blank; with `known` each is one of these.

    ValueError also for a text with a blank or a line break at its ends: as a pattern it would fit
    nothing, and as one to exclude let everything through.
    """
    values = several(name, given, str, "a str")
    for value in values:
        if not value.strip():
            raise ValueError(f"{name} has an empty text in it: {value!r}")
        if value != value.strip() or _CONTROL.search(value):
            raise ValueError(
                f"{name}: {value!r} has a blank or a line break that no name has; "
                "take it away, or write ? for it"
            )
    if known is not None:
        names = tuple(known)
        for value in values:
            if value not in names:
                raise ValueError(f"{name}: no {value!r}; there are: {', '.join(names)}")
    return values


def folders(name: str, given: Any) -> tuple[Path, ...]:
    """One path or several. ValueError for an empty one, which would be the current folder."""
    return tuple(path(name, value) for value in several(name, given, (str, os.PathLike), "a path"))


def path(name: str, given: Any) -> Path:
    """Return the path of one file or folder. TypeError, ValueError."""
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"{name} takes a path, not {_shown(given)}")
    text = os.fspath(given)
    if not isinstance(text, str):
        raise TypeError(f"{name} takes a path of text, not {_shown(given)}")
    if not text.strip():
        raise ValueError(f"{name} is an empty path; write '.' for the current folder")
    if "\0" in text:
        raise ValueError(f"{name}: {text!r} has a NUL in it")
    return Path(given)


def numbers(name: str, given: Any, what: str) -> tuple[int, ...]:
    """One whole number or several; numpy's are whole numbers too. TypeError."""
    if (number := whole_number(given)) is not None:
        return (number,)
    return tuple(number_in(name, value, what) for value in listed(name, given, what))


def number_in(name: str, value: Any, what: str) -> int:
    """Return a whole number that was in a list. TypeError."""
    if (number := whole_number(value)) is None:
        raise TypeError(f"{name} takes {what} or a list of them; {_shown(value)} is in it")
    return number


def whole_number(value: Any) -> int | None:
    """As an int; None for what is no whole number, and a bool is none."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def switches(**given: Any) -> None:
    """TypeError unless every argument is True or False: 'no' and 'false' are true to Python."""
    for name, value in given.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} is True or False, not {_shown(value)}")


def check_names(function: str, given: Iterable[str], known: Collection[str]) -> None:
    """TypeError, in Python's own words, for the first keyword argument that is not known."""
    for name in given:
        if name not in known:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")


def _shown(value: Any) -> str:
    """For a message, and not at length."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
