"""Files that the user has named: what is replaced, and through which links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ptpfast.ownership.named import write_named


@pytest.mark.parametrize("links", [1, 2])
def test_a_link_of_another_user_leads_to_no_file(
    tmp_path: Path, links: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    private.write_text("mine")
    link = tmp_path / "page.html"
    link.symlink_to(private)
    told = os.lstat

    def of_another(path: str) -> os.stat_result:
        found = list(told(path))
        if os.fspath(path) == str(link):
            found[4] = os.geteuid() + 1
        return os.stat_result(found)

    monkeypatch.setattr(os, "lstat", of_another)
    first = link
    if links == 2:
        (first := tmp_path / "mine.html").symlink_to("page.html")
    with pytest.raises(OSError, match="symbolic link of another user"):
        write_named(first, b"page")
    assert private.read_text() == "mine"


def test_a_link_of_the_user_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "page.html"
    link.symlink_to("pages/today.html")
    (tmp_path / "pages").mkdir()
    for content in (b"one", b"two"):
        write_named(link, content)
        assert (tmp_path / "pages" / "today.html").read_bytes() == content
    assert link.is_symlink()


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    link = tmp_path / "page.html"
    link.symlink_to("page.html")
    with pytest.raises(OSError, match="symbolic links"):
        write_named(link, b"page")
