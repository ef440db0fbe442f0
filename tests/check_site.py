"""Checks every link inside the built site: `python tests/check_site.py build/site` (`make docs`).

A link must lead to a file of the site and, with a `#`, to an element of it with that id. Pages may
load nothing from other hosts. Links to other hosts are not followed.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The ids of a page, its links, and what it loads."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        if "id" in values:
            self.ids.add(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") != "canonical" and "href" in values:
            self.loads.append(values["href"])
        elif "src" in values:
            self.loads.append(values["src"])


def wrong_links(site: Path) -> list[str]:
    """A line for each link that leads nowhere."""
    pages = {file: Page(file) for file in sorted(site.rglob("*.html"))}
    wrong = []
    for file, page in pages.items():
        here = file.relative_to(site)
        wrong += [f"{here} loads {url}" for url in page.loads if urlsplit(url).netloc]
        for url in page.links + page.loads:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            found = pages.get(target)
            if not target.is_file():
                wrong.append(f"{here} links {url}: there is no such file")
            elif parts.fragment and found and unquote(parts.fragment) not in found.ids:
                wrong.append(f"{here} links {url}: the page has no such part")
    return wrong


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    wrong = wrong_links(site)
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    if not any(site.rglob("*.html")):
        sys.exit(f"there is no page in {site}")
    sys.exit(1 if wrong else 0)
