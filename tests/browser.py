"""Debian's Chromium, driven by playwright; without one of them a test is skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import programs

SCHEMES = ("light", "dark")
SIZES = {400: 800, 800: 1000, 1440: 900}
# Numbers are drawn anew some times a second: a screen reader or a check needs a page that rests.
PATIENCE_MS = 60_000

Opening = Callable[..., Any]


@contextmanager
def chromium() -> Iterator[Opening]:
    """Yield a function that opens an address at a width in a colour scheme.

    The page's `problems` are errors of its scripts and what its policy has refused.
    """
    programs.module("playwright")
    path = programs.program("chromium")
    from playwright.sync_api import sync_playwright

    # As root, which the tests of a container run as, it has no sandbox of its own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)

        def opened(address: str, width: int = 1440, scheme: str = "dark") -> Any:
            context = browser.new_context(
                viewport={"width": width, "height": SIZES[width]},
                color_scheme=scheme,
                has_touch=width == 400,
                locale="en-GB",
                reduced_motion="reduce",
            )
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.problems = []
            page.on("pageerror", lambda error: page.problems.append(str(error)))
            page.on("dialog", lambda dialog: page.problems.append(dialog.message))
            page.on("console", lambda said: page.problems.append(said.text))
            page.goto(address)
            return page

        yield opened
        browser.close()


def ready(page: Any, thumbnails: int = 1) -> None:
    """Wait until the card is listed and so many thumbnails are shown."""
    page.locator("#link[data-state=ready]").wait_for()
    page.locator(".tile .image[src]:visible").nth(thumbnails - 1).wait_for()
