"""Draws the table of docs/cameras.md from the abilities in the vendors' folders.

Run it with `python tests/draw_cameras.py`. A test holds that the page has what this draws.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ptpfast.vendors import BODIES, NAMES, named
from ptpfast.vendors.abilities import KNOWN, Ability

PAGE = Path(__file__).parents[1] / "docs" / "cameras.md"
BEGIN, END = "<!-- abilities: drawn by tests/draw_cameras.py -->", "<!-- abilities: end -->"
NOBODY = "the camera asks nobody"
MAKERS = {
    "standard": "Other cameras",
    "nikon": "Nikon",
    "canon": "Canon EOS",
    "sony": "Sony",
    "fujifilm": "Fujifilm",
    "ricoh": "Ricoh Theta",
    "panasonic": "Panasonic (experimental)",
}


def abilities_of(vendor: str) -> list[Ability]:
    """The rows of a vendor's folder."""
    rows = import_module(f"ptpfast.vendors.{vendor}.abilities").ABILITIES
    return [Ability(*row) for row in rows]


def table() -> str:
    """A section for each maker, with a row for each ability."""
    lines = [f"- **{word}**: {meaning}." for word, meaning in KNOWN.items()]
    for vendor in sorted(NAMES, key=lambda name: (name == "standard", NAMES.index(name))):
        lines += ["", f"### {MAKERS[vendor]}", ""]
        bodies = [f"`{body}`" for body, owner in BODIES.items() if owner == vendor]
        if bodies:
            lines += [f"Simulated bodies: {', '.join(bodies)}.", ""]
        menus = named(vendor).menus
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
