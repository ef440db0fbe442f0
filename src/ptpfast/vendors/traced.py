"""What traces have to know of a vendor's operations: which send pictures, and where names stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ..ptp.codes import OperationCode
from ..ptp.datasets import decode_prop_desc
from ..ptp.errors import ProtocolError

Parameters = tuple[int, ...]
Place = tuple[int, int, str]  # of a text in a payload: start, end, encoding
# From the parameters of a request and its payload, the places of names.
Find = Callable[[Parameters, bytes], Iterable[Place]]
# Artist and Copyright of ISO 15740; SynchronizationPartner and DeviceFriendlyName of MTP.
NAMES = frozenset({0x501E, 0x501F, 0xD401, 0xD402})
VALUES = (OperationCode.GetDevicePropValue, OperationCode.SetDevicePropValue)
DESCRIPTIONS = (OperationCode.GetDevicePropDesc,)
_LABEL_AT = 26  # in StorageInfo: behind the numbers are a description and the label


@dataclass(frozen=True)
class Traced:
    """The operations of a vendor, as traces see them.

    Attributes:
        pictures: Operations that send pictures, thumbnails or live view frames. Traces cut them.
        ranges: Operations that send a range of an object → the places of the low and the high half
            of its offset among the parameters, and that of its size. What stands before is the
            object. Traces cut them, too.
        names: Operations whose payload may hold names or serial numbers → what finds them.
    """

    pictures: frozenset[int] = frozenset()
    ranges: Mapping[int, tuple[int, int, int]] = field(default_factory=dict)
    names: Mapping[int, Find] = field(default_factory=dict)


def of_properties(
    codes: Collection[int],
    values: Iterable[int] = VALUES,
    descriptions: Iterable[int] = DESCRIPTIONS,
) -> dict[int, Find]:
    """Return what finds the texts of properties, in the operations for values and descriptions."""

    def in_value(parameters: Parameters, payload: bytes) -> Iterator[Place]:
        if parameters and parameters[0] in codes and len(payload) == 1 + 2 * payload[0]:
            yield from string_at(payload, 0)

    def in_description(parameters: Parameters, payload: bytes) -> Iterator[Place]:
        if parameters and parameters[0] in codes:
            yield from _in_description(payload)

    found: dict[int, Find] = dict.fromkeys(values, in_value)
    return {**found, **dict.fromkeys(descriptions, in_description)}


def string_at(payload: bytes, at: int) -> Iterator[Place]:
    """Yield the units of PTP's string at a place, without the NUL at its end."""
    if at < len(payload):
        end = min(at + 1 + 2 * payload[at], len(payload))
        if end - at > 3:
            yield at + 1, end - 2, "utf-16-le"


def _in_storage_info(_: Parameters, payload: bytes) -> Iterator[Place]:
    if len(payload) > _LABEL_AT:
        yield from string_at(payload, _LABEL_AT + 1 + 2 * payload[_LABEL_AT])


def _in_description(payload: bytes) -> Iterator[Place]:
    with suppress(ProtocolError):
        described = decode_prop_desc(payload)
        for text in (described.factory_default, described.current):
            units = text.encode("utf-16-le") if isinstance(text, str) and text else b""
            at = payload.find(units)
            while units and at >= 0:
                yield at, at + len(units), "utf-16-le"
                at = payload.find(units, at + len(units))


STANDARD_TRACED = Traced(
    pictures=frozenset({OperationCode.GetObject, OperationCode.GetThumb, OperationCode.SendObject}),
    ranges={OperationCode.GetPartialObject: (1, 1, 2)},
    names={OperationCode.GetStorageInfo: _in_storage_info, **of_properties(NAMES)},
)
