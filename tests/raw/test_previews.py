"""Previews in RAW files: which one is found, what is read for it, and files that lie."""

from __future__ import annotations

import random
import struct

import pytest

from ptpfast.raw import find_preview
from ptpfast.raw.ranges import BLOCK, MOST_BLOCKS
from raw_files import KINDS, Made, cr2, cr3, directory, jpeg, nef, place

KIND = pytest.mark.parametrize("kind", KINDS)


class Reader:
    """A file, and what was read of it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.reads: list[tuple[int, int]] = []

    def __call__(self, offset: int, size: int) -> bytes:
        assert 0 <= offset < offset + size <= len(self.content)
        self.reads.append((offset, size))
        return self.content[offset : offset + size]


def found_in(content: bytes) -> bytes | None:
    preview = find_preview(Reader(content), len(content))
    return None if preview is None else content[preview.offset : preview.offset + preview.size]


@KIND
def test_the_largest_picture_that_can_be_shown_is_found(kind: str) -> None:
    made: Made = KINDS[kind]()
    assert found_in(made.content) == made.preview


@KIND
def test_a_few_blocks_are_read_and_each_of_them_once(kind: str) -> None:
    content = KINDS[kind]().content
    reader = Reader(content)
    find_preview(reader, len(content))
    assert len(reader.reads) <= 4
    assert len(set(reader.reads)) == len(reader.reads)


def test_without_the_large_picture_the_small_one_is_found() -> None:
    content = cr3().content.replace(b"moov", b"free", 1)
    found = found_in(content)
    assert found is not None
    assert len(found) == 20_000


def test_raw_values_in_a_lossless_jpeg_are_no_preview() -> None:
    made = cr2()
    assert found_in(made.content.replace(b"\xff\xc0", b"\xff\xc3", 1)) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"II", b"II*\0", bytes(100), jpeg(5000), b"MM\0*" + b"\xff" * 100, b"\0\0\0\x08ftyp"],
)
def test_files_without_a_preview_have_none(content: bytes) -> None:
    assert found_in(content) is None


def test_directories_in_a_circle_come_to_an_end() -> None:
    parts = {
        0: b"II" + struct.pack("<HI", 42, 8),
        8: directory("<", [(0x14A, 4, 1, 8)], 100),
        100: directory("<", [], 8),
    }
    assert found_in(place(parts, 5000)) is None


def test_a_header_that_leads_everywhere_is_given_up() -> None:
    size = (MOST_BLOCKS + 10) * BLOCK
    content = bytearray(size)
    content[:8] = b"II" + struct.pack("<HI", 42, 8)
    at = 8
    for number in range(1, MOST_BLOCKS + 10):
        following = number * BLOCK
        one = directory("<", [(0x14A, 4, 1, following)], following)
        content[at : at + len(one)] = one
        at = following
    reader = Reader(bytes(content))
    assert find_preview(reader, size) is None
    assert len(reader.reads) <= MOST_BLOCKS


@pytest.mark.parametrize("offset", [0, 899_000, 1 << 31, 0xFFFFFFFF])
def test_a_place_beyond_the_file_is_no_preview(offset: int) -> None:
    made = nef()
    wrong = made.content.replace(struct.pack("<I", 90_000), struct.pack("<I", offset))
    found = found_in(wrong)
    assert found is None or len(found) == 9_000


@KIND
@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_file_is_no_more_than_a_wrong_picture(kind: str, seed: int) -> None:
    random_ = random.Random(f"{kind} {seed}")
    content = bytearray(KINDS[kind]().content)
    for _ in range(random_.choice([1, 5, 50])):
        content[random_.randrange(3000)] = random_.randrange(256)
    cut = bytes(content[: random_.choice([len(content), 20_000, 3000, 100])])
    found = found_in(cut)
    assert found is None or found.startswith(b"\xff\xd8\xff")


@KIND
def test_a_file_that_is_shorter_than_it_says_has_no_wrong_preview(kind: str) -> None:
    made: Made = KINDS[kind]()
    # The camera says how long it is, and then sends less.
    found = find_preview(lambda offset, size: made.content[offset : offset + size][:100], 900_000)
    assert found is None or found.offset + found.size <= 900_000
