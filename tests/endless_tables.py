"""Spoil an SQLite file so that one of its tables or indexes has rows without end.

Its root page gets hundreds of children that are one page, which has hundreds that are one page, and
so on: some 80 KB hold 400 ** 8 rows, each of them valid.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

PAGE = 4096
LEVELS = 8
_TABLE, _TABLE_LEAF = 5, 13
_INDEX, _INDEX_LEAF = 2, 10


def make_endless(path: Path, name: str) -> None:
    """name: of a table or an index whose rows are on one page; `sqlite_master` is a table, too."""
    root = 1
    if name != "sqlite_master":
        with closing(sqlite3.connect(path)) as database:
            select = "SELECT rootpage FROM sqlite_master WHERE name = ?"
            root = database.execute(select, (name,)).fetchone()[0]
    data = bytearray(path.read_bytes())
    begin = (root - 1) * PAGE
    start = 100 if root == 1 else 0  # the file's header comes first
    leaf = data[begin : begin + PAGE]
    kind, count = leaf[start], int.from_bytes(leaf[start + 3 : start + 5], "big")
    first = int.from_bytes(leaf[start + 8 : start + 10], "big")
    cell = struct.pack(">I", 0x84848401)  # a row number, above those of the leaf
    if kind == _INDEX_LEAF:
        assert leaf[first] < 0x80  # the size of a short row
        cell = bytes(leaf[first : first + 1 + leaf[first]])
    else:
        assert kind == _TABLE_LEAF
    head = bytes(leaf[:start])
    if start:
        cells = leaf[start : start + 8 + 2 * count]
        leaf[: len(cells) + start] = cells + bytes(start)
    data += leaf
    kind = _INDEX if kind == _INDEX_LEAF else _TABLE
    for _ in range(LEVELS):
        data += _inner(kind, cell, len(data) // PAGE, 0)
    data[begin : begin + PAGE] = _inner(kind, cell, len(data) // PAGE, start)
    data[begin : begin + start] = head
    data[28:32] = struct.pack(">I", len(data) // PAGE)
    data[92:96] = data[24:28]
    path.write_bytes(data)


def _inner(kind: int, cell: bytes, child: int, start: int) -> bytearray:
    """Return a page whose children are all the page `child`."""
    page = bytearray(PAGE)
    cell = struct.pack(">I", child) + cell
    count = (PAGE - start - 12) // (len(cell) + 2)
    for number in range(count):
        at = PAGE - (number + 1) * len(cell)
        page[at : at + len(cell)] = cell
        struct.pack_into(">H", page, start + 12 + 2 * number, at)
    struct.pack_into(">BHHHBI", page, start, kind, 0, count, PAGE - count * len(cell), 0, child)
    return page
