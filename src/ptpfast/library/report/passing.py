"""An observer that passes its calls on to another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .observer import Observer

# What is done by then must be told, also at the end of a run that is stopped.
TOLD = ("finished", "storing", "ended")


class Passing(Observer):
    """Pass all calls on to `observer`. Override `passed`."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def passed(self, name: str, *given: Any, **named: Any) -> None:
        """Call a method of the other observer."""
        getattr(self._observer, name)(*given, **named)


def _passed_on(name: str) -> Callable[..., None]:
    def call(self: Passing, *given: Any, **named: Any) -> None:
        self.passed(name, *given, **named)

    return call


for _name in (name for name in vars(Observer) if not name.startswith("_") and name != "of_camera"):
    setattr(Passing, _name, _passed_on(_name))
