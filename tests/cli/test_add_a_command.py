"""docs/add-a-command.md, with its module in the package and its line in the table."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import command_line
from ptpfast import cli
from ptpfast.cli import main
from ptpfast.sim import SimulatedCamera

PAGE = Path(__file__).parents[2] / "docs" / "add-a-command.md"
BLOCKS = dict(re.findall(r"```python (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))


@pytest.fixture(autouse=True)
def _count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The module and the line of the page."""
    (tmp_path / "count.py").write_text(BLOCKS["count.py"], encoding="utf-8")
    monkeypatch.setattr(cli, "__path__", [*cli.__path__, str(tmp_path)])
    monkeypatch.setattr(main, "COMMANDS", main.COMMANDS | eval(BLOCKS["line"]))
    yield
    sys.modules.pop("ptpfast.cli.count", None)


def test_the_command_of_the_page_counts_what_is_selected() -> None:
    with SimulatedCamera(objects=4, size=1000) as camera:
        everything = command_line.run("count", command_line.at(camera))
        raws = command_line.run("count", command_line.at(camera), "--format", "raw", "--json")
    assert everything.stdout.split() == ["Files", "4"]
    assert command_line.records(raws.stdout)[1] == {"type": "count", "files": 2}


def test_the_command_of_the_page_has_its_examples_in_its_help() -> None:
    assert (
        "ptpfast count 192.168.1.1 --format raw --json"
        in command_line.run("count", "--help").stdout
    )
    assert "Count the files on the camera." in command_line.run("--help").stdout


def test_an_error_in_the_command_of_the_page_is_one_line() -> None:
    with SimulatedCamera(faults="init_fail=2 times 0") as camera:
        done = command_line.run("count", command_line.at(camera))
    assert done.exit_code == 4
    assert "it is busy" in done.stderr
