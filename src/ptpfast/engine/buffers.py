"""Decide whether a caller's buffer is plain data, which the camera may fill or receive.

A buffer of Python objects or pointers is not. Received bytes would become addresses and crash the
process. A sent address would tell the camera where things are in memory.

Sources: PEP 3118 and the `struct` module for formats; numpy and ctypes for what they add.
"""

from __future__ import annotations

import re
import sys
from typing import Any

# Numbers, characters, padding and structures of them; names stand between colons. Not among them:
# `O` (objects) and `&`, `P`, `X`, `z`, `Z` (pointers), whose `Z` also begins a complex number.
_PLAIN = re.compile(r"(?:[\s\d@=<>!^|,(){}Txcbstp?BhHiIlLqQnNefdguwv]|:[^:]*:|Z[fdg])*")
_POINTERS = frozenset("OPXzZ")


def require_plain(buffer: Any, format: str | None, item_size: int) -> None:
    """Raise TypeError unless a buffer that describes its format is plain data."""
    # Without a format it has bytes; larger items of no format could be anything.
    known = item_size == 1 if format is None else _PLAIN.fullmatch(format)
    if known and not _is_ctypes_of_pointers(buffer):
        return
    raise TypeError(
        f"the {type(buffer).__name__} contains Python objects or pointers (format "
        f"{format!r:.40}): use a buffer of bytes or numbers"
    )


def plain_bytes(data: Any) -> memoryview:
    """Return any C-contiguous bytes-like object as a memoryview of bytes. TypeError."""
    view = memoryview(data)
    require_plain(data, view.format, view.itemsize)
    return view.cast("B") if view.nbytes else memoryview(b"")  # no cast of no rows


def renewed(buffer: bytearray) -> bytearray:
    """Return the buffer, or a new one if a view of it still exists: its content must not change."""
    try:
        buffer.pop()
        buffer.append(0)
    except BufferError:
        return bytearray(len(buffer))
    return buffer


def _is_ctypes_of_pointers(buffer: Any) -> bool:
    """Return whether a union or packed structure of ctypes holds objects: its format says bytes."""
    if (ctypes := sys.modules.get("ctypes")) is None:
        return False
    if isinstance(buffer, memoryview):
        buffer = buffer.obj
    waiting, seen = [type(buffer)], set()
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        if issubclass(kind, (ctypes._Pointer, ctypes._CFuncPtr)):
            return True
        if issubclass(kind, ctypes._SimpleCData) and kind._type_ in _POINTERS:
            return True
        if issubclass(kind, ctypes.Array):
            waiting.append(kind._type_)
        elif issubclass(kind, (ctypes.Union, ctypes.Structure)):
            for base in kind.__mro__:
                waiting += [field[1] for field in vars(base).get("_fields_", ())]
    return False
