"""Cameras without a vendor's folder: Android's reads beyond 4 GiB."""

from __future__ import annotations

from dataclasses import replace

import pytest

import ptpfast
from ptpfast.engine.wire import OperationRequest
from ptpfast.ptp.datasets import DeviceInfo
from ptpfast.sim import SimulatedCamera, Store, check
from ptpfast.vendors import STANDARD
from ptpfast.vendors.body import Manners, ObjectRange, Reply, Responder, parameter

SIZE = (5 << 30) + 7


def _partial_64(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    handle, low, high, most = (parameter(request, index) for index in range(4))
    offset, size = low | high << 32, camera.object_size(handle) or 0
    sent = min(most, size - offset)
    return Reply(parameters=(sent,), data=ObjectRange(handle, offset, sent))


def android(extension: str) -> SimulatedCamera:
    """A body that lists 0x95C1, with a movie of more than 4 GiB."""

    def told(_: Responder, info: DeviceInfo) -> DeviceInfo:
        return replace(info, vendor_extension_desc=extension)

    model = replace(
        STANDARD.model, operations={0x95C1: _partial_64}, manners=Manners(device_info=told)
    )
    store = Store()
    store.add("A.MOV", SIZE)
    return SimulatedCamera(replace(STANDARD, body=model), store=store)


def test_the_end_of_a_large_object_is_read_with_androids_operation() -> None:
    extension = "microsoft.com: 1.0; android.com: 1.0;"
    with (
        android(extension) as camera,
        ptpfast.connect(camera.host, port=camera.port) as session,
    ):
        (info,) = session.objects()
        assert info.size == SIZE
        end = bytearray(100_000)
        offset = SIZE - len(end)
        assert session.read_into(info, end, offset=offset) == len(end)
        assert check(camera.store.expected(info.handle), bytes(end), offset)
        assert camera.operations[0x95C1] > 0


def test_the_same_number_of_another_maker_is_not_used() -> None:
    with (
        android("example.com: 1.0") as camera,
        ptpfast.connect(camera.host, port=camera.port) as session,
    ):
        (info,) = session.objects()
        with pytest.raises(ptpfast.TransferError, match="cannot send parts"):
            session.read_into(info, bytearray(10), offset=SIZE - 10)
        assert camera.operations[0x95C1] == 0
