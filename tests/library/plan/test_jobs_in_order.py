"""The queue of downloads: its order, and its totals without a look at every job."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptpfast.library.plan import jobs as jobs_module
from ptpfast.library.plan.jobs import LISTED_BEFORE, NEW, NEW_AND_FIRST, Job, Jobs
from ptpfast.library.plan.room import Room
from ptpfast.ptp.objects import ObjectInfo

FREE = 1 << 40


def job(handle: int, *, size: int | None = 1, there: int = 0, rank: int = LISTED_BEFORE) -> Job:
    info = ObjectInfo(handle, f"{handle}.NEF", f"{handle}.NEF", size, 0x3801, None)
    return Job(info, Path(info.name), there=there, rank=rank)


JOBS = st.builds(
    job,
    st.integers(1, 1 << 31),
    size=st.none() | st.integers(0, 1 << 41),
    there=st.integers(0, 1 << 41),
    rank=st.sampled_from((NEW_AND_FIRST, NEW, LISTED_BEFORE)),
)


@given(steps=st.lists(st.tuples(st.sampled_from(("append", "first", "take", "all")), JOBS)))
def test_order_and_totals_are_those_of_a_plain_list(steps: list[tuple[str, Job]]) -> None:
    queue, plain = Jobs(), []
    for step, each in steps:
        if step == "append":
            queue.append(each)
            plain.append(each)
        elif step == "first":
            queue.extend([each], first=True)
            plain.insert(0, each)
        elif step == "take" and plain:
            assert queue.take() is plain.pop(0)
        elif step == "all":
            assert all(a is b for a, b in zip(queue.take_all(), plain, strict=True))
            plain = []
        plain.sort(key=lambda each: each.rank)
        assert all(a is b for a, b in zip(queue, plain, strict=True))
        assert len(queue) == len(plain)
        assert queue.room == sum(each.room for each in plain)
        assert queue.size == sum(each.size for each in plain)
        assert list(queue.new()) == [each for each in plain if each.rank < LISTED_BEFORE]


def test_several_jobs_put_first_keep_their_order() -> None:
    queue = Jobs([job(1), job(2)])
    queue.extend([job(3), job(4)], first=True)
    assert [each.info.handle for each in queue] == [3, 4, 1, 2]


def test_taking_from_an_empty_queue_is_an_error() -> None:
    with pytest.raises(IndexError):
        Jobs().take()


class Uncounted(Jobs):
    def __iter__(self) -> Iterator[Job]:
        raise AssertionError("all jobs are looked at")

    def take_all(self) -> list[Job]:
        raise AssertionError("all jobs are looked at")


@dataclasses.dataclass
class Disk:
    path: Path
    free: int

    def free_space(self) -> int:
        return self.free


def test_where_all_fits_no_piece_of_a_listing_looks_at_every_job() -> None:
    queue, room = Uncounted(), Room(Disk(Path("in"), FREE))  # type: ignore[arg-type]
    for handle in range(1, 100):
        queue.append(job(handle, size=1000))
        assert not room.is_short_for(queue)
        room.keep_to(queue)
    assert queue.room == 99 * jobs_module.on_disk(1000)


def test_copies_on_the_same_disk_count_in_full() -> None:
    half_there = job(1, size=1 << 20, there=1 << 19)
    twice = Room(Disk(Path("in"), (1 << 20) + (3 << 19)), times=2)  # type: ignore[arg-type]
    assert not twice.is_short_for(Jobs([half_there]))
    assert twice.is_short_for(Jobs([half_there, job(2)]))
