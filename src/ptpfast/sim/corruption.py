"""What the faults of datasets make of them: bytes in, bytes out. Knows nothing of packets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..ptp.datasets import ObjectInfoDataset, decode, decode_array, encode, encode_array
from .faults import Fault

Corruption = Callable[[Fault, bytes, int], bytes]


def corrupt(fault: Fault, dataset: bytes, handle: int) -> bytes:
    """The dataset as a fault of stage DATASET leaves it; `handle` is the object it is about."""
    return _CORRUPTIONS[fault.kind](fault, dataset, handle)


def _object_info(**changes: Callable[[Fault, int], Any]) -> Corruption:
    def change(fault: Fault, dataset: bytes, handle: int) -> bytes:
        values = {field: value(fault, handle) for field, value in changes.items()}
        return encode(replace(decode(ObjectInfoDataset, dataset), **values))

    return change


def _long_array(fault: Fault, dataset: bytes, handle: int) -> bytes:
    count = int.from_bytes(dataset[:4], "little") + fault.number
    return min(count, 0xFFFFFFFF).to_bytes(4, "little") + dataset[4:]


def _extra_handle(fault: Fault, dataset: bytes, handle: int) -> bytes:
    return encode_array([*decode_array(dataset), fault.number])


_CORRUPTIONS: dict[str, Corruption] = {
    "empty_data": lambda _fault, _dataset, _handle: b"",
    "cut_data": lambda fault, dataset, _handle: dataset[: fault.number],
    "object_size": _object_info(object_compressed_size=lambda fault, _: fault.number),
    "name": _object_info(filename=lambda fault, _: str(fault.value)),
    "parent": _object_info(parent_object=lambda fault, _: fault.number),
    "self_parent": _object_info(parent_object=lambda _, handle: handle),
    "long_array": _long_array,
    "no_handles": lambda _fault, _dataset, _handle: encode_array([]),
    "root_only": lambda _fault, dataset, _handle: dataset,  # of a folder: as it is
    "extra_handle": _extra_handle,
}
