"""Faults of the packets of a data phase. An effect changes the `DataPlan`.

It is also given the place of the fault in the payload, in bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...engine.wire import (
    Data,
    EndData,
    Event,
    OperationResponse,
    ProbeRequest,
    StartData,
    pack,
)
from ...ptp.codes import EventCode, ResponseCode
from ..kinds import KindsAt, Stage, kinds_at
from ..peer import Peer

kind: KindsAt = kinds_at(Stage.DATA)

_TOTAL = re.compile(r"unknown|unknown32|[+-]?[0-9]+|0x[0-9a-fA-F]+")
_EVENT = pack(Event(EventCode.UnreportedStatus, 0xFFFFFFFF))


class Foreign(NamedTuple):
    """Packets that do not belong to the data phase, at the first packet boundary after `place`."""

    place: int
    packets: tuple[bytes, ...] = ()  # on the Command/Data connection
    events: tuple[bytes, ...] = ()  # on the Event connection


class Break(NamedTuple):
    """The end of the connections when exactly `place` payload bytes have been sent."""

    place: int
    strike: Callable[[Peer], None]


@dataclass
class DataPlan:
    """The plan of one data phase, and its result: `code` and `sent`."""

    transaction_id: int
    announced: int  # size of the payload
    total: int | None  # the total in Start Data; None: unknown
    size: int  # payload bytes that are sent
    data_id: int  # transaction id of Data and End Data
    extra: int = 0  # zeros after them
    first: tuple[bytes, ...] = ()  # packets before Start Data
    start_size: int | None = None  # Start Data ends after so many bytes
    ends: bool = True  # with End Data
    ends_again: bool = False
    vanishes: bool = False  # the object is gone afterwards
    foreign: tuple[Foreign, ...] = ()  # by place
    breaks: tuple[Break, ...] = ()  # by place
    code: int | None = None  # the response code, if the data phase decides it
    operation: int = 0  # whose data phase it is
    sent: int = 0  # payload bytes

    @classmethod
    def of(cls, transaction_id: int, size: int, *, announce_total: bool) -> DataPlan:
        """Return the plan of the standard."""
        total = size if announce_total else None
        return cls(transaction_id, size, total, size, transaction_id)

    def cut(self, size: int) -> None:
        """Send at most so many bytes of the payload."""
        self.size = min(self.size, size)


def announced_total(given: Any) -> str:
    """Check the value of `announce`. Raises ValueError."""
    text = str(given)
    if not _TOTAL.fullmatch(text):
        raise ValueError(f"announce: {given!r} is none of N, +N, -N, unknown, unknown32")
    return text


# Start Data.


@kind("no Start Data")
def no_start(plan: DataPlan, _: Any, place: int) -> None:
    plan.start_size = 0


@kind("Start Data of 16 bytes, with a u32 total")
def start16(plan: DataPlan, _: Any, place: int) -> None:
    plan.start_size = 16 if plan.start_size is None else plan.start_size


@kind("Start Data's total: a number, +N, -N, unknown or unknown32", announced_total, "unknown")
def announce(plan: DataPlan, total: str, place: int) -> None:
    if total == "unknown":
        plan.total = None
    elif total == "unknown32":
        plan.total = 0xFFFFFFFF
    else:
        number = int(total, 0) + (plan.announced if total[0] in "+-" else 0)
        plan.total = max(0, min(number, 0xFFFFFFFFFFFFFFFE))


# Data and End Data.


@kind("ends the data after `after` bytes, and answers OK")
def short_data(plan: DataPlan, _: Any, place: int) -> None:
    plan.cut(place)


@kind("ends it after `after` bytes with this code", int, 0x2007)
def error_after(plan: DataPlan, code: int, place: int) -> None:
    plan.cut(place)
    plan.code = code


@kind("ends it after `after` bytes: the object is gone for good", about_object=True)
def vanish(plan: DataPlan, _: Any, place: int) -> None:
    plan.cut(place)
    plan.code = ResponseCode.InvalidObjectHandle
    plan.vanishes = True


@kind("this many bytes more than announced", int, 1000)
def overrun(plan: DataPlan, size: int, place: int) -> None:
    plan.extra = size


@kind("no End Data, and not its payload")
def no_end(plan: DataPlan, _: Any, place: int) -> None:
    plan.ends = False


@kind("a second End Data")
def repeat_end(plan: DataPlan, _: Any, place: int) -> None:
    plan.ends_again = True


@kind("Data and End Data carry another transaction id")
def wrong_tid(plan: DataPlan, _: Any, place: int) -> None:
    plan.data_id = (plan.transaction_id + 1) & 0xFFFFFFFF


@kind("the packets of an old transaction come first")
def stale(plan: DataPlan, _: Any, place: int) -> None:
    old = max(1, plan.transaction_id) - 1
    plan.first = (
        pack(StartData(old, 3)),
        pack(EndData(old, b"old")),
        pack(OperationResponse(ResponseCode.OK, old)),
        *plan.first,
    )


@kind("the Operation Response comes before the data, and after")
def response_first(plan: DataPlan, _: Any, place: int) -> None:
    plan.first = (*plan.first, pack(OperationResponse(ResponseCode.OK, plan.transaction_id)))


# Foreign packets.


@kind("a Data packet that claims this length", int, 0)
def length(plan: DataPlan, claimed: int, place: int) -> None:
    head = pack(Data(plan.transaction_id, b""))
    plan.foreign += (Foreign(place, (claimed.to_bytes(4, "little") + head[4:],)),)


@kind("a packet of this type", int, 99)
def unknown_packet(plan: DataPlan, number: int, place: int) -> None:
    packet = (12).to_bytes(4, "little") + number.to_bytes(4, "little") + bytes(4)
    plan.foreign += (Foreign(place, (packet,)),)


@kind("an Event on the Command/Data connection")
def event_on_command(plan: DataPlan, _: Any, place: int) -> None:
    plan.foreign += (Foreign(place, (_EVENT,)),)


@kind("this many events on the Event connection", int, 100)
def event_burst(plan: DataPlan, count: int, place: int) -> None:
    plan.foreign += (Foreign(place, events=(_EVENT,) * count),)


@kind("a Probe Request on both connections")
def probe(plan: DataPlan, _: Any, place: int) -> None:
    request = pack(ProbeRequest())
    plan.foreign += (Foreign(place, (request,), (request,)),)
