"""The blocks of a file: their sizes, what is requested ahead, what is kept."""

from __future__ import annotations

import random
from concurrent.futures import Future
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptpfast.filesystem.blocks import AHEAD, FIRST_BLOCK, GROWTH, KEPT, LARGEST_BLOCK, Blocks

SIZE = 64 << 20


@cache
def content(size: int) -> bytes:
    return random.Random(1).randbytes(size)


class Source:
    """Answers requests at once, or when a test says so."""

    def __init__(self, size: int = SIZE, *, slow: bool = False) -> None:
        self.content = content(size)
        self.asked: list[tuple[int, int]] = []
        self.waiting: list[tuple[int, int, Future[Any]]] = []
        self.memories: list[bytearray] = []
        self.slow = slow
        self.error: Exception | None = None

    def request(self, start: int, size: int, memory: bytearray) -> Future[Any]:
        assert len(memory) == size
        self.memories.append(memory)
        self.asked.append((start, size))
        future: Future[Any] = Future()
        if self.error is not None:
            future.set_exception(self.error)
        elif self.slow:
            self.waiting.append((start, size, future))
        else:
            memory[:] = self.content[start : start + size]
            future.set_result(memory)
        return future

    def blocks(self, fixed: int | None = None, largest: int = LARGEST_BLOCK) -> Blocks:
        return Blocks(self.request, lambda: largest, len(self.content), fixed)


def test_a_look_into_a_header_asks_for_one_small_block() -> None:
    source = Source()
    blocks = source.blocks()
    assert blocks._fetch(0, 4) == source.content[:4]
    assert blocks._fetch(8, 1000) == source.content[8:1000]
    assert source.asked == [(0, FIRST_BLOCK)]


def test_reads_in_order_ask_for_larger_blocks_and_for_the_next_ones_ahead() -> None:
    source = Source()
    blocks = source.blocks()
    at = 0
    while at < 30 << 20:
        assert blocks._fetch(at, at + 100_000) == source.content[at : at + 100_000]
        at += 100_000
        ahead = [start for start, size in source.asked if start >= at]
        assert len(ahead) <= AHEAD + 1
    sizes = [size for _, size in source.asked]
    growing = [FIRST_BLOCK * GROWTH**step for step in range(3)]
    assert sizes[:5] == [*growing, LARGEST_BLOCK, LARGEST_BLOCK]
    starts = [start for start, _ in source.asked]
    assert starts == [sum(sizes[:n]) for n in range(len(sizes))]  # each byte once


def test_the_next_block_is_requested_before_the_caller_has_this_one() -> None:
    source = Source()
    blocks = source.blocks()
    blocks._fetch(0, 10)
    blocks._fetch(FIRST_BLOCK, FIRST_BLOCK + 1)
    assert len(source.asked) == 2 + AHEAD


def test_a_block_is_no_larger_than_the_chunk_of_the_session() -> None:
    source = Source()
    blocks = source.blocks(largest=64 << 10)
    assert blocks._fetch(0, SIZE) == source.content
    assert {size for _, size in source.asked} == {64 << 10}


def test_a_fixed_block_size_replaces_all_others() -> None:
    source = Source(1000)
    assert source.blocks(fixed=300)._fetch(10, 990) == source.content[10:990]
    assert source.asked == [(10, 300), (310, 300), (610, 300), (910, 90)]


def test_a_read_elsewhere_cancels_what_was_requested_ahead() -> None:
    source = Source()
    blocks = source.blocks()
    blocks._fetch(0, 1)
    source.slow = True
    blocks._end = FIRST_BLOCK
    blocks._row = 2
    blocks._fetch(1, 2)  # a second one in a row would ask ahead
    assert len(source.waiting) == AHEAD
    source.slow = False
    assert blocks._fetch(30 << 20, (30 << 20) + 5) == source.content[30 << 20 :][:5]
    assert all(future.cancelled() for _, _, future in source.waiting)


def test_memory_does_not_grow_with_the_file() -> None:
    source = Source()
    blocks = source.blocks()
    for at in range(0, SIZE, 1 << 20):
        blocks._fetch(at, at + 10)
        kept = sum(block.end - block.start for block in blocks._blocks)
        assert kept <= KEPT + LARGEST_BLOCK


def test_memory_of_forgotten_blocks_is_used_again_but_not_while_it_is_being_read() -> None:
    source = Source()
    blocks = source.blocks()
    for at in range(0, SIZE, 1 << 20):
        blocks._fetch(at, at + 10)
    assert len({id(memory) for memory in source.memories}) < len(source.asked)
    assert source.blocks()._fetch(0, SIZE) == source.content  # all blocks at once


def test_a_header_read_again_and_again_does_not_push_out_what_is_requested_ahead() -> None:
    source = Source()
    blocks = source.blocks()
    at = 0
    while at < SIZE:
        blocks._fetch(0, 4)
        at += len(blocks._fetch(at, min(at + 500_000, SIZE)))
    again = [row for row in source.asked if row[0] == 0]
    others = sum(size for start, size in source.asked if start)
    assert others <= SIZE
    assert len(again) == 1


def test_an_error_is_raised_where_its_bytes_are_read_and_asked_for_again() -> None:
    source = Source()
    blocks = source.blocks()
    source.error = OSError("gone")
    with pytest.raises(OSError, match="gone"):
        blocks._fetch(0, 10)
    source.error = None
    assert blocks._fetch(0, 10) == source.content[:10]


def test_a_block_cancelled_by_a_closed_session_is_asked_for_again() -> None:
    source = Source(slow=True)
    blocks = source.blocks()
    asked = blocks._request

    def request(start: int, size: int, memory: bytearray) -> Future[Any]:
        future = asked(start, size, memory)
        future.cancel()
        source.slow = False
        return future if len(source.asked) == 1 else asked(start, size, memory)

    blocks._request = request
    assert blocks._fetch(0, 10) == source.content[:10]


@settings(max_examples=60, deadline=None)
@given(
    reads=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 900)), max_size=12),
    fixed=st.sampled_from([None, 100, 256, 4000]),
    largest=st.sampled_from([90, 5000]),
)
def test_any_order_of_reads_gets_the_right_bytes(
    reads: list[tuple[int, int]], fixed: int | None, largest: int
) -> None:
    source = Source(2500)
    blocks = source.blocks(fixed, largest)
    for start, size in reads:
        expected = source.content[start : start + size]
        assert blocks._fetch(start, start + size) == expected
        buffer = bytearray(size)
        assert blocks.read_into(start, buffer) == len(expected)
        assert buffer[: len(expected)] == expected
