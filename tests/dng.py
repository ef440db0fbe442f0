"""A small DNG, written by hand: one uncompressed Bayer image.

Source: Adobe DNG specification 1.4; TIFF 6.0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

WIDTH, HEIGHT = 64, 48
BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10
FORMS = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", RATIONAL: "I", SRATIONAL: "i"}
IDENTITY = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)  # nine fractions
Tag = tuple[int, int, Sequence[int]]


def dng(red: int, green: int, blue: int) -> bytes:
    """A picture of one colour, in 16 bits."""
    rows = [
        struct.pack("<2H", red, green) * (WIDTH // 2),
        struct.pack("<2H", green, blue) * (WIDTH // 2),
    ]
    return _tiff(b"".join(rows) * (HEIGHT // 2))


def _tiff(pixels: bytes) -> bytes:
    tags: list[Tag] = [
        (254, LONG, (0,)),
        (256, LONG, (WIDTH,)),
        (257, LONG, (HEIGHT,)),
        (258, SHORT, (16,)),
        (259, SHORT, (1,)),  # uncompressed
        (262, SHORT, (32803,)),  # a colour filter array
        (271, ASCII, b"Simulated\0"),
        (272, ASCII, b"Camera\0"),
        (273, LONG, (8,)),  # the pixels are right behind the header
        (274, SHORT, (1,)),
        (277, SHORT, (1,)),
        (278, LONG, (HEIGHT,)),
        (279, LONG, (len(pixels),)),
        (33421, SHORT, (2, 2)),
        (33422, BYTE, (0, 1, 1, 2)),  # RGGB
        (50706, BYTE, (1, 4, 0, 0)),
        (50708, ASCII, b"Simulated Camera\0"),
        (50717, LONG, (0xFFFF,)),
        (50721, SRATIONAL, IDENTITY),
        (50728, RATIONAL, (1, 1, 1, 1, 1, 1)),
        (50778, SHORT, (21,)),  # D65
    ]
    at = 8 + len(pixels)
    values_at = at + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, kind, numbers in tags:
        packed = struct.pack(f"<{len(numbers)}{FORMS[kind]}", *numbers)
        count = len(numbers) // 2 if kind in (RATIONAL, SRATIONAL) else len(numbers)
        if len(packed) > 4:
            where = struct.pack("<I", values_at + len(values))
            values += packed + b"\0" * (len(packed) % 2)
        else:
            where = packed.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, count) + where
    head = struct.pack("<2sHI", b"II", 42, at)
    return head + pixels + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0" + values
