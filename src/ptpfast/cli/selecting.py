"""The options that say which objects are meant, for every command that takes objects."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from ..engine.text import unescaped
from ..library.plan.moments import is_later
from ..library.plan.options import MARKED
from ..library.plan.pairs import PREFER
from ..library.plan.selection import KINDS, LAST_SLOT, MOST_STARS, ORDERS, Selection
from ..ptp.arguments import texts
from .options import Moment, Size, Words


@dataclass(frozen=True)
class Wanted:
    """The selection as it stands on the command line.

    Attributes:
        options: Keywords of `library.pull.pull`.
    """

    options: dict[str, Any]

    def selection(self) -> Selection:
        """Return the library's object."""
        return Selection(**{name: self.options[name] for name in self.options if name != "marked"})

    @property
    def marked(self) -> bool:
        """Whether only objects that are marked on the camera are meant."""
        return bool(self.options.get("marked"))

    @property
    def words(self) -> str:
        """What narrows it, for people."""
        return ", ".join(filter(None, [self.selection().words, MARKED if self.marked else ""]))


def selecting(
    order: str, *, whole: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options with this default order; the function gets them as `wanted`.

    Args:
        order: the default order.
        whole: whether to add those that need the whole card, too.
    """
    options = [_order_option(order), *(_OF_WHOLE if whole else ()), *_OPTIONS]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **given: Any) -> Any:
            mine = {name: given.pop(name) for name in (*_NAMES, *(_WHOLE_NAMES if whole else ()))}
            _check_pairs(mine)
            formats = tuple(dict.fromkeys(word for words in mine.pop("format") for word in words))
            mine["formats"] = formats or ("all",)
            for name in ("include", "exclude", "folder"):
                mine[name] = _globs(name, mine[name])
            mine |= {name: mine[name] or None for name in ("include", "folder")}
            mine["storage"] = tuple(dict.fromkeys(mine["storage"])) or None
            return function(*args, wanted=Wanted(mine), **given)

        decorated: Callable[..., Any] = run
        for option in options:
            decorated = option(decorated)
        return decorated

    return decorate


def _check_pairs(given: dict[str, Any]) -> None:
    """Raise UsageError for values that exclude each other."""
    since, until = given["since"], given["until"]
    if since is not None and until is not None and is_later(since, until):
        raise click.BadParameter(f"{until} is before --since {since}", param_hint="'--until'")
    least, most = given["min_size"], given["max_size"]
    if least is not None and most is not None and least > most:
        text = f"{most:,} bytes is below --min-size {least:,}"
        raise click.BadParameter(text, param_hint="'--max-size'")
    if given.get("first") is not None and given.get("last") is not None:
        raise click.UsageError("you cannot combine --first and --last; use one of them")


def _globs(option: str, globs: tuple[str, ...]) -> tuple[str, ...]:
    try:
        texts(option, globs)
        if option == "folder" and not all(each.strip("/") for each in globs):
            raise ValueError("'/' names no folder")
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=f"'--{option}'") from error
    return tuple(map(unescaped, globs))


def _order_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--order",
        type=click.Choice(ORDERS),
        default=default,
        show_default=True,
        help="Order of the files: as the camera lists them, or by date.",
    )


_NAMES = (
    *("format", "include", "exclude", "folder", "since", "until", "min_size", "max_size"),
    *("protected", "rating", "storage", "order"),
)
_WHOLE_NAMES = ("prefer", "first", "last", "marked")

_OF_WHOLE = (
    click.option(
        "--marked", is_flag=True, help="Select what is marked for transfer on the camera."
    ),
    click.option(
        "--last",
        type=click.IntRange(1),
        metavar="N",
        help="Select only the newest N of these files.",
    ),
    click.option(
        "--first",
        type=click.IntRange(1),
        metavar="N",
        help="Select only the oldest N of these files.",
    ),
    click.option(
        "--prefer",
        type=click.Choice(PREFER),
        default="both",
        show_default=True,
        help="Select only this file of each RAW and JPEG pair.",
    ),
)
_OPTIONS = (
    click.option(
        "--protected/--unprotected",
        default=None,
        help="Select the files that are protected on the camera, or the others.",
    ),
    click.option(
        "--rating",
        type=click.IntRange(1, MOST_STARS),
        metavar="N",
        help="Select files with N stars or more, where the camera tells them.",
    ),
    click.option(
        "--max-size", type=Size(), metavar="BYTES", help="Select files of this size or smaller."
    ),
    click.option(
        "--min-size",
        type=Size(),
        metavar="BYTES",
        help="Select files of this size or larger: 500K, 25M.",
    ),
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
        "--folder",
        multiple=True,
        metavar="GLOB",
        help="Select what is in a folder of the card: 101D5300; repeatable.",
    ),
    click.option(
        "--exclude", multiple=True, metavar="GLOB", help="Leave out matching names; repeatable."
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="GLOB",
        help="Select matching names ('DSC_01*'), or paths with a slash; repeatable.",
    ),
    click.option(
        "--format",
        type=Words(KINDS),
        multiple=True,
        metavar=",".join(KINDS),
        help="Select file types (from the extension).  [default: all]",
    ),
)
