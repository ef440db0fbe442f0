"""Downloads begin while the listing goes on, and come out as if all had been listed before."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards import DATE, card, replaced
from conftest import Cameras, Sessions
from ptpfast import ObjectInfo, OperationCode, Report, SinkError, pull
from ptpfast.library.plan import folder as folder_module
from ptpfast.library.plan import plan
from ptpfast.library.plan.plan import PIECE
from ptpfast.library.plan.planning import ON_CONFLICT, Planner
from ptpfast.library.plan.tree import Tree
from ptpfast.library.report.observer import Observer
from ptpfast.library.report.results import Shortage
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.transfer import Download

INFO, LIST = OperationCode.GetObjectInfo, OperationCode.GetObjectPropList
READS = (OperationCode.GetObject, OperationCode.GetPartialObject)


def operations(camera: SimulatedCamera) -> list[str]:
    """What was asked for, `list` or `read`, in order."""
    return [
        "list" if row.operation == INFO else "read"
        for row in camera.log
        if row.operation in (INFO, *READS)
    ]


def assert_whole(camera: SimulatedCamera, report: Report) -> None:
    """Each object of the card is in one file that is that object, and no two share one."""
    paths = {result.handle: result.path for result in report.files if result.path is not None}
    for stored in camera.store.files():
        path = paths[stored.handle]
        expected = b"".join(camera.store.expected(stored.handle).spans(0, stored.size))
        assert path is not None
        assert path.read_bytes() == expected
    assert len(set(paths.values())) == len(paths)


# When


def test_downloads_begin_with_the_first_piece_and_go_on_between_the_others(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(200), withheld=[LIST])
    report = pull(connect(sim), tmp_path)
    assert report.ok
    assert_whole(sim, report)
    done = operations(sim)
    assert done.index("read") == PIECE
    assert done[: 3 * (PIECE + 1)] == [*["list"] * PIECE, "read"] * 3
    assert done.count("list") == 202


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_an_order_by_date_waits_for_the_whole_listing(
    camera: Cameras, connect: Sessions, tmp_path: Path, order: str
) -> None:
    sim = camera(store=card(150), withheld=[LIST])
    report = pull(connect(sim), tmp_path, order=order)
    assert_whole(sim, report)
    assert operations(sim).index("read") == 152
    dates = [result.object.captured for result in report.files if result.object]
    assert dates == sorted(dates, reverse=order == "newest")  # type: ignore[type-var]


def test_the_next_object_is_begun_early_only_when_no_listing_comes_between(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(store=card(100), withheld=[LIST])
    session = connect(sim)
    begun: list[tuple[bool, list[ObjectInfo]]] = []
    receive = Download.receive

    def spy(download: Download) -> None:
        begun.append((report_so_far.listed, download._then))
        receive(download)

    class Watch(Observer):
        def planned(self, report: Report, count: int, size: int) -> None:
            nonlocal report_so_far
            report_so_far = report

    report_so_far = Report(tmp_path)
    monkeypatch.setattr(Download, "receive", spy)
    pull(session, tmp_path, observer=Watch())
    assert [(listed, bool(then)) for listed, then in begun] == [
        (False, False),
        *[(True, True)] * 98,
        (True, False),
    ]


def test_totals_grow_and_are_true_in_the_end(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    planned: list[tuple[bool, int, int, int]] = []

    class Watch(Observer):
        def planned(self, report: Report, count: int, size: int) -> None:
            planned.append((report.listed, report.selected, count, size))

    sim = camera(store=card(150), withheld=[LIST])
    (tmp_path / "DSC_0003.NEF").write_bytes(b"another picture")
    report = pull(connect(sim), tmp_path, observer=Watch())
    assert [row[0] for row in planned] == [False, False, True]
    assert planned == sorted(planned)
    total = sum(stored.size for stored in sim.store.files())
    assert planned[-1] == (True, 150, 150, total)
    assert (report.selected, report.downloaded, report.bytes) == (150, 150, total)


def test_what_cannot_be_described_is_counted_whenever_it_comes(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    faults = [f"respond=0x2002 on GetObjectInfo handle {0x40001 + n} times 0" for n in (5, 140)]
    sim = camera(store=card(150), withheld=[LIST], faults=faults)
    report = pull(connect(sim), tmp_path)
    assert (report.objects, report.downloaded, report.failed) == (150, 148, 2)


def test_a_card_without_objects_is_planned_too(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    planned: list[bool] = []

    class Watch(Observer):
        def planned(self, report: Report, count: int, size: int) -> None:
            planned.append(report.listed)

    report = pull(connect(camera(store=Store())), tmp_path, observer=Watch())
    assert report.ok
    assert planned == [True]


def test_a_listing_that_breaks_off_leaves_what_was_fetched_and_is_gone_on_with(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(200), withheld=[LIST], faults=["drop on GetObjectInfo at 150"])
    with pytest.raises(OSError) as caught:
        pull(connect(sim), tmp_path, retry=0)
    assert caught.value.report.downloaded == 2  # type: ignore[attr-defined]
    before = sim.operations[INFO]
    report = pull(connect(sim), tmp_path)
    assert (report.downloaded, report.skipped) == (198, 2)
    assert_whole(sim, report)
    # What had been described is remembered; of that what is not here is compared, once each.
    assert sim.operations[INFO] - before <= 202 + 6


def test_a_disk_too_small_for_what_is_listed_later_is_told_then(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def free(_: object) -> int:
        return (1 << 20) + 4096 * (100 - len(os.listdir(tmp_path)))

    monkeypatch.setattr(folder_module.Folder, "free_space", free)
    told: list[tuple[int, int]] = []

    class Told(Observer):
        def short(self, shortage: Shortage) -> None:
            told.append((shortage.fit, len(os.listdir(tmp_path))))

    sim = camera(store=card(150), withheld=[LIST])
    with pytest.raises(SinkError, match=r"100 of 150 files fit; 50 files need 0\.1 MB") as caught:
        pull(connect(sim), tmp_path, observer=Told())
    assert told[-1] == (100, 2)  # while only a few files were here
    report: Report = caught.value.report  # type: ignore[attr-defined]
    assert report.downloaded == len(os.listdir(tmp_path)) == 100


# What


@pytest.mark.parametrize("policy", ON_CONFLICT)
def test_a_dry_run_says_what_the_run_then_does(
    camera: Cameras, connect: Sessions, tmp_path: Path, policy: str
) -> None:
    sim = camera(store=card(60, folders=3), withheld=[LIST])
    for number in (3, 7, 59):
        (tmp_path / f"DSC_{number:04d}.NEF").write_bytes(b"another picture")
    session = connect(sim)
    planned = pull(session, tmp_path, on_conflict=policy, dry_run=True)
    done = pull(session, tmp_path, on_conflict=policy)

    def outcome(report: Report) -> dict[int, tuple[str, Path | None]]:
        status = {"planned": "downloaded"}
        return {r.handle: (status.get(r.status, r.status), r.path) for r in report.files}

    assert outcome(planned) == outcome(done)


@pytest.mark.parametrize("known", [0, 40, 100])
def test_names_do_not_depend_on_what_was_known_before(
    camera: Cameras, connect: Sessions, tmp_path: Path, known: int
) -> None:
    store = Store()
    sim = camera(store=store, withheld=[LIST])
    whole = card(50, folders=3)
    for index, stored in enumerate(whole):
        if index == known and known:
            with connect(sim) as session:
                session.objects()
        if stored.content is None:
            store.add_folder(stored.name, parent=stored.parent)
        else:
            store.add(stored.name, stored.content, parent=stored.parent, captured=stored.captured)
    report = pull(connect(sim), tmp_path)
    assert_whole(sim, report)
    names = {result.handle: result.path.name for result in report.files if result.path}
    for stored in store.files():
        again = (stored.parent - 0x40002) // 51  # which of the folders
        tail = f"-{again}.NEF" if again else ".NEF"
        assert names[stored.handle] == stored.name.replace(".NEF", tail)


def info(handle: int, name: str, size: int, date: int) -> ObjectInfo:
    return ObjectInfo(handle, name, name, size, 0x3801, DATE + timedelta(days=date))


NAMES = ["A.JPG", "a.jpg", "A-1.JPG", "A-2.JPG", "A-1-1.JPG", "B.JPG", "B-1.JPG", "C.JPG"]
ROWS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, 2), st.integers(0, 1)), max_size=12
)


def outcome(
    folder: Path, policy: str, objects: Sequence[ObjectInfo], size: int
) -> dict[int, tuple[str, str]]:
    """What a planner does of objects that come `size` at a time: where each goes and why."""
    planner = Planner(Tree(folder), policy, lambda info, path, there: 0)
    decided = {}
    for at in range(0, max(1, len(objects)), size):
        last = at + size >= len(objects)
        for result in planner.add(objects[at : at + size], last=last):
            assert result.path is not None
            decided[result.handle] = (result.path.name, result.status)
    for job in planner.jobs:
        decided[job.info.handle] = (job.path.name, "replace" if job.overwrite else "fetch")
    assert planner.count == len(planner.jobs)
    assert planner.size == sum(job.info.size or 0 for job in planner.jobs)
    return decided


@settings(max_examples=200, deadline=None)
@given(on_card=ROWS, here=ROWS, policy=st.sampled_from(ON_CONFLICT))
def test_decisions_do_not_depend_on_how_many_objects_come_at_a_time(
    tmp_path_factory: pytest.TempPathFactory,
    on_card: list[tuple[str, int, int]],
    here: list[tuple[str, int, int]],
    policy: str,
) -> None:
    folder = tmp_path_factory.mktemp("folder")
    for name, size, date in here:
        (folder / name).write_bytes(bytes(size))
        moment = (DATE + timedelta(days=date)).timestamp()
        os.utime(folder / name, (moment, moment))
    objects = [info(handle, *row) for handle, row in enumerate(on_card)]
    whole = outcome(folder, policy, objects, max(1, len(objects)))
    assert len(whole) == len(objects)
    files = [name for name, status in whole.values() if status != "failed"]
    if policy in ("rename", "overwrite"):
        assert len(set(files)) == len(files)
    for size in (1, 2, 5):
        assert outcome(folder, policy, objects, size) == whole


# With an index


def read_before(camera: SimulatedCamera, connect: Sessions) -> None:
    with connect(camera) as session:
        session.objects()


def test_what_is_remembered_is_compared_a_piece_at_a_time_before_it_is_fetched(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(200), withheld=[LIST])
    read_before(sim, connect)
    sim.clear_log()
    report = pull(connect(sim), tmp_path)
    assert_whole(sim, report)
    done = operations(sim)
    assert done.index("read") <= PIECE + 6
    assert done.count("list") <= 200 + 6


def test_what_is_remembered_and_here_is_not_asked_for(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(200), withheld=[LIST])
    with connect(sim) as session:
        pull(session, tmp_path)
    sim.capture()
    sim.clear_log()
    report = pull(connect(sim), tmp_path)
    assert (report.downloaded, report.skipped) == (2, 200)
    assert_whole(sim, report)
    assert operations(sim).count("list") <= 6 + 4  # two folders are new


Wrong = Callable[[Store], None]


@pytest.fixture
def unlucky(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at again is always what is right."""
    monkeypatch.setattr("random.sample", lambda population, count: list(population)[:count])
    monkeypatch.setattr(plan, "PIECE", 8)


@pytest.mark.usefixtures("unlucky")
def test_a_wrong_memory_never_names_a_file(
    camera: Cameras, connect: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sim = camera(store=card(60), withheld=[LIST])
    read_before(sim, connect)
    replaced(sim.store, 30)
    report = pull(connect(sim), tmp_path)
    assert report.ok
    assert (report.selected, report.downloaded) == (60, 60)
    assert_whole(sim, report)
    assert (tmp_path / "NEW_30.NEF").exists()
    assert not (tmp_path / "DSC_0030.NEF").exists()
    assert "is outdated" in caplog.text


@pytest.mark.usefixtures("unlucky")
def test_what_was_believed_is_looked_at_again_when_the_memory_turns_out_wrong(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(60), withheld=[LIST])
    with connect(sim) as session:
        pull(session, tmp_path)
    replaced(sim.store, 20)  # believed to be the file that is here
    replaced(sim.store, 40)
    (tmp_path / "DSC_0040.NEF").unlink()  # so this one is about to be fetched, and compared
    report = pull(connect(sim), tmp_path)
    assert report.ok
    assert (report.selected, report.downloaded, report.skipped) == (60, 2, 58)
    assert report.remaining == 0
    assert_whole(sim, report)
    assert len([result for result in report.files if result.object]) == 60


@pytest.mark.usefixtures("unlucky")
def test_an_object_that_is_gone_by_the_time_it_is_compared_is_one_failure(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(60), withheld=[LIST])
    read_before(sim, connect)
    gone = sim.store.files()[30].handle
    sim.faults.add(f"respond=0x2009 on GetObjectInfo handle {gone} times 0")
    report = pull(connect(sim), tmp_path)
    assert (report.objects, report.downloaded, report.failed) == (60, 59, 1)
    assert report.having("failed")[0].handle == gone


@pytest.mark.usefixtures("unlucky")
def test_a_dry_run_is_not_misled_either(camera: Cameras, connect: Sessions, tmp_path: Path) -> None:
    sim = camera(store=card(60), withheld=[LIST])
    read_before(sim, connect)
    replaced(sim.store, 30)
    report = pull(connect(sim), tmp_path, dry_run=True)
    names = {result.path.name for result in report.files if result.path}
    assert "NEW_30.NEF" in names
    assert "DSC_0030.NEF" not in names
