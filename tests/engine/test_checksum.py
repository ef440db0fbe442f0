"""The checksum that a file sink takes of what it writes, and how it is taken back to a mark."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import checksum_oracle
from pouring import pour
from ptpfast import FileSink
from ptpfast.engine.sink import Checksum

CONTENT = hashlib.shake_128(b"checksum").digest(5000)


def taken(content: bytes) -> str:
    checksum = Checksum()
    checksum.update(content)
    return checksum.hexdigest()


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1023, 1024, 1025, 4099])
def test_it_is_what_plain_python_makes_of_the_bytes(size: int) -> None:
    assert taken(CONTENT[:size]) == checksum_oracle.checksum(CONTENT[:size])


@given(st.binary(max_size=3000), st.lists(st.integers(0, 400), max_size=20), st.integers(0, 7))
def test_it_does_not_depend_on_pieces_and_alignment(
    content: bytes, sizes: list[int], shift: int
) -> None:
    checksum, at = Checksum(), 0
    shifted = memoryview(bytes(shift) + content)[shift:]
    for size in [*sizes, len(content)]:
        checksum.update(shifted[at : at + size])
        at += size
    assert checksum.size == len(content)
    assert checksum.hexdigest() == taken(content) == checksum_oracle.checksum(content)


def test_every_bit_and_every_missing_block_shows() -> None:
    content = bytes(3000)
    seen = {taken(content)}
    for bit in range(0, 8 * len(content), 5):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        seen.add(taken(changed))
    assert len(seen) == 1 + len(range(0, 8 * len(content), 5))
    assert len({taken(bytes(size)) for size in range(2000)}) == 2000  # zeros count, too
    swapped = CONTENT[64:128] + CONTENT[:64] + CONTENT[128:]
    assert taken(swapped) != taken(CONTENT)


def test_two_changes_do_not_hide_each_other() -> None:
    original = taken(CONTENT)
    for one, other in itertools.combinations(range(16), 2):  # stripes of one block, the same word
        for bit in range(64):
            changed = bytearray(CONTENT)
            for stripe in (one, other):
                changed[64 * stripe + bit // 8] ^= 1 << bit % 8
            assert taken(changed) != original


@pytest.mark.parametrize("size", [8, 64, 512, 1024, 2048])
def test_blocks_that_have_changed_places_show(size: int) -> None:
    blocks = [CONTENT[at : at + size] for at in range(0, 4096, size)]
    for i in range(len(blocks) - 1):
        swapped = [*blocks[:i], blocks[i + 1], blocks[i], *blocks[i + 2 :]]
        assert taken(b"".join(swapped)) != taken(CONTENT[:4096])


def test_sectors_that_differ_little_and_have_changed_places_show() -> None:
    for bit in range(64):
        for stripe in range(8):
            one, other = bytearray(512), bytearray(512)
            other[64 * stripe + bit // 8] = 1 << bit % 8
            assert taken(bytes(one + other)) != taken(bytes(other + one))
        one[:64], other[:64] = CONTENT[:64], CONTENT[64:128]
        one[64:128], other[64:128] = CONTENT[64:128], CONTENT[:64]
        assert taken(bytes(one + other)) != taken(bytes(other + one))


@pytest.mark.parametrize("stripe", range(8))
@pytest.mark.parametrize("apart", [1, 2, 8])
def test_numbers_of_sectors_that_have_changed_places_show(stripe: int, apart: int) -> None:
    at = 64 * stripe
    for word in (255, 510, 1 << 63, 0x5555 << 48, (1 << 64) // 257, 0x3333333333333333, 1):
        one = bytearray(512 * (apart + 1))
        other = bytearray(one)
        to = at + 512 * apart
        one[at : at + 8] = other[to : to + 8] = word.to_bytes(8, "little")
        assert taken(bytes(one)) != taken(bytes(other))


def test_a_copy_goes_its_own_way() -> None:
    checksum = Checksum()
    checksum.update(CONTENT[:100])
    copy = checksum.copy()
    copy.update(CONTENT[100:])
    assert checksum.hexdigest() == taken(CONTENT[:100])
    assert copy.hexdigest() == taken(CONTENT)


def test_a_file_is_read_on_from_where_the_checksum_is(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    checksum = Checksum()
    with (tmp_path / "x").open("rb") as file:
        assert checksum.read(file.fileno(), 1234) == 1234
        assert checksum.hexdigest() == taken(CONTENT[:1234])
        assert checksum.read(file.fileno(), 1 << 40) == len(CONTENT)
    assert checksum.hexdigest() == taken(CONTENT)
    with pytest.raises(OSError, match="Bad file descriptor"):
        checksum.read(-1, 1 << 40)


@pytest.mark.parametrize("piece", [7, 64, 5000])
def test_a_sink_adds_what_it_writes(tmp_path: Path, piece: int) -> None:
    checksum = Checksum()
    sink = FileSink(tmp_path / "x", checksum=checksum)
    pour(sink, CONTENT, piece=piece)
    sink.finish()
    assert checksum.hexdigest() == taken(CONTENT)


def test_what_came_after_a_mark_is_taken_back_from_file_and_checksum(tmp_path: Path) -> None:
    checksum = Checksum()
    sink = FileSink(tmp_path / "x", checksum=checksum)
    pour(sink, CONTENT[:1000])
    sink.mark()
    for _ in range(2):  # as often as need be
        pour(sink, b"what does not belong there")
        sink.rewind(1000)
    pour(sink, CONTENT[1000:])
    sink.finish()
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert checksum.hexdigest() == taken(CONTENT)


def test_nothing_is_taken_back_to_where_no_mark_is(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "x", checksum=Checksum())
    pour(sink, CONTENT[:1000])
    sink.mark()
    pour(sink, CONTENT[1000:])
    with pytest.raises(ValueError, match="taken back"):
        sink.rewind(999)
    assert os.path.getsize(tmp_path / "x") == len(CONTENT)
    sink.rewind(len(CONTENT))
    sink.finish()


def test_a_checksum_of_other_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="checksum is of 0 bytes, not of 10"):
        FileSink(tmp_path / "x", offset=10, checksum=Checksum())
