"""Draws the tables of docs/observability.md from those in the source.

python tests/draw_observability.py
"""

from __future__ import annotations

import logging
from pathlib import Path

from ptpfast import logs
from ptpfast.metrics import METRICS

PAGE = Path(__file__).parents[1] / "docs" / "observability.md"


def events() -> list[str]:
    lines = ["| event | logger | level | fields | when |", "|---|---|---|---|---|"]
    for row in logs.EVENTS.values():
        fields = ", ".join(f"`{name}`" for name in row.fields)
        level = logging.getLevelName(row.level)
        lines.append(f"| `{row.name}` | `{row.logger}` | {level} | {fields} | {row.meaning} |")
    return lines


def fields() -> list[str]:
    lines = ["| field | meaning |", "|---|---|"]
    return lines + [f"| `{name}` | {meaning} |" for name, meaning in logs.FIELDS.items()]


def metrics() -> list[str]:
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for row in METRICS:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        lines.append(f"| `{row.name}` | {row.kind} | {labels} | {row.meaning} |")
    return lines


TABLES = {"events": events, "fields": fields, "metrics": metrics}


def drawn(page: str) -> str:
    """The page with its tables as they are in the source."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- {name} end -->"
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        assert found, name
        assert ended, name
        page = "\n".join([before + begin, *table(), end + after])
    return page


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
