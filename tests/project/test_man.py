"""The manual pages in man/: drawn from the commands, for all of them, and in the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import draw_man
from ptpfast.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]


def test_the_manual_pages_are_those_of_the_commands() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in draw_man.FOLDER.iterdir()}
    assert written == draw_man.pages(), "run `python tests/draw_man.py`"
    assert {f"ptpfast-{name}.1" for name in COMMANDS} < set(written)


def test_the_wheel_installs_the_manual_pages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["data-files"] == {"share/man/man1": ["man/*.1"]}


@pytest.mark.parametrize("name", ["ptpfast", "ptpfast-pull", "ptpfast-history-search"])
def test_a_page_has_its_parts_in_their_order(name: str) -> None:
    text = draw_man.pages()[f"{name}.1"]
    titles = re.findall(r"^\.SH (.+)$", text, re.MULTILINE)
    order = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "EXAMPLES"]
    order += ["EXIT STATUS", "FILES", "SEE ALSO"]
    assert titles == [title for title in order if title in titles]
    assert {"NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "SEE ALSO"} <= set(titles)
    if name != "ptpfast":
        assert ".B \\-\\-json" in text


def test_groff_finds_nothing_wrong_with_the_pages() -> None:
    if (groff := shutil.which("groff")) is None:
        pytest.skip("there is no groff")
    for path in draw_man.FOLDER.glob("*.1"):
        done = subprocess.run(
            [groff, "-man", "-Tutf8", "-ww", "-Wbreak", path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
