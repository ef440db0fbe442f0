"""How a preview is turned: the RAW file's word, unless the JPEG in it has its own."""

from __future__ import annotations

import io
import random
import struct

import pytest

import programs
from ptpfast.raw import find_preview, with_orientation
from ptpfast.raw.orientation import of_jpeg
from raw_files import KINDS, Made, cr3, directory, jpeg, nef

MADE = {
    "nef": lambda turned: nef(turned=turned),
    "nef-big": lambda turned: nef(">", turned),
    "cr3": lambda turned: cr3(turned),
}


def found_in(content: bytes) -> int:
    preview = find_preview(lambda offset, size: content[offset : offset + size], len(content))
    assert preview is not None
    return preview.orientation


def exif(*entries: tuple[int, int, int, int]) -> bytes:
    """A JPEG with an EXIF segment that has these entries."""
    body = b"Exif\0\0II" + struct.pack("<HI", 42, 8) + directory("<", list(entries))
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return b"\xff\xd8" + segment + jpeg(2000)[2:]


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("kind", MADE)
def test_the_orientation_of_the_raw_file_is_found(kind: str, turned: int) -> None:
    assert found_in(MADE[kind](turned).content) == turned


@pytest.mark.parametrize("turned", [0, 9, 255, 65535])
@pytest.mark.parametrize("kind", MADE)
def test_an_orientation_that_is_none_turns_nothing(kind: str, turned: int) -> None:
    assert found_in(MADE[kind](turned).content) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_orientation_a_picture_is_as_stored(kind: str) -> None:
    assert found_in(KINDS[kind]().content) == 1


@pytest.mark.parametrize("turned", range(2, 9))
def test_the_orientation_is_added_before_all_that_was_there(turned: int) -> None:
    before = jpeg(3000)
    after = with_orientation(before, turned)
    assert of_jpeg(after) == turned
    assert after[:2] == before[:2]
    assert after.endswith(before[2:])
    assert with_orientation(after, 1 + turned % 8) == after  # once is enough


def test_a_picture_as_stored_keeps_every_byte() -> None:
    assert with_orientation(jpeg(3000), 1) == jpeg(3000)


def test_the_own_orientation_of_a_jpeg_stays() -> None:
    upright = exif((0x112, 3, 1, 8))
    assert of_jpeg(upright) == 8
    assert with_orientation(upright, 6) == upright
    without = exif((0x10F, 2, 4, 0x41424344))
    assert of_jpeg(without) is None
    assert of_jpeg(with_orientation(without, 6)) == 6


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe1\0\0" * 500, b"\xff\xd8" * 99],
)
def test_bytes_that_are_no_jpeg_have_no_orientation(content: bytes) -> None:
    assert of_jpeg(content) is None


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_header_has_no_orientation_that_there_is_not(seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(exif((0x112, 3, 1, 6)))
    for _ in range(chance.choice([1, 3, 10])):
        content[chance.randrange(40)] = chance.randrange(256)
    assert of_jpeg(bytes(content)) in (None, *range(1, 9))
    made = bytearray(cr3(6).content)
    for _ in range(10):
        made[chance.randrange(1000)] = chance.randrange(256)
    found = find_preview(lambda offset, size: bytes(made[offset : offset + size]), len(made))
    assert found is None or found.orientation in range(1, 9)


@pytest.mark.parametrize("segments", [0, 1])
def test_another_program_reads_the_orientation_as_meant(segments: int) -> None:
    programs.module("PIL", "Pillow")
    from PIL import Image, ImageOps

    written = io.BytesIO()
    Image.new("RGB", (60, 40)).save(written, "JPEG")
    content = written.getvalue()
    for _ in range(segments):
        content = content[:2] + exif((0x10F, 2, 4, 0x41424344))[2:38] + content[2:]
    with Image.open(io.BytesIO(with_orientation(content, 6))) as image:
        assert image.getexif()[0x112] == 6
        assert ImageOps.exif_transpose(image).size == (40, 60)


def test_a_made_raw_file_has_the_same_preview_when_turned() -> None:
    plain, turned = nef(), nef(turned=6)
    assert isinstance(plain, Made)
    assert plain.preview == turned.preview
