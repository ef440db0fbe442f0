"""Arguments that take several values take one alone, and what cannot be meant is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import PATIENT, Cameras, Sessions
from copied import contents, on_card, run
from ptpfast import ObjectFormat, OperationCode, Report, pull
from ptpfast.library.plan.selection import Selection
from ptpfast.sim import Fault, SimulatedCamera


def fetch(camera: SimulatedCamera, folder: Path, **options: Any) -> Report:
    return pull(f"{camera.host}:{camera.port}", folder, timeouts=PATIENT, **options)


# One value alone


@pytest.mark.parametrize(
    "options",
    [
        {"include": "*.JPG"},
        {"include": iter(["*.JPG"])},
        {"exclude": "*.DNG"},
        {"formats": "jpeg"},
        {"formats": {"jpeg"}},
    ],
    ids=["glob", "generator", "glob to leave out", "kind", "set"],
)
def test_one_text_means_what_a_list_of_it_means(
    camera: Cameras, tmp_path: Path, options: dict[str, Any]
) -> None:
    sim = camera(objects=4)
    report = fetch(sim, tmp_path, delete_verified=True, **options)
    assert (report.downloaded, report.deleted) == (2, 2)
    assert sorted(on_card(sim)) == ["IMG_0001.DNG", "IMG_0002.DNG"]


@pytest.mark.parametrize("as_path", [str, Path])
def test_one_folder_for_copies_is_one_folder(camera: Cameras, tmp_path: Path, as_path: Any) -> None:
    main, copy = tmp_path / "main", tmp_path / "copy"
    assert fetch(camera(objects=2), main, copies=as_path(copy)).copies("stored") == 2
    assert contents(main) == contents(copy)


def test_a_selection_takes_one_text() -> None:
    one = Selection("raw", "*.NEF", "*_1*")
    assert one == Selection(["raw"], ("*.NEF",), ["*_1*"])


def test_one_object_or_handle_stands_for_a_list_of_it(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera(objects=4))
    table = session.objects(formats="raw")
    assert {info.kind for info in table} == {"raw"}
    assert len(session.objects(formats=ObjectFormat.EXIF_JPEG)) == 2
    assert len(session.objects(formats="all")) == 4
    first = table[0]
    assert session.describe(first.handle, formats="raw").names == [first.name]
    assert session.describe(table.handle).names == table.names
    assert session.describe(iter(table.handle)).names == table.names
    for one in (first, first.handle, np.uint32(first.handle)):
        assert [handle for handle, _ in session.thumbnails(one)] == [first.handle]
    assert session.download(first, tmp_path / "a").size == first.size


def test_a_simulated_camera_takes_one_fault_and_one_operation() -> None:
    for fault in ("busy on GetObject", Fault("busy", operation=OperationCode.GetObject)):
        with SimulatedCamera(objects=1, faults=fault, withheld=OperationCode.GetThumb) as sim:
            assert [str(each) for each in sim.faults] == ["busy on GetObject"]
            assert OperationCode.GetThumb not in sim.body.operations_supported


# What cannot be meant

NEVER = {
    "no glob": {"include": ""},
    "no glob in a list": {"include": ["*.JPG", ""]},
    "none to include": {"include": []},
    "a generator of none": {"include": iter(())},
    "blank": {"include": " "},
    "a glob with a line break": {"exclude": "*.DNG\n"},
    "nothing to exclude": {"exclude": ""},
    "bytes": {"include": b"*.JPG"},
    "a number": {"include": 3},
    "a dict": {"include": {"*.JPG": True}},
    "None in a list": {"include": ["*.JPG", None]},
    "bytes in a list": {"exclude": [b"*.DNG"]},
    "lists in a list": {"exclude": [["*.DNG"]]},
    "no format": {"formats": []},
    "an empty format": {"formats": ""},
    "None for formats": {"formats": None},
    "an unknown format": {"formats": "nef"},
    "an unknown format in a list": {"formats": ["raw", "nef"]},
    "letters of a format": {"formats": list("raw")},
    "no folder": {"copies": ""},
    "no folder in a list": {"copies": [""]},
    "bytes for a folder": {"copies": [b"copy"]},
    "a number for a folder": {"copies": 1},
    "None for a folder": {"copies": [None]},
    "a text that is no date": {"since": "1 November"},
    "a number for a date": {"until": 2026},
    "no manifest": {"manifest": ""},
    "a number for a manifest": {"manifest": 1},
    "a text for a switch": {"delete_verified": "no"},
    "a number for a switch": {"delete_verified": 1},
    "nothing for a switch": {"delete_verified": None},
    "a number for a dry run": {"dry_run": 0},
    "a text for resume": {"resume": "false"},
    "a number for index": {"index": 1},
}


@pytest.mark.parametrize("case", NEVER)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    camera: Cameras, tmp_path: Path, case: str
) -> None:
    sim = camera(objects=2)
    options = {"delete_verified": True} | NEVER[case]
    with pytest.raises((TypeError, ValueError)) as raised:
        fetch(sim, tmp_path / "new", **options)
    (name,) = NEVER[case]
    assert name in str(raised.value) or name.removesuffix("s") in str(raised.value)
    assert not sim.operations
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", ["", " ", b"new", None, 3])
def test_a_destination_is_a_path(camera: Cameras, to: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="destination"):
        fetch(camera(), to)


def test_listings_refuse_what_no_object_can_be(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera(objects=2))
    for formats in (["nef"], "nef", [], "", b"raw", [None], [True], 1.5, {"raw": 1}):
        with pytest.raises((TypeError, ValueError), match="format"):
            session.objects(formats=formats)  # type: ignore[arg-type]
    for handles in ("0x40003", b"abc", None, 1.5, [None], ["1"], [True], {}):
        with pytest.raises(TypeError, match="handle"):
            session.describe(handles)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="handle"):
            list(session.thumbnails(handles))  # type: ignore[arg-type]


def test_a_simulated_camera_refuses_what_is_no_fault_or_operation() -> None:
    for faults in (None, 3, b"busy", [None], {"busy": 1}):
        with pytest.raises(TypeError, match="faults"):
            SimulatedCamera(faults=faults)  # type: ignore[arg-type]
    for withheld in (None, "GetThumb", [None], ["GetThumb"]):
        with pytest.raises(TypeError, match="withheld"):
            SimulatedCamera(withheld=withheld)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["--include", "--exclude"])
@pytest.mark.parametrize("glob", ["", " ", "*.DNG\n"])
def test_the_command_line_refuses_a_glob_that_fits_nothing(
    camera: Cameras, tmp_path: Path, option: str, glob: str
) -> None:
    sim = camera(objects=2)
    result = run(sim, tmp_path, option, glob, "--delete-verified")
    assert result.exit_code == 2
    assert option in result.stderr
    assert not sim.operations
