"""A camera's names: whatever they are, they become names of the destination, each its own."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from fuzz import targets
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import PATIENT, Cameras
from ptpfast import Report, pull
from ptpfast.library.plan.folder import Folder
from ptpfast.library.plan.naming import (
    MAX_NAME_BYTES,
    base_name,
    local_name,
    numbered,
    numbered_bases,
)
from ptpfast.ownership.names import JOURNAL_SUFFIX, PART_SUFFIX, same_name
from ptpfast.sim import SimulatedCamera, Store

PIECES = [targets.text_of(bytes([number])) for number in range(128)]
any_name = st.text(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def fetch(camera: SimulatedCamera, destination: Path) -> Report:
    return pull(f"{camera.host}:{camera.port}", destination, timeouts=PATIENT)


def assert_each_is_its_own(camera: SimulatedCamera, report: Report) -> None:
    """Every object of the camera is in a file of its own, whole."""
    paths = {result.handle: result.path for result in report.having("downloaded")}
    stored = camera.store.files()
    assert sorted(paths) == sorted(one.handle for one in stored)
    assert len({same_name(path.name) for path in paths.values() if path}) == len(stored)
    for one in stored:
        path = paths[one.handle]
        assert path is not None
        expected = b"".join(camera.store.expected(one.handle).spans(0, one.size))
        assert path.read_bytes() == expected


@settings(max_examples=500, deadline=None)
@given(any_name)
@example("a" * 230 + ".part" + "x" * 40)
@example("con" + " " * 300 + "x")
@example("a.part" + "\u3000" * 100)
@example("NUL" + ".part.json" * 27)
@example("a" * 230 + ".part" + "\u3164" * 4)
@example("a" * 100 + "\u612e" + "\u6100" * 25 + "_" + "a" * 39 + ".partx\uff78\u61ff\u6100\u6100")
def test_any_name_becomes_one_safe_component_that_stays_as_it_is(name: str) -> None:
    targets.check_name(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # What a cut leaves is looked at like a name that came so.
        ("a" * 230 + ".part" + "x" * 40, "a" * 230 + ".par_"),
        ("a" * 225 + ".part.json" + "x" * 40, "a" * 225 + ".part.jso_"),
        ("con" + " " * 300 + "x", "_con"),
        ("a.pa\ufe0frt", "a.pa\ufe0frt_"),
    ],
    ids=["part file", "journal", "device", "unseen letter"],
)
def test_a_name_that_is_cut_is_none_of_our_own_nor_a_device(name: str, expected: str) -> None:
    assert local_name(name) == expected
    assert len(expected.encode()) <= MAX_NAME_BYTES


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IMG.JPG", "img.jpg"),
        ("caf\u00e9.JPG", "cafe\u0301.JPG"),
        ("\u212a.JPG", "k.JPG"),
        ("stra\u00dfe.JPG", "STRASSE.JPG"),
        ("a\u1100\u1161.JPG", "a\uac00.JPG"),
        ("\u0345\u0391.JPG", "\u0345\u03b1.JPG"),
        # Left out where ext4 and HFS+ compare names.
        ("a\ufe0f.JPG", "a.JPG"),
        ("a\u3164.JPG", "A.JPG"),
        ("a\u034f.JPG", "a.JPG"),
    ],
)
def test_names_some_filesystem_takes_for_the_same_go_into_two_files(
    camera: Cameras, tmp_path: Path, one: str, other: str
) -> None:
    store = Store()
    store.add(one, 1000)
    store.add(other, 2000)
    sim = camera(store=store)
    assert_each_is_its_own(sim, fetch(sim, tmp_path))
    assert len({same_name(name) for name in os.listdir(tmp_path)}) == 2


def test_no_object_is_written_over_the_part_file_of_another(
    camera: Cameras, tmp_path: Path
) -> None:
    store = Store()
    for suffix in (PART_SUFFIX, JOURNAL_SUFFIX):
        store.add("b" + suffix, 1000)
        longest = suffix.rjust(MAX_NAME_BYTES, "a")
        # As it is cut, it would be a name of ours; it comes first, so that it would be lost.
        store.add(longest + "x" * 19, 3000, captured=datetime(2020, 1, 1))
        store.add(longest.removesuffix(suffix), 2000)
    store.add("b", 2000)
    sim = camera(store=store)
    assert_each_is_its_own(sim, fetch(sim, tmp_path))


def test_a_name_in_the_folder_that_is_no_text_disturbs_nothing(
    camera: Cameras, tmp_path: Path
) -> None:
    for name in (b"x.\xff", b"\xff-1.NEF", b"\xed\xa0\x80"):
        try:
            (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(b"")
        except OSError:
            pytest.skip("this filesystem takes names of UTF-8 only")
    sim = camera(objects=2, size=1000)
    assert_each_is_its_own(sim, fetch(sim, tmp_path))
    Folder(tmp_path)
    assert fetch(sim, tmp_path).skipped == 2


def test_a_number_behind_a_long_name_comes_off_again_though_its_end_looks_like_an_extension() -> (
    None
):
    name = local_name("n" * 217 + ".part\uff78\u61ff\u6100\u6100")
    assert base_name(numbered(name, 7)) is not None


def test_a_number_is_found_again_behind_a_name_that_only_looks_as_if_it_had_an_extension() -> None:
    for size in range(190, 240):
        made = local_name("a" * size + ".a-31.b_.aa-10. _-7-1..a_")
        assert base_name(numbered(made, 7)) in numbered_bases(made)
