"""The answers of Nikon's own operations; the first byte says whose parser reads the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ptpfast.vendors.nikon import datasets

from .first_byte import choosing


def _pairing_number(body: bytes) -> None:
    digits = datasets.parse_pairing_number(body)
    assert len(digits) in datasets.DIGITS
    assert digits.isascii()
    assert digits.isdigit()


def _job(body: bytes) -> None:
    job = datasets.parse_job(body)
    assert 0 < job.handle <= 0xFFFFFFFF
    assert job.name
    assert "/" not in job.name
    assert job.path.endswith(job.name)


def _frame(body: bytes) -> None:
    frame = datasets.parse_frame(body)
    if frame is None:
        assert datasets.JPEG_START not in body
    else:
        assert frame.startswith(datasets.JPEG_START)
        assert frame in body
    focus = getattr(frame, "focus", None)
    if focus is not None:
        assert len(focus.areas) <= body[44] <= 255
        width, height = focus.size
        for area in focus.areas:
            assert 0 <= area.left + area.width // 2 <= width
            assert 0 <= area.top + area.height // 2 <= height


def _wide_prop_desc(body: bytes) -> None:
    desc = datasets.parse_wide_prop_desc(body)
    assert desc.code == int.from_bytes(body[:4], "little")


def _object_size(body: bytes) -> None:
    assert datasets.parse_object_size(body) == int.from_bytes(body[:8], "little")


_READS: tuple[Callable[[bytes], None], ...] = (
    _pairing_number,
    _job,
    _frame,
    _wide_prop_desc,
    _object_size,
)
PYTHON: tuple[Callable[..., Any], ...] = (
    datasets.parse_pairing_number,
    datasets.parse_job,
    datasets.parse_frame,
    datasets.parse_wide_prop_desc,
)


answers = choosing(_READS)


def seeds() -> list[bytes]:
    """Return an answer of each operation, and a cut one."""
    jpeg = b"\xff\xd8\xff\xd9"
    bodies = (
        bytes.fromhex("0400000000090806"),
        b"\x8e\x01\x19\x09\x06" + "A.JPG\0".encode("utf-16-le"),
        bytes(12) + b"\0\0\0\4" + bytes(496) + jpeg,
        bytes.fromhex("74d00100 0200 01 01 02 02 0200 01 02"),
        bytes(8),
    )
    whole = [bytes([number]) + body for number, body in enumerate(bodies)]
    return [*whole, *(each[: len(each) // 2] for each in whole), bytes([2]) + _long_frame() + jpeg]


def _long_frame() -> bytes:
    """A header of 1024 bytes with two focus areas."""
    header = bytearray(1024)
    header[12:20] = bytes.fromhex("00000004 17a0 0d48")
    header[42:46] = b"\2\1\2\0"
    header[48:64] = bytes.fromhex("0258 0190 0bd0 06a4 0064 0064 0100 0100")
    return bytes(header)
