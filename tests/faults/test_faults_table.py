"""docs/faults.md is held against the tests, the simulated camera and the matrix it speaks of."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from adversity import SHAPES
from body_situations import ASKED, WAYS, operation_name
from draw_outcomes import OF_BODIES, drawn
from each import each
from outcomes import AGAIN, ASIDE, FAULTS, UNSEEN, cells_of
from ptpfast import OperationCode, vendors
from ptpfast.sim import KINDS, Fault
from ptpfast.sim.settings import CameraOptions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
MATRIX = "test_adversity.py::test_a_fault_in_an_object_of_any_shape_has_its_documented_outcome"
WORDS = {"whole", "again", "aside", "refused", "told", "stale"}
IN_THE_MATRIX = {UNSEEN: "whole", AGAIN: "again", ASIDE: "aside"}
CITED = re.compile(r"`(matrix|test_\w+\.py::test_\w+)(?:\[([^`]*)\])?`")


class Row(NamedTuple):
    what: str
    had_by: list[str]
    outcome: str
    tests: list[tuple[str, str]]  # file::test, and the case of it if one is meant


def rows() -> list[Row]:
    """Those of all tables that end with tests."""
    found = []
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]:
        table = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
        if not table or not table[0].endswith("tests"):
            continue
        for line in table[2:]:
            *what, had_by, outcome, tests = re.split(r"\s\|\s", line)
            cited = [(name.replace("matrix", MATRIX), case) for name, case in CITED.findall(tests)]
            assert tests.count("`") == 2 * len(cited), f"not understood: {tests}"
            found.append(Row(" ".join(what), re.findall(r"`([^`]+)`", had_by), outcome, cited))
    return found


every_row = each(rows(), lambda row: row.what)


def path_of(file: str) -> Path:
    (path,) = (ROOT / "tests").rglob(file)
    return path


def test_every_test_that_the_page_names_exists_with_the_case_it_names() -> None:
    cited = [test for row in rows() for test in row.tests]
    files = sorted({str(path_of(name.partition("::")[0])) for name, _ in cited})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    whole = os.environ | {"THOROUGH": "1"}
    done = subprocess.run([*command, *files], cwd=ROOT, env=whole, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    cases: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        path, _, test = line.partition("::")
        name, _, case = f"{Path(path).name}::{test}".partition("[")
        cases.setdefault(name, []).append(case.removesuffix("]"))
    missing = [
        f"{name}[{case}]"
        for name, case in cited
        if not any(case in collected for collected in cases.get(name, []))
    ]
    assert missing == []


@every_row
def test_every_row_has_a_test_and_an_outcome_that_the_page_explains(row: Row) -> None:
    assert row.tests
    named = set(re.findall(r"\*\*(.+?)\*\*", row.outcome))
    assert named
    assert named <= WORDS


def test_every_outcome_is_explained_once_and_no_other() -> None:
    head = PAGE.split("\n## ", maxsplit=1)[0]
    assert sorted(re.findall(r"^\| \*\*(\w+)\*\* \|", head, re.MULTILINE)) == sorted(WORDS)


@every_row
def test_what_a_row_is_had_by_can_be_had(row: Row) -> None:
    for text in row.had_by:
        if text.partition("=")[0] not in CameraOptions.__annotations__:
            Fault.parse(text)


def test_every_kind_of_fault_has_a_row() -> None:
    words = {re.split(r"[ =]", text)[0] for row in rows() for text in row.had_by}
    assert [kind for kind in KINDS if kind not in words] == []


def test_the_page_says_of_the_matrix_what_the_matrix_asserts() -> None:
    said: dict[str, list[set[str]]] = {}
    for row in rows():
        for name, case in row.tests:
            if name == MATRIX:
                words = set(re.findall(r"\*\*(.+?)\*\*", row.outcome))
                said.setdefault(case.strip(), []).append(words)
    table = {
        kind: {IN_THE_MATRIX[cell.outcome] for cell in cells_of(kind) if cell.situation == "object"}
        for kind in FAULTS
    }
    assert {kind: words for kind, words in table.items() if words} == {
        kind: outcomes[0] for kind, outcomes in said.items()
    }
    assert all(words == outcomes[0] for outcomes in said.values() for words in outcomes)


def test_the_page_has_the_table_of_outcomes() -> None:
    assert drawn(PAGE) == PAGE, "run: python tests/draw_outcomes.py"


def test_every_cell_of_the_table_speaks_of_what_there_is() -> None:
    known = {*SHAPES, *OperationCode.__members__, "sent ahead", "first"}
    asked = {
        code for operations in ASKED.values() for codes in operations.values() for code in codes
    }
    of_bodies = {*WAYS, *vendors.BODIES, *vendors.NAMES, *map(operation_name, asked)}
    for kind in FAULTS:
        assert kind in KINDS
        for cell in cells_of(kind):
            of_body = cell.situation.startswith(OF_BODIES)
            assert cell.conditions <= (of_bodies if of_body else known), (kind, cell)
