"""Draws the table of result lines in docs/bench.md from docs/bench-schema.json.

Run it with `python tests/draw_bench_schema.py`. A test holds that the page has what this draws.
"""

from __future__ import annotations

import json
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
PAGE, SCHEMA = DOCS / "bench.md", DOCS / "bench-schema.json"
BEGIN, END = "<!-- lines: drawn by tests/draw_bench_schema.py -->", "<!-- lines: end -->"


def table() -> str:
    """A row for each kind of line."""
    rows = ["| `type` | what it tells | fields |", "|---|---|---|"]
    kinds = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    for name, kind in kinds.items():
        if "type" in kind["properties"]:
            fields = ", ".join(f"`{field}`" for field in kind["properties"] if field != "type")
            rows.append(f"| `{name}` | {kind['description']} | {fields} |")
    return "\n".join(rows)


def drawn(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
