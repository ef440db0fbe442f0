"""Draws the table of docs/cameras.md from the abilities in the vendors' folders.

Run it with `python tests/draw_cameras.py`. A test holds that the page has what this draws.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ptpfast import vendors
from ptpfast.vendors.abilities import KNOWN, Ability

PAGE = Path(__file__).parents[1] / "docs" / "cameras.md"
BEGIN, END = "<!-- abilities: drawn by tests/draw_cameras.py -->", "<!-- abilities: end -->"
NOBODY = "the camera asks nobody"


def in_order() -> list[str]:
    """All vendors, those without a folder of their own last."""
    return sorted(vendors.NAMES, key=lambda name: name == "standard")


def maker_of(vendor: str) -> str:
    """What the pages call the cameras of a vendor's folder."""
    maker: str = import_module(f"ptpfast.vendors.{vendor}.abilities").MAKER
    return maker


def abilities_of(vendor: str) -> list[Ability]:
    """The rows of a vendor's folder."""
    rows = import_module(f"ptpfast.vendors.{vendor}.abilities").ABILITIES
    return [Ability(*row) for row in rows]


def table() -> str:
    """A section for each maker, with a row for each ability."""
    lines = [f"- **{word}**: {meaning}." for word, meaning in KNOWN.items()]
    for vendor in in_order():
        lines += ["", f"### {maker_of(vendor)}", ""]
        bodies = [f"`{body}`" for body, owner in vendors.BODIES.items() if owner == vendor]
        if bodies:
            lines += [f"Simulated bodies: {', '.join(bodies)}.", ""]
        menus = vendors.named(vendor).menus
        lines += [f"- To connect: {menus.connect}.", f"- To accept: {menus.accept or NOBODY}.", ""]
        lines += ["| cameras | role | ability | known from | note |", "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in abilities_of(vendor)]
    return "\n".join(lines)


def drawn(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
