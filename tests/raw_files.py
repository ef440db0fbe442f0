"""Small RAW files of each structure, with previews at known places."""

from __future__ import annotations

import struct
from typing import NamedTuple


class Made(NamedTuple):
    """A file, and the JPEG in it that is its preview."""

    content: bytes
    preview: bytes


def jpeg(size: int, *, frame: int = 0xC0) -> bytes:
    """A JPEG as far as a parser of its markers can tell; `frame` is its kind (0xC3: lossless)."""
    application = b"\xff\xe1" + struct.pack(">H", 10) + b"Exif\0\0\0\0"
    head = b"\xff\xd8" + application + b"\xff" + bytes([frame]) + struct.pack(">H", 11) + bytes(9)
    return head + bytes(index * 7 % 251 for index in range(size - len(head) - 2)) + b"\xff\xd9"


def directory(order: str, entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """An IFD; an entry is (tag, type, count, value or place)."""
    rows = b"".join(
        struct.pack(f"{order}HHI", tag, kind, count)
        + (struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value))
        for tag, kind, count, value in entries
    )
    return struct.pack(f"{order}H", len(entries)) + rows + struct.pack(f"{order}I", following)


def place(parts: dict[int, bytes], size: int) -> bytes:
    """Bytes at their places, with zeros between them."""
    content = bytearray(size)
    for offset, part in parts.items():
        content[offset : offset + len(part)] = part
    return bytes(content)


def nef(order: str = "<", turned: int | None = None) -> Made:
    """As Nikon's: a thumbnail in the first directory, the JPEG in a directory below it.

    turned: the orientation, which the first directory has.
    """
    tag = [] if turned is None else [(0x112, 3, 1, turned)]
    small, large, raw = jpeg(9_000), jpeg(300_000), bytes(500_000)
    mark = b"II" if order == "<" else b"MM"
    parts = {
        0: mark + struct.pack(f"{order}HI", 42, 8),
        8: directory(
            order, [*tag, (0x201, 4, 1, 5000), (0x202, 4, 1, len(small)), (0x14A, 4, 2, 400)]
        ),
        400: struct.pack(f"{order}II", 1000, 2000),
        1000: directory(
            order, [(0x103, 3, 1, 6), (0x201, 4, 1, 90_000), (0x202, 4, 1, len(large))]
        ),
        2000: directory(
            order, [(0x103, 3, 1, 34713), (0x111, 4, 1, 400_000), (0x117, 4, 1, 500_000)]
        ),
        5000: small,
        90_000: large,
        400_000: raw,
    }
    return Made(place(parts, 900_000), large)


def cr2() -> Made:
    """As Canon's: the preview is the strip of the first directory, the RAW data a lossless JPEG."""
    shown, raw = jpeg(200_000), jpeg(600_000, frame=0xC3)
    strip = [(0x103, 3, 1, 6), (0x111, 4, 1, 50_000), (0x117, 4, 1, len(shown))]
    values = [(0x103, 3, 1, 6), (0x111, 4, 1, 300_000), (0x117, 4, 1, len(raw))]
    parts = {
        0: b"II" + struct.pack("<HI", 42, 16) + b"CR\2\0",
        16: directory("<", strip, 200),
        200: directory("<", values),
        50_000: shown,
        300_000: raw,
    }
    return Made(place(parts, 900_000), shown)


def rw2() -> Made:
    """As Panasonic's: the JPEG is the value of a tag."""
    shown = jpeg(150_000)
    parts = {
        0: b"II" + struct.pack("<HI", 0x55, 8),
        8: directory("<", [(0x2E, 7, len(shown), 4096)]),
        4096: shown,
    }
    return Made(place(parts, 700_000), shown)


def raf() -> Made:
    """As Fujifilm's: place and size stand in the header."""
    shown = jpeg(400_000)
    head = b"FUJIFILMCCD-RAW 0201" + bytes(64) + struct.pack(">II", 148, len(shown))
    return Made(place({0: head, 148: shown}, 800_000), shown)


def box(kind: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return struct.pack(">I4s", 8 + len(inside), kind) + inside


def track(offset: int, size: int) -> bytes:
    sizes = box(b"stsz", struct.pack(">IIII", 0, 0, 1, size))
    places = box(b"co64", struct.pack(">IIQ", 0, 1, offset))
    return box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", sizes, places))))


def cr3(turned: int | None = None) -> Made:
    """As Canon's: a small picture in a box of its own, the large one and the RAW data as tracks.

    turned: the orientation, in a TIFF of a box of its own.
    """
    about = b""
    if turned is not None:
        head = b"II" + struct.pack("<HI", 42, 8) + directory("<", [(0x112, 3, 1, turned)])
        described = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
        about = box(b"uuid", described, box(b"CNCV", bytes(30)), box(b"CMT1", head))
    small, large, raw = jpeg(20_000), jpeg(350_000), b"\xff\x01" + bytes(500_000)
    preview = struct.pack(">I4sIIII", 24 + len(small), b"PRVW", 0, 1, 0, len(small)) + small
    uuid = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
    start = 60_000
    top = box(b"ftyp", b"crx \0\0\0\1")
    top += box(
        b"moov", about, track(start + 16, len(large)), track(start + 16 + len(large), len(raw))
    )
    top += box(b"uuid", uuid, bytes(8), preview)
    top += box(b"free", bytes(start - len(top) - 8))
    data = struct.pack(">I4sQ", 1, b"mdat", 16 + len(large) + len(raw)) + large + raw
    return Made(top + data, large)


KINDS = {"nef": nef, "nef-big": lambda: nef(">"), "cr2": cr2, "cr3": cr3, "raf": raf, "rw2": rw2}
