"""The words for a camera's owner, and the page that is drawn from them."""

from __future__ import annotations

import pytest

from draw_menus import PAGE, drawn
from ptpfast.vendors import NAMES, named


@pytest.mark.parametrize("vendor", NAMES)
def test_every_vendor_has_words_that_fit_into_a_sentence(vendor: str) -> None:
    menus = named(vendor).menus
    assert menus.connect
    assert menus.readmit
    for text in (menus.connect, menus.accept, menus.readmit):
        assert not text.endswith(".")
        assert "|" not in text


def test_page_of_connecting_has_the_menus_of_all_vendors() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert drawn(page) == page, "run: python tests/draw_menus.py"
