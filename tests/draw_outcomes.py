"""Draws the tables of outcomes in docs/faults.md from outcomes.toml.

Run it with `python tests/draw_outcomes.py`. A test holds that the page has what this draws.
"""

from __future__ import annotations

from pathlib import Path

from outcomes import FAULTS, SITUATIONS, Cell, cells_of

PAGE = Path(__file__).parents[1] / "docs" / "faults.md"
BEGIN, END = "<!-- outcomes: drawn by tests/draw_outcomes.py -->", "<!-- outcomes: end -->"
BODIES_BEGIN, BODIES_END = (
    BEGIN.replace("outcomes:", "bodies:"),
    END.replace("outcomes:", "bodies:"),
)
OF_BODIES = "body_"  # situations of the simulated bodies have a table of their own


def table(*, of_bodies: bool = False) -> str:
    """A row a fault, a column a situation."""
    names = [name for name in SITUATIONS if name.startswith(OF_BODIES) == of_bodies]
    heads = [name.removeprefix(OF_BODIES) for name in names]
    lines = [f"- **{head}**: {SITUATIONS[name]}." for head, name in zip(heads, names, strict=True)]
    lines += ["", f"| fault | {' | '.join(heads)} |", "|---" * (1 + len(names)) + "|"]
    for kind in FAULTS:
        row = cells_of(kind)
        columns = [_column([cell for cell in row if cell.situation == name]) for name in names]
        if any(columns):
            lines.append(f"| `{kind}` | {' | '.join(columns)} |")
    return "\n".join(lines)


def _column(cells: list[Cell]) -> str:
    return "<br>".join(
        f"{', '.join(sorted(cell.conditions))}: {cell.outcome}" if cell.conditions else cell.outcome
        for cell in cells
    )


def drawn(page: str) -> str:
    """The page with the tables as they are now."""
    page = _replaced(page, BEGIN, table(), END)
    return _replaced(page, BODIES_BEGIN, table(of_bodies=True), BODIES_END)


def _replaced(page: str, begin: str, text: str, end: str) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
