"""The datasets of Panasonic's bodies; the first byte says which parser reads the rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ptpfast.vendors.panasonic import datasets

from .first_byte import choosing


def _values(body: bytes) -> None:
    assert datasets.pack_values(datasets.parse_values(body)) == body


def _records(body: bytes, *, with_data: bool) -> None:
    found = datasets.parse_records(body, with_data=with_data)
    assert datasets.pack_records(found) == body


def _sizes(body: bytes) -> None:
    found = datasets.parse_live_view_sizes(body)
    assert 8 * len(found) <= len(body)


def _picture(body: bytes) -> None:
    picture = datasets.picture_of(body)
    assert picture.startswith(b"\xff\xd8")
    assert body.endswith(picture)


_READS: tuple[Callable[[bytes], None], ...] = (
    _values,
    partial(_records, with_data=False),
    partial(_records, with_data=True),
    _sizes,
    _picture,
)
PYTHON: tuple[Callable[..., Any], ...] = (
    datasets.parse_values,
    datasets.parse_records,
    datasets.parse_live_view_sizes,
    datasets.picture_of,
)


answers = choosing(_READS)


def seeds() -> list[bytes]:
    """Return one of each kind, and a cut one."""
    head = bytes.fromhex("1400000001000100000000000100000004000000")
    bodies = (
        datasets.pack_values([(0x02000030, bytes(4)), (0x020000E1, bytes(2))]),
        bytes.fromhex("c000000214000000") + head,
        bytes.fromhex("c000000214000000") + head + b"data",
        bytes.fromhex("1200800d0c00000001000800e001800220001e00"),
        bytes(9) + b"\xff\xd8\xff\xd9",
    )
    whole = [bytes([number]) + body for number, body in enumerate(bodies)]
    return whole + [each[: len(each) // 2] for each in whole]
