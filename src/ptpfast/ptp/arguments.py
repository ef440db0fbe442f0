"""Checks of public arguments: one value or several, and switches.

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
    """Return one path or several as a tuple.

    Raises:
        ValueError: a path is empty; it would mean the current folder.
    """
    return tuple(path(name, value) for value in several(name, given, (str, os.PathLike), "a path"))


def path(name: str, given: Any) -> Path:
    """Return the path of one file or folder. Raises TypeError or ValueError."""
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
        raise TypeError(f"{name} takes {what} or a list of them; {_shown(value)} is in it")
    return number


def whole_number(value: Any) -> int | None:
    """Return a whole number as an int; None for anything else, including a bool."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


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
