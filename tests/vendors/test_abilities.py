"""The abilities of the vendors, and the page that is drawn from them."""

from __future__ import annotations

import pytest

from draw_cameras import PAGE, abilities_of, drawn, maker_of
from ptpfast.vendors import NAMES, ROLES
from ptpfast.vendors.abilities import KNOWN


@pytest.mark.parametrize("vendor", NAMES)
def test_every_vendor_says_what_works_and_how_it_is_known(vendor: str) -> None:
    rows = abilities_of(vendor)
    assert rows
    assert maker_of(vendor)
    for row in rows:
        assert row.role in {*ROLES, "both"}
        assert row.known in KNOWN
        assert row.bodies
        assert row.ability
        assert not any("|" in cell for cell in row)


def test_page_of_cameras_has_the_abilities_of_all_vendors() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert drawn(page) == page, "run: python tests/draw_cameras.py"
