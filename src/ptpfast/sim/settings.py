"""The keyword arguments of a simulated camera, and their defaults.

Each group exists twice: as a TypedDict for type checkers, and as a dataclass with the defaults and
values.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict

from ..ptp.arguments import choice, seconds, switches, whole
from ..vendors.body import Habits, Model
from .approvals import STATES, State
from .data_in import EndData
from .faults import Fault, FaultTable
from .link import LINKS, Link
from .outlet import Writes
from .store import Store
from .temperament import Temperament

# Bytes in the kernel should still be in the processor's cache when the other side copies them:
# over loopback this doubles the rate that the kernel's own, growing choice reaches.
SEND_BUFFER = 256 * 1024
MOST_OBJECTS = 10_000_000


class CardOptions(TypedDict, total=False):
    """Names and types of `CardSettings`."""

    objects: int
    size: int
    folder: str | os.PathLike[str] | None
    seed: int | str


@dataclass(frozen=True)
class CardSettings:
    """The objects of a camera that is given no store."""

    objects: int = 20
    size: int = 25_000_000
    folder: str | os.PathLike[str] | None = None
    seed: int | str = 0

    def __post_init__(self) -> None:
        whole("objects", self.objects, "a number of files", 0, MOST_OBJECTS)
        whole("size", self.size, "a number of bytes", 0, (1 << 64) - 1)

    def store(self, model: Model) -> Store:
        """Return the real files below a folder if one is given, else synthetic ones."""
        if self.folder is not None:
            return Store.from_folder(self.folder, model=model)
        return Store.synthetic(self.objects, self.size, seed=self.seed, model=model)


_TIMES = ("hold_s", "pause_s", "locked_s")  # of habits


class BodyOptions(TypedDict, total=False):
    """Names and types of `BodySettings`."""

    body: str | None
    guid: bytes | None
    name: str | None
    withheld: Iterable[int] | int
    end_data: EndData | str | None
    strict_tid: bool | None
    needs_probe: bool | None
    busy_s: float | None
    approval: State
    approve_after_s: float | None
    hold_s: float | None
    pause_s: float | None
    locked_s: float | None


@dataclass(frozen=True)
class BodySettings:
    """The body, and its differences from the model."""

    body: str | None = None
    guid: bytes | None = None
    name: str | None = None
    withheld: Iterable[int] | int = ()
    end_data: EndData | str | None = None
    strict_tid: bool | None = None
    needs_probe: bool | None = None
    busy_s: float | None = None
    approval: State = "approved"
    approve_after_s: float | None = None
    hold_s: float | None = None
    pause_s: float | None = None
    locked_s: float | None = None

    def __post_init__(self) -> None:
        choice("approval", self.approval, STATES)
        for name in ("approve_after_s", *_TIMES):
            if (value := getattr(self, name)) is not None:
                seconds(name, value)

    def changed(self, habits: Habits) -> Habits:
        """Return the model's habits with the given changes."""
        given: dict[str, Any] = {
            "strict_tid": self.strict_tid,
            "needs_probe": self.needs_probe,
            "busy_s": self.busy_s,
            **{name: getattr(self, name) for name in _TIMES},
        }
        if self.end_data is not None:
            given["end_data"] = EndData(self.end_data).value
        if self.busy_s is not None:  # by time alone, however often it is asked
            given["busy_polls"] = math.inf
        changes = {name: value for name, value in given.items() if value is not None}
        return dataclasses.replace(habits, **changes)


class SendingOptions(TypedDict, total=False):
    """Names and types of `Sending`."""

    data_packet_size: int
    announce_total: bool
    bytes_per_s: float | None
    max_bytes_per_send: int | None
    send_buffer: int | None
    nagle: bool
    writes: Writes | str


@dataclass(frozen=True)
class Sending:
    """The way bytes are sent, and their packets."""

    data_packet_size: int = 65536
    announce_total: bool = True
    bytes_per_s: float | None = None
    max_bytes_per_send: int | None = None
    send_buffer: int | None = SEND_BUFFER
    nagle: bool = False
    writes: Writes | str = Writes.WHOLE

    def __post_init__(self) -> None:
        whole("data_packet_size", self.data_packet_size, "a number of bytes", 1, 0xFFFFFFFF - 12)
        for name in ("max_bytes_per_send", "send_buffer"):
            if (value := getattr(self, name)) is not None:
                whole(name, value, "a number of bytes", 1)
        if self.bytes_per_s is not None:
            rate = self.bytes_per_s
            if isinstance(rate, bool) or not isinstance(rate, int | float):
                raise TypeError(f"bytes_per_s takes a number, not {rate!r:.60}")
            if not 0 < rate < math.inf:
                raise ValueError(f"bytes_per_s takes a number above 0, not {rate!r}")
        switches(nagle=self.nagle, announce_total=self.announce_total)


class ServiceOptions(TypedDict, total=False):
    """Names and types of `Service`."""

    host: str
    port: int
    pending_s: float
    link: Link | str | None
    delay_s: float
    jitter_s: float
    temperament: Temperament | str
    faults: Iterable[Fault | str] | Fault | str
    announce: bool


@dataclass(frozen=True)
class Service:
    """The address of the camera, its reaction to clients, and its faults."""

    host: str = "127.0.0.1"
    port: int = 0
    pending_s: float = 5.0
    link: Link | str | None = None
    delay_s: float = 0.0
    jitter_s: float = 0.0
    temperament: Temperament | str = Temperament.QUEUE
    faults: Iterable[Fault | str] | Fault | str = ()
    announce: bool = False

    def __post_init__(self) -> None:
        whole("port", self.port, "a port, or 0 for any", 0, 0xFFFF)
        for name in ("pending_s", "delay_s", "jitter_s"):
            seconds(name, getattr(self, name))
        switches(announce=self.announce)

    def chosen_link(self) -> Link:
        """Return the link; without one, the delay alone. ValueError, TypeError."""
        if isinstance(self.link, str):
            if self.link not in LINKS:
                raise ValueError(f"no link {self.link!r}; there are: {', '.join(LINKS)}")
            return LINKS[self.link]
        if self.link is not None and not isinstance(self.link, Link):
            raise TypeError(f"link takes a Link or its name, not {self.link!r:.60}")
        return self.link or Link(operation=self.delay_s)

    def fault_table(self) -> FaultTable:
        """Return the given table, or one of the given faults."""
        return self.faults if isinstance(self.faults, FaultTable) else FaultTable(self.faults)


class CameraOptions(CardOptions, BodyOptions, SendingOptions, ServiceOptions, total=False):
    """The keyword arguments of `SimulatedCamera`, which explains them."""


@dataclass(frozen=True)
class Settings:
    """All settings."""

    card: CardSettings
    body: BodySettings
    sending: Sending
    service: Service

    @classmethod
    def of(cls, options: CameraOptions) -> Settings:
        """Sort keyword arguments into their groups. Raises TypeError for an unknown name."""
        left: dict[str, Any] = dict(options)
        settings = cls(
            CardSettings(**_take(left, CardSettings)),
            BodySettings(**_take(left, BodySettings)),
            Sending(**_take(left, Sending)),
            Service(**_take(left, Service)),
        )
        if left:
            raise TypeError(f"SimulatedCamera() has no argument {next(iter(left))!r}")
        return settings


def _take(options: dict[str, Any], group: type) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(group)]
    return {name: options.pop(name) for name in names if name in options}
