"""The result of an examination: its steps, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["ok", "bad", "slow", "unknown"]


@dataclass(frozen=True)
class Step:
    """One step of an examination.

    Attributes:
        name: What was looked at, such as `route`.
        state: `ok`; `bad` if it keeps the camera from being used; `slow` if it costs time or
            should be known; `unknown` if this system does not tell.
        text: The result in words.
        facts: The result as numbers and texts for programs.
    """

    name: str
    state: State
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong.

    Attributes:
        code: Its name for programs, such as `nothing-listens`. The names are in `causes`.
        text: What is wrong, in words.
        remedy: What to do.
        blocks: Whether the camera cannot be used because of it.
    """

    code: str
    text: str
    remedy: str
    blocks: bool = True


@dataclass
class Diagnosis:
    """All that an examination has found.

    Attributes:
        address: The address of the camera, `HOST:PORT`; empty if none was found.
        camera: What the camera tells about itself, once a session is open.
        steps: The steps, in their order.
        causes: What is wrong, the likeliest first.
    """

    address: str = ""
    camera: str = ""
    steps: list[Step] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    @property
    def first(self) -> Cause | None:
        """The cause to mend first; None if nothing is wrong."""
        blocking = [cause for cause in self.causes if cause.blocks]
        return next(iter(blocking or self.causes), None)

    @property
    def is_usable(self) -> bool:
        """Whether nothing keeps the camera from being used."""
        return not any(cause.blocks for cause in self.causes)
