"""The public API is the one that is written down."""

from __future__ import annotations

import difflib
import warnings

import pytest

import draw_public_names
from ptpfast import logs
from ptpfast.metrics import METRICS


def test_the_public_names_are_those_that_are_written_down() -> None:
    written = draw_public_names.FILE.read_text(encoding="utf-8").splitlines()
    now = draw_public_names.drawn().splitlines()
    changes = list(difflib.unified_diff(written, now, "written down", "now", lineterm="", n=0))
    text = "\n".join(changes)
    assert not changes, f"run `python tests/draw_public_names.py` if this is meant:\n{text}"


def test_every_public_class_is_drawn_with_its_members() -> None:
    written = draw_public_names.FILE.read_text(encoding="utf-8")
    for line in (
        "class ptpfast.Session()",
        "    download(self, object_or_handle: ObjectInfo | int, path: str | os.PathLike[str], *, ",
        "    async download(self, ",
        "class ptpfast.DeviceBusy(ResponseError)",
        "ptpfast.testing.camera: fixture",
        "ptpfast.pull_iter(cameras: ",
    ):
        assert f"\n{line}" in written


def test_drawing_shows_what_a_change_of_a_function_changes() -> None:
    def before(path: str, *, size: int = 1) -> None: ...
    def after(path: str, *, size: int = 2) -> None: ...

    drawn = [list(draw_public_names.described("f", each)) for each in (before, after)]
    assert drawn == [
        ["f(path: str, *, size: int = 1) -> None"],
        ["f(path: str, *, size: int = 2) -> None"],
    ]


def test_names_of_events_and_metrics_can_be_used_by_other_programs() -> None:
    for name in logs.EVENTS:
        assert name.replace("_", "").isalpha()
        assert name.islower()
    for row in METRICS:
        assert row.name.endswith("_total") == (row.kind == "counter")


@pytest.mark.parametrize("name", draw_public_names.MODULES)
def test_importing_a_public_module_warns_of_nothing_deprecated(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        draw_public_names.import_module(f"ptpfast.{name}".rstrip("."))
