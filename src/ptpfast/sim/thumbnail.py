"""Thumbnails for the simulated camera: small JPEGs, one for each object.

A picture is a sky over land with a sun, in flat 8 × 8 blocks. So the encoder needs no cosine
transform: a block is its DC coefficient.

Source: ITU-T T.81 (JPEG): markers B.2, DC coding F.1.2.1, table K.3.
"""

from __future__ import annotations

from functools import cache

from .content import Content, read

WIDTH, HEIGHT = 160, 120
VARIANTS = 64  # pictures that look different; further objects differ by their comment

_BLOCK = 8
_QUANTUM = 8  # DC of a flat block is 8 × (value − 128): with this divisor, value − 128
# Table K.3, the code of each size category of a DC difference, as bits.
_DC_LENGTHS = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
_DC_CODES = ["00", "010", "011", "100", "101", "110", "1110", "11110", "111110"]
# The only AC symbol ever used: end of block, one bit.
_AC_LENGTHS = bytes([1] + [0] * 15)
_END_OF_BLOCK = "0"
_LARGEST_SEGMENT = 0xFFFF

Colour = tuple[int, int, int]


class Thumbnails:
    """Maker of thumbnails. It makes each picture once; each object gets a copy with a comment."""

    def make(self, number: int, comment: str) -> bytes:
        """Return the thumbnail of object `number`; `comment` (its name) is readable in the file."""
        picture = _picture(number % VARIANTS)
        return (
            picture[:2]
            + _segment(0xFE, comment.encode(errors="surrogatepass")[:1000])
            + picture[2:]
        )


def live_view_frame(number: int) -> bytes:
    """Return a live view frame, a JPEG with its number in a comment."""
    return Thumbnails().make(number, f"frame {number}")


@cache
def _picture(variant: int) -> bytes:
    return _encode(_scene(variant))


def embedded(content: Content) -> bytes:
    """Return the thumbnail in a JPEG file's first EXIF segment; empty without one."""
    head = read(content, 0, 2 + 4 + _LARGEST_SEGMENT + 64)
    start = head.find(b"\xff\xe1")
    if not head.startswith(b"\xff\xd8") or start < 0:
        return b""
    segment = head[start + 4 : start + 2 + int.from_bytes(head[start + 2 : start + 4], "big")]
    first, last = segment.find(b"\xff\xd8\xff"), segment.rfind(b"\xff\xd9")
    return segment[first : last + 2] if segment.startswith(b"Exif") and 0 <= first < last else b""


def _scene(variant: int) -> list[Colour]:
    """Return the blocks of a picture, row by row, as (Y, Cb, Cr)."""
    columns, rows = WIDTH // _BLOCK, HEIGHT // _BLOCK
    horizon = 6 + variant % 5
    sun_x, sun_y = 2 + variant * 7 % (columns - 4), 1 + variant % 3
    warmth = variant * 11 % 60
    blocks = []
    for y in range(rows):
        for x in range(columns):
            if abs(x - sun_x) + abs(y - sun_y) < 2:
                blocks.append((235, 90, 150))
            elif y < horizon:
                blocks.append((120 + 8 * y, 165 - warmth, 110 + warmth // 2))
            else:
                blocks.append((130 - 7 * (y - horizon) + (x * 5 + variant * 3) % 9, 105, 120))
    return blocks


def _encode(blocks: list[Colour]) -> bytes:
    bits: list[str] = []
    before = [128, 128, 128]
    for block in blocks:
        for component in range(3):
            bits.append(_difference(block[component] - before[component]) + _END_OF_BLOCK)
            before[component] = block[component]
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xDB, b"\0" + bytes([_QUANTUM]) * 64),
            _segment(0xC0, _frame_header()),
            _segment(0xC4, b"\x00" + _DC_LENGTHS + bytes(range(12))[: sum(_DC_LENGTHS)]),
            _segment(0xC4, b"\x10" + _AC_LENGTHS + b"\0"),
            _segment(0xDA, b"\x03\x01\0\x02\0\x03\0\0\x3f\0"),
            _entropy_coded("".join(bits)),
            b"\xff\xd9",
        )
    )


def _difference(value: int) -> str:
    """Encode a DC difference: the code of its size, then its bits."""
    size = abs(value).bit_length()
    if not size:
        return _DC_CODES[0]
    return _DC_CODES[size] + f"{value if value > 0 else value + (1 << size) - 1:0{size}b}"


def _frame_header() -> bytes:
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    return b"\x08" + HEIGHT.to_bytes(2, "big") + WIDTH.to_bytes(2, "big") + b"\x03" + components


def _entropy_coded(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return coded.replace(b"\xff", b"\xff\0")


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body
