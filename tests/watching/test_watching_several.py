"""`watch` of several cameras into one folder, and into a destination at a URL."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from command_line import at
from conftest import PATIENT, Cameras, Sessions
from ptpfast import SinkError
from ptpfast.library.plan.names import Together
from ptpfast.library.remote import target as target_module
from ptpfast.sim import SimulatedCamera
from remote_folders import Faulty, faulty
from watched import Statuses, assert_each_once, contents, files_in, hurried, start, take

URL = "faulty://card/today"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch)
    monkeypatch.setattr(target_module, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(target_module, "LONGEST_PAUSE_S", 0.002)


@pytest.fixture
def there() -> Iterator[type[Faulty]]:
    with faulty() as kind:
        yield kind


def two(camera: Cameras, **options: Any) -> list[SimulatedCamera]:
    """Two cameras whose files have the same names."""
    return [camera(objects=4, seed=seed, **options) for seed in (1, 2)]


def begin(sims: list[SimulatedCamera], place: Path | str, **options: Any) -> ptpfast.Watch:
    return ptpfast.watch([at(sim) for sim in sims], place, timeouts=PATIENT, **options)


def shots_of(folder: Path) -> Counter[str]:
    """How many files each shot has, by the stem of their names."""
    return Counter(path.stem for path in files_in(folder))


def test_shots_of_two_cameras_arrive_with_names_of_their_own(
    camera: Cameras, tmp_path: Path
) -> None:
    sims = two(camera)
    with begin(sims, tmp_path) as shots:
        taken = take(shots, 8)
        for number in range(6):
            sims[number % 2].capture()
            taken += take(shots, 2)
        assert shots.status.files == 20
        assert sorted(status.files for status in shots.statuses) == [10, 10]
        assert [status.camera for status in shots.statuses] == [at(sim) for sim in sims]
    assert Counter(result.camera for result in taken) == {at(sim): 10 for sim in sims}
    assert_each_once(tmp_path, contents(sims[0]) + contents(sims[1]))


def test_files_of_one_shot_keep_one_number_beside_another_camera(
    camera: Cameras, tmp_path: Path
) -> None:
    sims = two(camera)
    with begin(sims, tmp_path) as shots:
        take(shots, 8)
    by_bytes = {path.read_bytes(): path for path in files_in(tmp_path)}
    for sim in sims:
        raw, jpeg, *_ = contents(sim)
        assert by_bytes[raw].stem == by_bytes[jpeg].stem
    assert set(shots_of(tmp_path).values()) == {2}


def test_camera_that_is_away_does_not_hold_the_others_up(camera: Cameras, tmp_path: Path) -> None:
    sims, statuses = two(camera), Statuses()
    with begin(sims, tmp_path, on_status=statuses) as shots:
        take(shots, 8)
        sims[0].close()
        statuses.wait_for("away")
        assert shots.status.state == "away"
        assert shots.status.camera == at(sims[0])
        sims[1].capture()
        assert {result.camera for result in take(shots, 2)} == {at(sims[1])}
    assert len(files_in(tmp_path)) == 10


def test_what_ends_one_watch_ends_that_of_all(camera: Cameras, tmp_path: Path) -> None:
    sims = two(camera)
    with begin(sims, tmp_path / "in") as shots:
        take(shots, 8)
        (tmp_path / "in").rename(tmp_path / "gone")
        (tmp_path / "in").write_text("a file")
        sims[0].capture()
        with pytest.raises(SinkError):
            next(shots)
        assert next(shots, None) is None


@pytest.mark.parametrize(
    ("cameras", "match"),
    [([], "at least one"), (["127.0.0.1:9", "127.0.0.1:9"], "given twice")],
)
def test_no_camera_and_the_same_twice_are_refused(
    tmp_path: Path, cameras: list[str], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        ptpfast.watch(cameras, tmp_path / "in")


def test_runs_beside_each_other_share_their_names_until_they_end() -> None:
    runs, folder = Together(), Path("in")
    with runs.names() as one:
        one.of(folder).taken.add("a.nef")
        one.owners[folder, "a", 0] = shot = object()
        with runs.names() as other:
            assert "a.nef" in other.of(folder).taken
            assert "a.nef" not in other.of(Path("elsewhere")).taken
            assert other.owner((folder, "a", 0)) is shot
            other.of(folder).claimed.add("b.nef")
            assert "b.nef" in one.of(folder).claimed
        assert "b.nef" not in one.of(folder).claimed
    with runs.names() as next_one:
        assert "a.nef" not in next_one.of(folder).taken
        assert next_one.owner((folder, "a", 0)) is None


def test_shots_arrive_at_a_url_each_once(
    camera: Cameras, connect: Sessions, there: type[Faulty]
) -> None:
    sim, statuses = camera(objects=2), Statuses()
    with start(connect(sim), URL, on_status=statuses) as shots:  # type: ignore[arg-type]
        take(shots, 2)
        sim.capture()
        assert [str(each.path).rpartition("/")[0] for each in take(shots, 2)] == [URL] * 2
        sim.drop_connections()
        statuses.wait_for("away")
        sim.capture()
        take(shots, 2)
    assert sorted(there().files().values()) == sorted(contents(sim))


def test_destination_that_comes_back_is_waited_for(
    camera: Cameras, connect: Sessions, there: type[Faulty]
) -> None:
    sim, statuses = camera(objects=2), Statuses()

    def lost(doing: str, path: str) -> None:
        raise ConnectionResetError(errno.ECONNRESET, "the server went away")

    with start(connect(sim), URL, on_status=statuses) as shots:  # type: ignore[arg-type]
        take(shots, 2)
        statuses.wait_for("watching")
        there.hook = staticmethod(lost)
        sim.capture()
        statuses.wait_for("no destination")
        there.hook = staticmethod(lambda doing, path: None)
        assert len(take(shots, 2)) == 2
    assert sorted(there().files().values()) == sorted(contents(sim))


def test_destination_that_was_never_there_ends_the_watch(
    camera: Cameras, connect: Sessions, there: type[Faulty]
) -> None:
    def lost(doing: str, path: str) -> None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody is there")

    there.hook = staticmethod(lost)
    with start(connect(camera()), URL) as shots, pytest.raises(SinkError):  # type: ignore[arg-type]
        next(shots)
    with pytest.raises(ValueError, match="copies needs a folder"):
        ptpfast.watch("127.0.0.1:9", URL, copies="here")
