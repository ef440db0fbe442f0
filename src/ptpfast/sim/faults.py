"""Faults as data: what goes wrong, in which operation, after how many bytes, how often.

A `Fault` prints as a line of text and is parsed back from it. So a test's id shows its fault, and
`ptpfast simulate --fault TEXT` repeats it:

    drop on GetObject after 1048576
    respond=0x2019 on GetObjectInfo times 3
    stall=2.5 after-total 40000000 at 2

This module knows when each fault is due. The kinds and their effects are in `effects`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..ptp.arguments import several
from ..ptp.codes import OperationCode
from .effects import answers, breaks, data, datasets, handshake, responses
from .kinds import Kind, Stage, Value

# In the order of the modules: each stage's kinds as they stand there.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for module in (handshake, answers, breaks, datasets, data, responses)
    for kind in vars(module).values()
    if isinstance(kind, Kind)
}

AT_END = -1  # `after`: when the whole payload has been sent
FOR_EVER = 0  # `times`


@dataclass(frozen=True)
class Fault:
    """One fault. `KINDS` lists the kinds and the meaning of their `value`.

    It is due the `at`-th time an operation matches, and then `times` times; 0 is for ever. An
    operation matches if `operation` (None for any) and `handle` (its object) do.

    Attributes:
        after: A payload position in the operation; `AT_END` is after End Data. Faults of packets
            apply to the first packet that begins there or later.
        after_total: Bytes that the Command/Data connection has sent.
    """

    kind: str
    value: Value = None
    operation: int | None = None
    handle: int | None = None
    after: int | None = None
    after_total: int | None = None
    at: int = 1
    times: int = 1

    def __post_init__(self) -> None:
        row = KINDS.get(self.kind)
        if row is None:
            near = get_close_matches(self.kind, KINDS, 3)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(f"unknown fault {self.kind!r} (of {len(KINDS)} kinds){meant}")
        if row.value is None and self.value is not None:
            raise ValueError(f"{self.kind} takes no value")
        if row.value is not None:
            value = row.default if self.value is None else self.value
            object.__setattr__(self, "value", row.value(value))
        if self.after is not None and self.after_total is not None:
            raise ValueError("a fault has `after` or `after_total`, not both")
        if self.at < 1 or self.times < 0:
            raise ValueError("`at` counts from 1, and `times` must not be negative")

    @property
    def stage(self) -> Stage:
        return KINDS[self.kind].stage

    @property
    def number(self) -> int:
        """`value` as an int, for the kinds that take one."""
        return int(self.value or 0)

    def strike(self, target: Any, *more: Any) -> Any:
        """Call the effect of the kind with `target`, the object of its stage."""
        return KINDS[self.kind].effect(target, self.value, *more)

    def __str__(self) -> str:
        words = [self.kind]
        if self.value is not None:
            words[0] += "=" + _write_value(self.value)
        if self.operation is not None:
            words += ["on", _operation_name(self.operation)]
        if self.handle is not None:
            words += ["handle", f"0x{self.handle:08X}"]
        if self.after is not None:
            words += ["after", "end" if self.after == AT_END else str(self.after)]
        if self.after_total is not None:
            words += ["after-total", str(self.after_total)]
        if self.at != 1:
            words += ["at", str(self.at)]
        if self.times != 1:
            words += ["times", str(self.times)]
        return " ".join(words)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Parse a line of text. Raises ValueError with the reason."""
        words = _WORD.findall(text)
        if not words or _WORD.sub("", text).strip():
            raise ValueError(f"{text!r} is not a fault")
        kind, _, value = words[0].partition("=")
        if len(words) % 2 == 0:
            raise ValueError(f"{text!r}: {words[-1]!r} has no value")
        options: dict[str, int] = {}
        for word, argument in zip(words[1::2], words[2::2], strict=True):
            if word not in _OPTIONS or _OPTIONS[word] in options:
                raise ValueError(
                    f"{text!r}: {word!r} is unknown or repeated; use {', '.join(_OPTIONS)}"
                )
            try:
                options[_OPTIONS[word]] = _read_option(word, argument)
            except ValueError:
                raise ValueError(f"{text!r}: {argument!r} is not a value for {word!r}") from None
        return cls(kind, _read_value(kind, value) if value else None, **options)


# A word with an optional value; a value with blanks or signs in it is a JSON string.
_WORD = re.compile(r'[^\s="]+(?:=(?:"(?:[^"\\]|\\.)*"|[^\s"]*))?')
_OPTIONS = {
    "on": "operation",
    "handle": "handle",
    "after": "after",
    "after-total": "after_total",
    "at": "at",
    "times": "times",
}
_UNITS = {"k": 1000, "M": 1000**2, "G": 1000**3, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_PLAIN = re.compile(r'[^\s="\\\x00-\x1f\x7f]+')


def _read_number(text: str) -> int:
    """Parse `4096`, `0x1000`, `4k` or `1MiB`."""
    for unit, factor in _UNITS.items():
        if text.endswith(unit) and text.removesuffix(unit).isdecimal():
            return int(text.removesuffix(unit)) * factor
    return int(text, 0)


def _read_option(word: str, argument: str) -> int:
    if word == "on":
        return OperationCode[argument] if argument in _OPERATIONS else int(argument, 0)
    if word == "after" and argument == "end":
        return AT_END
    return _read_number(argument)


def _read_value(kind: str, text: str) -> Value:
    if text.startswith('"'):
        text = json.loads(text)
    row = KINDS.get(kind)
    return _read_number(text) if row is not None and row.value is int else text


def _write_value(value: int | float | str) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else json.dumps(value)
    if isinstance(value, int) and value > 0xFFF:
        return f"0x{value:X}"
    return f"{value:g}" if isinstance(value, float) else str(value)


_OPERATIONS = frozenset(OperationCode.__members__)


def _operation_name(code: int) -> str:
    try:
        return OperationCode(code).name
    except ValueError:
        return f"0x{code:04X}"


class FaultTable:
    """The faults of a simulated camera, and how often each was due. Thread-safe."""

    def __init__(self, faults: Iterable[Fault | str] | Fault | str = ()) -> None:
        self._lock = threading.Lock()
        self._rows: list[tuple[Fault, list[int]]] = []
        self.fired: list[Fault] = []
        for fault in several("faults", faults, (Fault, str), "a fault"):
            self.add(fault)

    def add(self, fault: Fault | str) -> None:
        """Add a fault; it counts operations from now on."""
        fault = Fault.parse(fault) if isinstance(fault, str) else fault
        with self._lock:
            self._rows.append((fault, [0]))

    def clear(self) -> None:
        """Stop all faults; `fired` is kept."""
        with self._lock:
            self._rows.clear()

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter([fault for fault, _ in self._rows])

    def due_at_init(self, *, on_event: bool) -> list[Fault]:
        """Return the faults of a handshake, on the Command/Data or the Event connection."""
        return self._take(
            lambda fault: fault.stage is Stage.INIT and KINDS[fault.kind].on_event == on_event
        )

    def due_before(self, operation: int, handle: int) -> list[Fault]:
        """Return the faults that come before the operation."""
        return self._take(
            lambda fault: (
                _fits(fault, operation, handle)
                and fault.after is None
                and fault.after_total is None
                and fault.stage in (Stage.ANSWER, Stage.BREAK)
            )
        )

    def due_during(
        self,
        operation: int,
        handle: int,
        size: int | None,
        sent_before: int,
        *,
        about_object: bool = True,
        dataset: bool = True,
    ) -> list[tuple[int, Fault]]:
        """Return the faults of a data phase and response, each with its position in the payload.

        `size` is the payload's, None without a data phase. `sent_before` counts the payload bytes
        of the connection so far. `about_object` says whether the operation is about an object of
        the card, and `dataset` whether its payload is a dataset instead of an object's bytes.
        """
        places: dict[int, int] = {}

        def reached(fault: Fault) -> bool:
            if not _fits(fault, operation, handle):
                return False
            if size is None and fault.stage in (Stage.DATASET, Stage.DATA):
                return False
            if KINDS[fault.kind].about_object and not about_object:
                return False
            if fault.stage is Stage.DATASET and not dataset:
                return False
            place = _place(fault, size or 0, sent_before)
            if place is not None:
                places[id(fault)] = place
            return place is not None

        due = self._take(reached)
        return sorted(((places[id(fault)], fault) for fault in due), key=lambda row: row[0])

    def _take(self, fits: Callable[[Fault], bool]) -> list[Fault]:
        due = []
        with self._lock:
            for fault, seen in self._rows:
                if not fits(fault):
                    continue
                seen[0] += 1
                if seen[0] >= fault.at and (
                    fault.times == FOR_EVER or seen[0] < fault.at + fault.times
                ):
                    due.append(fault)
            self.fired += due
        return due


def _fits(fault: Fault, operation: int, handle: int) -> bool:
    return (
        fault.operation in (None, operation)
        and fault.handle in (None, handle)
        and KINDS[fault.kind].operation in (None, operation)
    )


def _place(fault: Fault, size: int, sent_before: int) -> int | None:
    """Return the payload position of a fault; None if it is not due, or at another stage."""
    if fault.stage in (Stage.INIT, Stage.ANSWER):
        return None
    if fault.after_total is not None:
        place = fault.after_total - sent_before
        return place if 0 <= place <= size else None
    if fault.after == AT_END:
        return size + 1  # beyond the last byte: End Data has been sent too
    if fault.after is not None:
        return fault.after if fault.after <= size else None
    return 0 if fault.stage is not Stage.BREAK else None
