"""A very short week of `ptpfast watch`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from soak import week as week_module
from soak.week import Run, Week

pytestmark = pytest.mark.tools


def test_nothing_is_lost_or_doubled_in_a_week_of_drops_and_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(week_module, "WAIT_S", 60.0)  # so that a finding comes before the time-out
    week = Week(shots=300, drops=9, sleeps=3, cards=2)
    figures = Run(week, tmp_path / "in", print).go()
    assert figures.findings == []
    assert json.loads(json.dumps(figures.result()))["files"] == figures.files
    assert figures.happened["drop"] == 9
    assert figures.happened["card"] == 2
    assert figures.files >= 300
    assert figures.states["away"] >= 3
