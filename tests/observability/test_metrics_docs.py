"""The page and the dashboard name what is there, and all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import draw_observability
from ptpfast.metrics import METRICS, Metrics

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"
NAME = re.compile(r"\bptpfast_\w+")
LABEL = re.compile(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)")
BY = re.compile(r"\bby\s*\(([^)]*)\)")
VARIABLES = {"datasource", "camera", "__all"}


def dashboard() -> dict[str, Any]:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return board


def queries() -> list[str]:
    board = dashboard()
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    variables = [each["query"] for each in board["templating"]["list"] if each["type"] == "query"]
    return found + variables


def samples() -> dict[str, set[str]]:
    """Name of every sample that is shown → its labels."""
    metrics = Metrics()
    found: dict[str, set[str]] = {}
    for row in METRICS:
        labels = {"outcome": "failed"} if "outcome" in row.labels else {}
        metrics.of(row.name.removeprefix("ptpfast_"), "camera", **labels)
    for family in metrics.registry.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_the_page_has_the_tables_of_the_source() -> None:
    page = draw_observability.PAGE.read_text(encoding="utf-8")
    assert page == draw_observability.drawn(page), "run `python tests/draw_observability.py`"


def test_queries_of_the_dashboard_name_only_metrics_that_exist() -> None:
    known = samples()
    for query in queries():
        names = NAME.findall(query)
        assert names, query
        labels = {label for name in names for label in known[name]}
        assert set(LABEL.findall(query)) <= labels, query
        for group in BY.findall(query):
            assert {label.strip() for label in group.split(",")} <= labels, query


def test_the_dashboard_shows_every_metric_of_the_table() -> None:
    used = {name for query in queries() for name in NAME.findall(query)}
    for row in METRICS:
        assert any(name.startswith(row.name) for name in used), row.name


def test_panels_of_the_dashboard_have_numbers_of_their_own_and_known_variables() -> None:
    board = dashboard()
    numbers = [panel["id"] for panel in board["panels"]]
    assert sorted(numbers) == sorted(set(numbers))
    text = DASHBOARD.read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{?(\w+)", text)) <= VARIABLES
