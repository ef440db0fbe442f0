"""The kind of a fault: its name, stage, value and effect.

The kinds are in `effects`, a module for each stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

Value = int | float | str | None


class Stage(Enum):
    """The moment at which a fault of a kind applies."""

    INIT = "handshake"
    ANSWER = "before the operation"
    BREAK = "before the operation, or after a number of payload bytes"
    DATASET = "the payload of a dataset"
    DATA = "the packets of the data phase"
    RESPONSE = "the Operation Response"


@dataclass(frozen=True)
class Kind:
    """A kind of fault, made with `kinds_at`.

    Attributes:
        effect: Receives the object that a fault of the stage may change (see the stage's module in
            `effects`) and the fault's value.
        value: Makes the value from a text: `int`, `float`, `str`, or a function that checks it.
            None for a kind that takes no value.
    """

    name: str
    stage: Stage
    help: str
    effect: Callable[..., Any]
    value: Callable[[Any], Value] | None = None
    default: Value = None
    operation: int | None = None  # the only one it makes sense for
    about_object: bool = False  # strikes only in operations on an object of the card
    on_event: bool = False  # of a handshake: that of the Event connection

    def __post_init__(self) -> None:
        """Raise TypeError for a kind without an effect."""
        if not callable(self.effect):
            raise TypeError(f"a fault of kind {self.name!r} has no effect")


# `kind(help, value, default, …)`, which makes a Kind from a function.
KindsAt = Callable[..., Callable[[Callable[..., Any]], Kind]]


def kinds_at(stage: Stage) -> KindsAt:
    """Return the decorator `kind(help, value, default, …)` of a stage.

    It makes a kind from a function, which is the effect and gives the kind its name. The other
    arguments are fields of `Kind`.
    """

    def kind(help: str, *values: Any, **more: Any) -> Callable[[Callable[..., Any]], Kind]:
        return lambda effect: Kind(effect.__name__, stage, help, effect, *values, **more)

    return kind
