"""What traces have to know of Canon's operations."""

from __future__ import annotations

from collections.abc import Iterator

from ..traced import Parameters, Place, Traced
from .codes import CanonEvent, CanonOperation
from .properties import TEXTS

_EVENT_HEAD = 12  # of a record about a property: size, code, property
_SETTING_HEAD = 8  # size, property


def _number(payload: bytes, at: int) -> int:
    return int.from_bytes(payload[at : at + 4], "little")


def _in_events(_: Parameters, payload: bytes) -> Iterator[Place]:
    """Yield the texts of the records that report a property with a name."""
    at = 0
    while at + _EVENT_HEAD <= len(payload):
        size, code, of = (_number(payload, at + place) for place in (0, 4, 8))
        if size < 8:
            return
        if code == CanonEvent.PropValueChanged and of in TEXTS and size > _EVENT_HEAD:
            yield from _text(payload, at + _EVENT_HEAD, min(at + size, len(payload)))
        at += size


def _in_setting(_: Parameters, payload: bytes) -> Iterator[Place]:
    if len(payload) > _SETTING_HEAD and _number(payload, 4) in TEXTS:
        yield from _text(payload, _SETTING_HEAD, len(payload))


def _text(payload: bytes, start: int, end: int) -> Iterator[Place]:
    size = len(payload[start:end].rstrip(b"\0"))
    if size:
        yield start, start + size, "utf-8"


TRACED = Traced(
    pictures=frozenset(
        {CanonOperation.GetObjectEx, CanonOperation.GetThumbEx, CanonOperation.GetViewFinderData}
    ),
    ranges={CanonOperation.GetPartialObjectEOS: (1, 1, 2)},
    names={
        CanonOperation.GetEvent: _in_events,
        CanonOperation.SetDevicePropValueEx: _in_setting,
    },
)
