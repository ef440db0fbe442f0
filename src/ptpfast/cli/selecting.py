"""The options that say which objects are meant, for every command that takes objects."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import click

from ..engine.text import unescaped
from ..library.plan.moments import is_later
from ..library.plan.selection import KINDS, LAST_SLOT, ORDERS, Selection
from ..ptp.arguments import texts
from .options import Moment, Words


@dataclass(frozen=True)
class Wanted:
    """The selection as it stands on the command line; keywords of `library.pull.pull`."""

    formats: tuple[str, ...]
    include: tuple[str, ...] | None
    exclude: tuple[str, ...]
    since: date | None
    until: date | None
    order: str
    storage: tuple[int, ...] | None = None

    def selection(self) -> Selection:
        """Return the library's object."""
        return Selection(**vars(self))


def selecting(order: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options with this default order; the function gets them as `wanted`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(
            *args: Any,
            format: tuple[tuple[str, ...], ...],
            since: date | None,
            until: date | None,
            include: tuple[str, ...],
            exclude: tuple[str, ...],
            order: str,
            storage: tuple[int, ...],
            **rest: Any,
        ) -> Any:
            if since is not None and until is not None and is_later(since, until):
                text = f"{until} is before --since {since}"
                raise click.BadParameter(text, param_hint="'--until'")
            for option, globs in (("include", include), ("exclude", exclude)):
                try:
                    texts(option, globs)
                except ValueError as error:
                    raise click.BadParameter(str(error), param_hint=f"'--{option}'") from error
            formats = tuple(dict.fromkeys(word for words in format for word in words)) or ("all",)
            include, exclude = (tuple(map(unescaped, globs)) for globs in (include, exclude))
            cards = tuple(dict.fromkeys(storage)) or None
            wanted = Wanted(formats, include or None, exclude, since, until, order, cards)
            return function(*args, wanted=wanted, **rest)

        decorated: Callable[..., Any] = run
        for option in (_order_option(order), *_OPTIONS):
            decorated = option(decorated)
        return decorated

    return decorate


def _order_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--order",
        type=click.Choice(ORDERS),
        default=default,
        show_default=True,
        help="Order of the files: as the camera lists them, or by date.",
    )


_OPTIONS = (
    click.option(
        "--storage",
        type=click.IntRange(1, LAST_SLOT),
        multiple=True,
        metavar="N",
        help="Select the files on card N; repeatable.",
    ),
    click.option(
        "--until",
        type=Moment("until"),
        metavar="DATE",
        help="Select files taken until then, inclusive.",
    ),
    click.option(
        "--since",
        type=Moment("since"),
        metavar="DATE",
        help="Select files taken since then: 2026-11-22, 2026-11, yesterday, 2d, 12h.",
    ),
    click.option(
        "--exclude", multiple=True, metavar="GLOB", help="Leave out matching names; repeatable."
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="GLOB",
        help="Select matching names, or paths with a slash; repeatable.",
    ),
    click.option(
        "--format",
        type=Words(KINDS),
        multiple=True,
        metavar=",".join(KINDS),
        help="Select file types (from the extension).  [default: all]",
    ),
)
