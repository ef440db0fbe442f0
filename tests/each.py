"""One test of many things: it fails with all that are wrong. A test each would cost more time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def each(things: Iterable[Any], name: Callable[[Any], object] = str) -> Callable[..., Any]:
    """Let a test that takes one thing be a test of all of them; `name` is what a thing is called
    where it fails."""
    things = list(things)
    assert things

    def of_all(test: Callable[[Any], None]) -> Callable[[], None]:
        def run() -> None:
            wrong = []
            for thing in things:
                try:
                    test(thing)
                except AssertionError as error:
                    wrong.append(f"{name(thing)}: {error}")
            assert not wrong, "\n".join(wrong)

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return of_all
