"""The micro benchmarks time and count only what is right, and say what they cannot do here."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from bench import bench_micro
from bench.micro.work import check, works

pytestmark = pytest.mark.tools

WHY_NOT = bench_micro.without_callgrind()


@pytest.mark.parametrize("name", works())
def test_a_piece_of_work_does_the_same_as_plain_python_and_both_are_right(name: str) -> None:
    check(works()[name])


@pytest.mark.parametrize("way", ["ours", "plain"])
def test_a_piece_of_work_that_is_wrong_is_not_measured(way: str) -> None:
    work = works()["handles"]
    with pytest.raises(AssertionError, match="handles"):
        check(replace(work, **{way: lambda: [1, 2, 3]}))


def test_every_piece_of_work_is_timed_in_both_ways() -> None:
    case = bench_micro.times(0.001)
    assert set(case.rows) == set(works())
    assert len(case.claims) == len(works())
    assert all(claim.value.minimum <= claim.value.median for claim in case.claims)


def test_instructions_are_the_same_whenever_they_are_counted() -> None:
    if WHY_NOT is not None:
        assert os.environ.get("PTPFAST_INTEROP") != "1", WHY_NOT
        pytest.skip(WHY_NOT)
    first, second = bench_micro.counted(), bench_micro.counted()
    assert set(first) == set(works())
    assert min(first.values()) > 1000
    for name, count in first.items():
        assert second[name] == pytest.approx(count, rel=0.005)


def test_without_valgrind_instructions_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    case = bench_micro.instructions()
    case.show()
    assert case.claims == []
    assert "instructions  MISSING: valgrind is not installed" in capsys.readouterr().out
