"""Draws the table of outcomes in docs/faults.md from outcomes.toml.

Run it with `python tests/draw_outcomes.py`. A test holds that the page has what this draws.
"""

from __future__ import annotations

from pathlib import Path

from outcomes import FAULTS, SITUATIONS, Cell, cells_of

PAGE = Path(__file__).parents[1] / "docs" / "faults.md"
BEGIN, END = "<!-- outcomes: drawn by tests/draw_outcomes.py -->", "<!-- outcomes: end -->"


def table() -> str:
    """A row a fault, a column a situation."""
    lines = [f"- **{name}**: {what}." for name, what in SITUATIONS.items()]
    lines += ["", f"| fault | {' | '.join(SITUATIONS)} |", "|---" * (1 + len(SITUATIONS)) + "|"]
    for kind in FAULTS:
        row = cells_of(kind)
        columns = [_column([cell for cell in row if cell.situation == name]) for name in SITUATIONS]
        lines.append(f"| `{kind}` | {' | '.join(columns)} |")
    return "\n".join(lines)


def _column(cells: list[Cell]) -> str:
    return "<br>".join(
        f"{', '.join(sorted(cell.conditions))}: {cell.outcome}" if cell.conditions else cell.outcome
        for cell in cells
    )


def drawn(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
