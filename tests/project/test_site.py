"""The site: it has every page, and its links are checked. `make docs` builds it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import check_site

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = (DOCS / "index.md").read_text(encoding="utf-8")
TREE = [
    line.strip()
    for text in re.findall(r"```\{toctree\}\n(.*?)```", INDEX, re.DOTALL)
    for line in text.splitlines()
    if line.strip() and not line.startswith(":")
]


def test_every_page_is_in_the_tree_of_the_site_once() -> None:
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    assert {entry for entry in TREE if "/" not in entry} == pages, "docs/index.md lists the pages"
    assert len(TREE) == len(set(TREE))


def test_every_entry_of_the_tree_has_a_link_on_the_first_page() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)\.md\)", INDEX))
    assert {entry for entry in TREE if entry != "../bench/results/README"} <= linked
    assert all((DOCS / f"{entry}.md").is_file() for entry in TREE)


def site(folder: Path, **pages: str) -> list[str]:
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return check_site.wrong_links(folder)


def test_link_to_a_page_or_a_part_of_it_may_stay(tmp_path: Path) -> None:
    assert site(tmp_path, a='<a href="b.html#x">', b='<p id="x"><a href="#x">') == []
    assert site(tmp_path, a='<a href="https://semver.org">') == []


def test_link_to_a_page_that_is_not_there_is_found(tmp_path: Path) -> None:
    assert site(tmp_path, a='<a href="c.html">') == [
        "a.html links c.html: there is no such file",
    ]


def test_link_to_a_part_that_is_not_there_is_found(tmp_path: Path) -> None:
    assert site(tmp_path, a='<a href="b.html#y">', b='<p id="x">') == [
        "a.html links b.html#y: the page has no such part",
    ]


def test_page_that_loads_something_from_another_host_is_found(tmp_path: Path) -> None:
    assert site(tmp_path, a='<script src="https://cdn.example/x.js"></script>') == [
        "a.html loads https://cdn.example/x.js",
    ]


def test_folder_without_a_page_is_no_site(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, check_site.__file__, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "there is no page" in done.stderr
