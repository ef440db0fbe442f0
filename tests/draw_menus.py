"""Draws the table of docs/connect.md from the menus in the vendors' folders.

Run it with `python tests/draw_menus.py`. A test holds that the page has what this draws.
"""

from __future__ import annotations

from pathlib import Path

from draw_cameras import in_order, maker_of
from ptpfast.vendors import named

PAGE = Path(__file__).parents[1] / "docs" / "connect.md"
BEGIN, END = "<!-- menus: drawn by tests/draw_menus.py -->", "<!-- menus: end -->"


def table() -> str:
    """A row for each maker."""
    lines = ["| camera | on the camera | to accept | after a rejection |", "|---|---|---|---|"]
    for vendor in in_order():
        menus = named(vendor).menus
        cells = maker_of(vendor), menus.connect, menus.accept or "it asks nobody", menus.readmit
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def drawn(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
