"""Faults of datasets. An effect takes the right dataset and returns the one that is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...ptp.codes import ROOT_OBJECTS, OperationCode
from ...ptp.datasets import ObjectInfoDataset, decode, decode_array, encode, encode_array
from ..call import Call
from ..kinds import KindsAt, Stage, kinds_at

kind: KindsAt = kinds_at(Stage.DATASET)


@kind("a dataset of no bytes")
def empty_data(dataset: bytes, _: Any, call: Call) -> bytes:
    return b""


@kind("only this many bytes of the dataset", int, 7)
def cut_data(dataset: bytes, size: int, call: Call) -> bytes:
    return dataset[:size]


@kind("ObjectInfo says this size", int, 0, operation=OperationCode.GetObjectInfo)
def object_size(dataset: bytes, size: int, call: Call) -> bytes:
    return _object_info(dataset, object_compressed_size=size)


@kind("ObjectInfo says this file name", str, "../../evil", operation=OperationCode.GetObjectInfo)
def name(dataset: bytes, filename: str, call: Call) -> bytes:
    return _object_info(dataset, filename=filename)


@kind("ObjectInfo says this parent", int, 0, operation=OperationCode.GetObjectInfo)
def parent(dataset: bytes, handle: int, call: Call) -> bytes:
    return _object_info(dataset, parent_object=handle)


@kind("ObjectInfo says the object is its own parent", operation=OperationCode.GetObjectInfo)
def self_parent(dataset: bytes, _: Any, call: Call) -> bytes:
    return _object_info(dataset, parent_object=call.handle)


@kind("the array's count is this much too high", int, 1000)
def long_array(dataset: bytes, more: int, call: Call) -> bytes:
    count = int.from_bytes(dataset[:4], "little") + more
    return min(count, 0xFFFFFFFF).to_bytes(4, "little") + dataset[4:]


@kind(
    "the handle list has this handle too", int, 0xDEADBEEF, operation=OperationCode.GetObjectHandles
)
def extra_handle(dataset: bytes, handle: int, call: Call) -> bytes:
    return encode_array([*decode_array(dataset), handle])


@kind("the handle list is empty", operation=OperationCode.GetObjectHandles)
def no_handles(dataset: bytes, _: Any, call: Call) -> bytes:
    return encode_array([])


@kind("a request for all handles lists only the root", operation=OperationCode.GetObjectHandles)
def root_only(dataset: bytes, _: Any, call: Call) -> bytes:
    if call.handle:
        return dataset  # of a folder: as it is
    return encode_array(call.store.handles(call.request.parameters[0], 0, ROOT_OBJECTS))


def _object_info(dataset: bytes, **changes: Any) -> bytes:
    return encode(replace(decode(ObjectInfoDataset, dataset), **changes))
