"""Draws tests/project/public_names.txt: every public name with its signature.

python tests/draw_public_names.py

A change of that file is a change of the API: docs/stability.md says what is allowed.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "project" / "public_names.txt"
MODULES = ("", "aio", "filesystem", "metrics", "sim", "testing")
# What Python gives every class; it differs from version to version.
INHERITED = {"with_traceback", "add_note", "args", "filename", "filename2"}
PREFIX = "ptpfast."


def drawn() -> str:
    """The file."""
    lines = ["# Drawn by `python tests/draw_public_names.py`; docs/stability.md explains it.", ""]
    for name in MODULES:
        module = import_module(f"ptpfast.{name}".rstrip("."))
        for public in sorted(module.__all__):
            if not public.startswith("__"):
                full = ".".join(filter(None, ("ptpfast", name, public)))
                lines += described(full, getattr(module, public))
    return "\n".join(lines) + "\n"


def described(name: str, thing: Any) -> Iterator[str]:
    """The lines of a name."""
    if isinstance(thing, type):
        yield from of_class(name, thing)
    elif callable(getattr(thing, "_get_wrapped_function", None)):  # a fixture of pytest
        yield f"{name}: fixture"
    elif callable(thing):
        yield name + signature(thing)
    else:
        yield f"{name}: {type(thing).__name__}"


def of_class(name: str, kind: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    yield f"class {name}({bases})"
    if issubclass(kind, enum.Enum):
        yield from (f"    {member.name} = {member.value!r}" for member in kind)
        return
    if "__init__" in vars(kind) or dataclasses.is_dataclass(kind):
        yield f"    __init__{signature(kind.__init__)}"  # type: ignore[misc]
    for member in sorted(set(dir(kind)) - INHERITED):
        if not member.startswith("_"):
            yield from of_member(kind, member)


def of_member(kind: type, name: str) -> Iterator[str]:
    value = inspect.getattr_static(kind, name)
    owner = next(each for each in kind.__mro__ if name in vars(each))
    if not owner.__module__.startswith(PREFIX):  # of a base that is not ours
        return
    awaited = "async " if inspect.iscoroutinefunction(value) else ""
    if isinstance(value, staticmethod | classmethod):
        yield f"    {type(value).__name__} {name}{signature(value.__func__)}"
    elif inspect.isroutine(value):
        yield f"    {awaited}{name}{signature(value)}"
    elif isinstance(value, property):
        hint = getattr(value.fget, "__annotations__", {}).get("return", "")
        yield f"    {name}: property" + (f" of {hint}" if hint else "")
    else:
        yield f"    {name}"


def signature(thing: Any) -> str:
    """The parameters as they are written, without the names of modules and addresses."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(...)"
    parameters = [
        each.replace(default=Shown("...")) if " at 0x" in repr(each.default) else each
        for each in found.parameters.values()
    ]
    text = str(found.replace(parameters=parameters))
    return text.replace("'", "").replace("ptpfast.", "")


class Shown:
    """A default that is shown as a text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


if __name__ == "__main__":
    FILE.write_text(drawn(), encoding="utf-8")
