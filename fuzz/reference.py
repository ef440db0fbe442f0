"""A data phase read a second time: from the standard's tables, one packet after the other, slowly.

It shares no line with the engine. Given all bytes that came, it says what must be the outcome, so
that the engine can be compared with it however those bytes were cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import oracle

UNKNOWN_TOTALS = (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
LARGEST_CONTROL_PACKET = 65536
START_DATA, DATA, END_DATA, RESPONSE, PROBE_REQUEST, PROBE_RESPONSE = 9, 10, 12, 7, 13, 14


class BrokenRuleError(Exception):
    """The Responder did what the standard does not allow."""


@dataclass
class Outcome:
    """What a data phase has come to. `payload` is all that belongs to the object."""

    broken: bool = False
    done: bool = False
    started: bool = False
    ended: bool = False
    total: int | None = None
    payload: bytearray = field(default_factory=bytearray)
    response: tuple[int, tuple[int, ...]] | None = None
    foreign_packets: list[bytes] = field(default_factory=list)
    probes: int = 0
    rest: bytes = b""

    @property
    def complete(self) -> bool:
        """Whether the payload is whole."""
        if not self.started:
            return True
        return self.ended if self.total is None else len(self.payload) == self.total


def read_phase(
    stream: bytes, transaction_id: int, limit: int | None = None, any_id: bool = False
) -> Outcome:
    """The outcome of these bytes for a transaction."""
    outcome = Outcome()
    rest = stream
    try:
        while not outcome.done and (used := _packet(rest, outcome, transaction_id, limit, any_id)):
            rest = rest[used:]
    except BrokenRuleError:
        outcome.broken = True
    outcome.rest = rest
    return outcome


def _packet(
    rest: bytes, outcome: Outcome, transaction_id: int, limit: int | None, any_id: bool
) -> int:
    """Reads the packet at the start; how many bytes it had, 0 when it is not all there."""
    if len(rest) < 8:
        return 0
    length, kind = oracle.Reader(rest).values("I I")
    if kind in (DATA, END_DATA):
        return _data(rest, length, kind, outcome, transaction_id, limit)
    if not 8 <= length <= LARGEST_CONTROL_PACKET:
        raise BrokenRuleError
    if len(rest) < length:
        return 0
    packet = rest[:length]
    if kind == START_DATA:
        _start(packet, outcome, transaction_id, limit)
    elif kind == RESPONSE:
        _response(packet, outcome, transaction_id, any_id)
    elif kind == PROBE_REQUEST:
        outcome.probes += 1
    elif kind != PROBE_RESPONSE and len(outcome.foreign_packets) < 1000:
        outcome.foreign_packets.append(packet)
    return int(length)


def age_of(found: int, transaction_id: int) -> int:
    """How much later than ours a transaction is; ids wrap at 32 bits."""
    difference = (found - transaction_id) & 0xFFFFFFFF
    return difference - (1 << 32) if difference & 0x80000000 else difference


def _start(packet: bytes, outcome: Outcome, transaction_id: int, limit: int | None) -> None:
    if len(packet) < 16:
        raise BrokenRuleError
    found, total = oracle.Reader(packet[8:]).values("I Q" if len(packet) >= 20 else "I I")
    age = age_of(found, transaction_id)
    if age < 0:
        return
    if age > 0 or outcome.started:
        raise BrokenRuleError
    known = None if total in UNKNOWN_TOTALS else total
    if known is not None and limit is not None and known > limit:
        raise BrokenRuleError
    outcome.total, outcome.started = known, True


def _data(
    rest: bytes,
    length: int,
    kind: int,
    outcome: Outcome,
    transaction_id: int,
    limit: int | None,
) -> int:
    if length < 12:
        raise BrokenRuleError
    if len(rest) < 12:
        return 0
    age = age_of(oracle.Reader(rest[8:]).value("I"), transaction_id)
    here = rest[12:length]
    again = kind == END_DATA and outcome.ended and age == 0
    if age < 0 or (again and (length == 12 or outcome.total is not None)):
        return 12 + len(here) if len(here) == length - 12 else 0
    most = min(_most(limit), _most(outcome.total)) - len(outcome.payload)
    if age > 0 or outcome.ended or length - 12 > most:
        raise BrokenRuleError
    outcome.started = True
    outcome.payload += here
    if len(here) < length - 12:
        return 0
    outcome.ended = kind == END_DATA
    return int(length)


def _most(size: int | None) -> int:
    return 1 << 64 if size is None else size


def _response(packet: bytes, outcome: Outcome, transaction_id: int, any_id: bool) -> None:
    try:
        _, (code, found, parameters) = oracle.read_packet(packet)
    except oracle.LayoutError:
        raise BrokenRuleError from None
    age = age_of(found, transaction_id)
    if age and not any_id:
        if age > 0:
            raise BrokenRuleError
        return
    outcome.response, outcome.done = (code, parameters), True
