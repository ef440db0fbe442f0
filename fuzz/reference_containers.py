"""The same for containers: one has all the payload, the next is the response."""

from __future__ import annotations

import oracle

from .reference import LARGEST_CONTROL_PACKET, BrokenRuleError, Outcome, age_of

HEAD_SIZE = 12
DATA, RESPONSE = 2, 3


def read_containers(
    stream: bytes, transaction_id: int, limit: int | None = None, any_id: bool = False
) -> Outcome:
    """The outcome of these bytes for a transaction."""
    outcome = Outcome()
    rest = stream
    try:
        while not outcome.done and (used := _container(rest, outcome, transaction_id, limit)):
            if outcome.response is not None:
                _respond(rest[:used], outcome, transaction_id, any_id)
            rest = rest[used:]
    except BrokenRuleError:
        outcome.broken = True
    outcome.rest = rest
    return outcome


def _container(rest: bytes, outcome: Outcome, transaction_id: int, limit: int | None) -> int:
    """Reads the container at the start; how many bytes it had, 0 when it is not all there."""
    if len(rest) < 4:
        return 0
    length = oracle.Reader(rest).value("I")
    if length < HEAD_SIZE:
        raise BrokenRuleError
    if len(rest) < HEAD_SIZE:
        return 0
    _, kind, code, found = oracle.Reader(rest).values("I H H I")
    here = rest[HEAD_SIZE:length]
    is_whole = len(here) == length - HEAD_SIZE
    if kind == DATA:
        if age_of(found, transaction_id) >= 0:
            too_many = limit is not None and length - HEAD_SIZE > limit
            if age_of(found, transaction_id) > 0 or outcome.started or too_many:
                raise BrokenRuleError
            outcome.total, outcome.started = length - HEAD_SIZE, True
            outcome.payload += here
            outcome.ended = is_whole
        return int(length) if is_whole else 0
    if length > LARGEST_CONTROL_PACKET:
        raise BrokenRuleError
    if not is_whole:
        return 0
    if kind == RESPONSE:
        if len(here) % 4:
            raise BrokenRuleError
        parameters = tuple(oracle.Reader(here).values(" ".join("I" * (len(here) // 4))))
        outcome.response = code, parameters
    elif len(outcome.foreign_packets) < 1000:
        outcome.foreign_packets.append(rest[:length])
    return int(length)


def _respond(container: bytes, outcome: Outcome, transaction_id: int, any_id: bool) -> None:
    """Whether the response is to this transaction."""
    difference = age_of(oracle.Reader(container[8:]).value("I"), transaction_id)
    if difference > 0 and not any_id:
        outcome.response = None
        raise BrokenRuleError
    outcome.done = any_id or not difference
    if not outcome.done:
        outcome.response = None
