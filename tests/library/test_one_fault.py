"""What is wrong with one object or one card does not end the run, nor hide the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

import ptpfast
from adversity import assert_right, expected_files, finished_files
from conftest import HASTY, Cameras, Sessions
from hasty import run
from ptpfast import ConnectionLost, PTPError, Unreadable
from ptpfast.link.losses import SAME_DESCRIPTION
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store

THIRD = 0x00040005  # the handle of the third file; two folders come before
HANGS_UP = "{} on GetObjectInfo handle 0x00040005 times 0"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


def records(result: Result, kind: str) -> Iterator[dict[str, object]]:
    for line in result.stdout.splitlines():
        if (record := json.loads(line))["type"] == kind:
            yield record


@pytest.mark.parametrize("depth", [1, 2, 8])
@pytest.mark.parametrize("kind", ["drop", "reset", "length=7", "no_answer", "black_hole", "drip"])
def test_an_object_whose_description_ends_the_connection_is_set_aside_by_its_handle(
    camera: Cameras, tmp_path: Path, kind: str, depth: int
) -> None:
    sim = camera(objects=6, size=1000, faults=[HANGS_UP.format(kind)])
    result = run(sim, "pull", tmp_path / "card", "--depth", depth)
    assert result.exit_code == 1, result.output
    assert "object 0x40005 failed" in result.stderr
    assert "5 files downloaded" in result.stdout
    assert_right(tmp_path / "card", expected_files(sim))
    assert len(finished_files(tmp_path / "card")) == 5
    # One more where the requests that had been sent ahead were suspected first.
    assert sim.connections <= 1 + SAME_DESCRIPTION + (depth > 1)


def test_several_such_objects_are_set_aside_each_however_few_tries_are_allowed(
    camera: Cameras, tmp_path: Path
) -> None:
    faults = [f"drop on GetObjectInfo handle 0x{THIRD + n:08X} times 0" for n in range(4)]
    sim = camera(objects=12, size=1000, faults=faults)
    result = run(sim, "pull", tmp_path / "card", "--retry", 1)
    assert result.exit_code == 1, result.output
    assert len(finished_files(tmp_path / "card")) == 8


def test_who_does_not_want_to_connect_again_is_not_connected_again(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=6, size=1000, faults=[HANGS_UP.format("drop")])
    result = run(sim, "pull", tmp_path / "card", "--retry", 0)
    assert result.exit_code == 3
    assert sim.connections == 1


@pytest.mark.parametrize("name", ["ls", "tune", "bench"])
def test_it_does_not_keep_other_commands_from_the_rest(camera: Cameras, name: str) -> None:
    sim = camera(objects=6, size=100_000, faults=[HANGS_UP.format("drop")])
    options = ["--budget", 1] if name == "bench" else []
    result = run(sim, name, *options)
    assert result.exit_code == (1 if name == "ls" else 0), result.output
    if name == "ls":
        assert len(result.stdout.splitlines()) == 5
        assert "0x00040005 cannot be described" in result.stderr


def test_a_size_that_ends_the_connection_when_it_is_asked_for_is_not_known(
    camera: Cameras,
) -> None:
    sim = camera(objects=2, size=1000)
    sim.faults.add("drop on GetObjectPropValue handle 0x00040005 times 0")
    for number in range(3):
        sim.store.add(f"MOVIE{number}.MOV", 5_000_000_000)
    result = run(sim, "ls", "--json")
    sizes = {record["name"]: record["size"] for record in records(result, "object")}
    assert [sizes[f"MOVIE{number}.MOV"] for number in range(3)] == [
        *(None, 5_000_000_000, 5_000_000_000)
    ]


def test_a_card_that_ends_the_connection_when_it_describes_itself_is_fetched(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=4, size=1000, faults=["drop on GetStorageInfo times 0"])
    assert run(sim, "pull", tmp_path / "card").exit_code == 0
    assert len(finished_files(tmp_path / "card")) == 4


def test_a_folder_outside_the_list_that_ends_the_connection_has_no_name_in_paths(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(
        objects=3,
        size=1000,
        faults=[
            "parent=0x77 on GetObjectInfo handle 0x00040003 times 0",
            "drop on GetObjectInfo handle 0x00000077 times 0",
        ],
    )
    assert run(sim, "pull", tmp_path / "card").exit_code == 0
    assert len(finished_files(tmp_path / "card")) == 3


def test_who_connects_again_by_himself_gets_beyond_it_too(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=6, size=1000, faults=[HANGS_UP.format("drop")])
    session = connect(sim, depth=1, timeouts=HASTY)
    for _ in range(SAME_DESCRIPTION):
        with pytest.raises(ConnectionLost):
            session.objects()
        session.reconnect()
    table = session.objects()
    assert len(table) == 5
    [(handle, error)] = table.failures
    assert handle == THIRD
    assert isinstance(error, Unreadable)


def test_a_thumbnail_that_ends_the_connection_is_one_error_in_the_end(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=6, size=10, faults=["drop on GetThumb handle 0x00040005 times 0"])
    session = connect(sim, depth=1, timeouts=HASTY)
    session.link.losses.recover = lambda error, _: session.link.reconnect_after(error)
    handles = [item.handle for item in sim.store.files()]
    found = dict(session.thumbnails(handles))
    assert [handle for handle in handles if isinstance(found[handle], PTPError)] == [THIRD]


def test_a_session_that_the_camera_has_lost_is_opened_again(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=4, size=1000)
    sim.faults.add("respond=0x2003 on GetObjectInfo at 3")
    sim.faults.add("respond=0x2003 on GetPartialObject at 2")
    result = run(sim, "pull", tmp_path / "card")
    assert result.exit_code == 0, result.output
    assert sim.connections == 3
    assert len(finished_files(tmp_path / "card")) == 4


# Storages


def two_cards(camera: Cameras, *faults: str) -> SimulatedCamera:
    return camera(store=Store.synthetic(8, 1000, storages=2), faults=faults)


def on_card(sim: SimulatedCamera, number: int) -> set[str]:
    return {item.name for item in sim.store.files() if item.storage_id >> 16 == number}


@pytest.mark.parametrize(
    "kind",
    ["respond=0x2013", "respond=0x2008", "respond=0x200F", "respond=0x2002", "cut_data=7", "drop"],
)
def test_a_card_that_cannot_be_listed_does_not_hide_the_other(
    camera: Cameras, tmp_path: Path, kind: str
) -> None:
    sim = two_cards(camera, f"{kind} on GetObjectHandles at 2 times 0")
    result = run(sim, "pull", tmp_path / "card", "--json")
    assert result.exit_code == 1, result.output
    assert {path.name for path in finished_files(tmp_path / "card")} == on_card(sim, 1)
    [summary] = records(result, "summary")
    assert summary["ok"] is False
    [storage] = summary["storages"]  # type: ignore[misc]
    assert storage["name"] == "card 2"
    assert "card 2" in result.stderr


def test_the_summary_and_ls_say_which_card_is_not_available(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = two_cards(camera, "respond=0x2013 on GetObjectHandles at 2 times 0")
    assert "card 2 not available" in run(sim, "pull", tmp_path / "card").stdout
    sim.faults.clear()
    sim.faults.add("respond=0x2013 on GetObjectHandles at 2 times 0")
    result = run(sim, "ls")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == len(on_card(sim, 1))
    assert "card 2: the camera refused to list the files" in result.stderr


def test_a_card_that_is_not_available_once_is_asked_again(camera: Cameras, tmp_path: Path) -> None:
    sim = two_cards(camera, "respond=0x2013 on GetObjectHandles at 1")
    assert run(sim, "pull", tmp_path / "card").exit_code == 0
    assert len(finished_files(tmp_path / "card")) == 8


def test_cards_that_can_all_not_be_listed_end_the_run(camera: Cameras, tmp_path: Path) -> None:
    sim = two_cards(camera, "respond=0x2013 on GetObjectHandles times 0")
    result = run(sim, "pull", tmp_path / "card")
    assert result.exit_code == 4
    assert "check the card" in result.stderr


@pytest.mark.parametrize("kind", ["cut_data=9", "long_array=1"])
def test_a_list_of_storages_that_is_always_cut_has_those_before_the_cut(
    camera: Cameras, tmp_path: Path, kind: str
) -> None:
    sim = two_cards(camera, f"{kind} on GetStorageIDs times 0")
    result = run(sim, "pull", tmp_path / "card")
    assert result.exit_code == 1, result.output
    expected = on_card(sim, 1) | (on_card(sim, 2) if kind == "long_array=1" else set())
    assert {path.name for path in finished_files(tmp_path / "card")} == expected
    assert "a further card" in result.stdout


def test_a_card_that_goes_during_a_run_does_not_end_it(camera: Cameras, tmp_path: Path) -> None:
    sim = two_cards(camera)
    gone = [item for item in sim.store.files() if item.storage_id >> 16 == 2][1:]
    for item in gone:
        sim.faults.add(f"respond=0x2013 on GetPartialObject handle 0x{item.handle:08X} times 0")
    sim.faults.add("respond=0x2013 on GetStorageInfo times 0")
    report = ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card")
    names = {path.name for path in finished_files(tmp_path / "card")}
    assert names == on_card(sim, 1) | on_card(sim, 2) - {item.name for item in gone}
    assert not report.ok
    assert [failure.name for failure in report.storages] == ["card 2"]
    assert report.failed == len(gone)
    # Twice for the first, as a camera says so too before it sleeps; and not for the others.
    asked = sum(sim.faults.fired.count(fault) for fault in sim.faults if fault.handle)
    assert asked == 2


def test_one_answer_that_there_is_no_card_is_one_object_while_the_card_is_there(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = two_cards(camera)
    handle = sim.store.files()[2].handle
    sim.faults.add(f"respond=0x2013 on GetPartialObject handle 0x{handle:08X} times 0")
    report = ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card")
    assert (report.downloaded, report.failed, report.storages) == (7, 1, [])


def test_info_tells_of_the_other_card_and_the_camera(camera: Cameras) -> None:
    sim = two_cards(camera, "drop on GetStorageInfo times 3")
    result = run(sim, "info")
    assert result.exit_code == 0, result.output
    assert "closes the connection" in result.stdout
    assert "CARD2" in result.stdout
