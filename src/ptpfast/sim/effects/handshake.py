"""Faults of the handshake. An effect changes the `Greeting` of one connection.

`at` counts Command/Data connections, or Event connections for the kinds of those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..kinds import KindsAt, Stage, kinds_at

kind: KindsAt = kinds_at(Stage.INIT)

_PADDED_NAME_UNITS = 40


@dataclass
class Greeting:
    """The answer to the first packet of a connection."""

    closes: bool = False  # closes the connection instead
    silent: bool = False  # never answers
    refusal: int | None = None  # reason of an Init Fail
    number: int | None = None  # connection number, instead of the next one
    late_s: float | None = None  # the Event connection is welcomed after so long
    drops_at_probe: bool = False
    ack: Callable[[bytes], bytes] = bytes  # makes the ack that is sent from the right one


@kind("Init Fail with this reason", int, 3)
def init_fail(greeting: Greeting, reason: int) -> None:
    greeting.refusal = reason


@kind("Init Command Request is never answered")
def init_silence(greeting: Greeting, _: Any) -> None:
    greeting.silent = True


@kind("closes the connection instead of Init Command Ack")
def init_drop(greeting: Greeting, _: Any) -> None:
    greeting.closes = True


@kind("Init Command Ack ends after the name")
def init_no_version(greeting: Greeting, _: Any) -> None:
    greeting.ack = lambda ack: ack[:-4]


@kind("Init Command Ack's name is padded to 40 units, no version")
def init_padded_name(greeting: Greeting, _: Any) -> None:
    greeting.ack = lambda ack: ack[:28] + ack[28:-4].ljust(2 * _PADDED_NAME_UNITS, b"\0")


@kind("Init Command Ack carries this connection number", int, 0)
def init_number(greeting: Greeting, number: int) -> None:
    greeting.number = number


@kind("Init Fail with this reason on the Event connection", int, 3, on_event=True)
def event_fail(greeting: Greeting, reason: int) -> None:
    greeting.refusal = reason


@kind("Init Event Request is never answered", on_event=True)
def event_silence(greeting: Greeting, _: Any) -> None:
    greeting.silent = True


@kind("closes both connections at a Probe Request", on_event=True)
def event_probe_drop(greeting: Greeting, _: Any) -> None:
    greeting.drops_at_probe = True


@kind("Init Event Ack comes after these seconds", float, 0.2, on_event=True)
def event_late(greeting: Greeting, seconds: float) -> None:
    greeting.late_s = seconds
