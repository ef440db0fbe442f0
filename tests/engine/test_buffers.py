"""Buffers of the caller's: which of them the camera may fill, or receive."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conftest import Cameras, Sessions
from ptpfast import Session
from ptpfast.engine.buffers import plain_bytes
from ptpfast.engine.sink import MemorySink
from ptpfast.ptp.codes import OperationCode
from ptpfast.ptpip import PtpIpCmdRequest, PtpIpConnection
from ptpfast.sim import SimulatedCamera


class _Union(ctypes.Union):
    _fields_ = (("one", ctypes.py_object), ("other", ctypes.c_uint64))


class _Packed(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("number", ctypes.c_uint16), ("one", ctypes.py_object))


class _Derived(_Packed):
    _fields_ = (("more", ctypes.c_uint32),)


class _Holder(ctypes.Structure):
    _fields_ = (("number", ctypes.c_uint16), ("inner", _Union * 3))


class _Misleading(ctypes.Structure):
    _fields_ = (("a:", ctypes.c_uint32), ("<O:b", ctypes.py_object), ("c:", ctypes.c_uint32))


OBJECTS: dict[str, Callable[[], Any]] = {
    "array": lambda: np.empty(1000, object),
    "empty array": lambda: np.empty(0, object),
    "no dimension": lambda: np.empty((), object),
    "view": lambda: memoryview(np.empty(1000, object)),
    "strided": lambda: np.lib.stride_tricks.as_strided(np.empty(1000, object), (10,), (8,)),
    "records": lambda: np.empty(100, [("a", "<i4"), ("b", object)]),
    "nested records": lambda: np.empty(100, [("a", "<i4"), ("b", [("c", object, (2, 3))])]),
    "masked": lambda: np.ma.masked_array(np.empty(100, object)),
    "objects": lambda: (ctypes.py_object * 100)(),
    "pointers": lambda: (ctypes.POINTER(ctypes.c_int) * 100)(),
    "untyped pointers": lambda: (ctypes.c_void_p * 100)(),
    "text pointers": lambda: (ctypes.c_char_p * 100)(),
    "wide text pointers": lambda: (ctypes.c_wchar_p * 100)(),
    "functions": lambda: (ctypes.CFUNCTYPE(ctypes.c_int) * 100)(),
    "union": lambda: (_Union * 100)(),
    "view of a union": lambda: memoryview(_Union()),
    "packed": lambda: (_Packed * 100)(),
    "derived": _Derived,
    "deep within": lambda: (_Holder * 2 * 3)(),
    "odd names": _Misleading,
}
PLAIN: dict[str, Callable[[int], Any]] = {
    "bytearray": bytearray,
    "float64": lambda size: np.zeros(size // 8),
    "complex128": lambda size: np.zeros(size // 16, complex),
    "big-endian": lambda size: np.zeros(size // 4, ">u4"),
    "text": lambda size: np.zeros(size // 4, "U1"),
    "records": lambda size: np.zeros(size // 16, [("Object", "<i8"), ("P", "f4", (2,))]),
    "two dimensions": lambda size: np.zeros((2, size // 2), np.uint8),
    "ctypes": lambda size: (ctypes.c_uint16 * (size // 2))(),
    "cast": lambda size: memoryview(bytearray(size)).cast("Q"),
}


@pytest.fixture
def sim(camera: Cameras) -> SimulatedCamera:
    return camera(objects=1, size=4096)


@pytest.fixture
def session(sim: SimulatedCamera, connect: Sessions) -> Session:
    return connect(sim)


@pytest.mark.parametrize("name", OBJECTS)
def test_a_buffer_of_objects_or_pointers_is_never_filled(
    sim: SimulatedCamera, session: Session, name: str
) -> None:
    info = session.objects()[0]
    buffer = OBJECTS[name]()
    before = sim.operations.total()
    with pytest.raises(TypeError, match="Python objects or pointers"):
        MemorySink(buffer)
    with pytest.raises(TypeError, match="Python objects or pointers"):
        session.read_into(info, buffer, size=min(8, memoryview(buffer).nbytes))
    with session.open(info) as file, pytest.raises(TypeError, match="Python objects or pointers"):
        file.readinto(buffer)  # type: ignore[attr-defined]
    assert sim.operations.total() == before


@pytest.mark.parametrize("name", OBJECTS)
def test_a_buffer_of_objects_or_pointers_is_never_sent(
    sim: SimulatedCamera, session: Session, name: str
) -> None:
    code, buffer, before = OperationCode.SetDevicePropValue, OBJECTS[name](), sim.operations.total()
    for send in (session.link.command, session.transaction):
        with pytest.raises(TypeError, match="Python objects or pointers"):
            send(code, 0x5001, data=buffer)
    with PtpIpConnection() as seed:
        seed.session = session
        with pytest.raises(TypeError, match="Python objects or pointers"):
            seed.send_recieve_ptpip_packet(
                PtpIpCmdRequest(cmd=code, param1=0x5001, data_out=buffer), session
            )
        seed.session = None
    assert sim.operations.total() == before
    assert session.objects()  # and the session goes on


@pytest.mark.parametrize("name", PLAIN)
def test_a_buffer_of_numbers_is_filled(sim: SimulatedCamera, session: Session, name: str) -> None:
    info = session.objects()[0]
    buffer = PLAIN[name](4096)
    assert session.read_into(info, buffer) == 4096
    expected = b"".join(sim.store.expected(info.handle).spans(0, 4096))
    assert memoryview(buffer).tobytes() == expected


def test_a_refused_buffer_is_not_held() -> None:
    buffer = bytearray(10)
    view = memoryview(bytearray(16)).cast("P")
    with pytest.raises(TypeError):
        MemorySink(view)
    view.release()
    with pytest.raises(ValueError, match="outside"):
        MemorySink(buffer, offset=11)
    buffer.append(1)


@pytest.mark.parametrize(
    "buffer",
    [
        b"bytes",
        memoryview(b"x"),
        np.zeros((4, 4), order="F"),
        np.zeros(100, np.uint8)[::2],
        memoryview(bytearray(9))[::-3],
    ],
    ids=["bytes", "read-only", "columns first", "every second", "backwards"],
)
def test_what_cannot_be_filled_in_one_piece_is_refused(session: Session, buffer: Any) -> None:
    info = session.objects()[0]
    with pytest.raises((BufferError, ValueError)):
        session.read_into(info, buffer, size=1)


def test_a_view_cannot_be_released_nor_its_buffer_resized_while_it_is_filled(
    session: Session,
) -> None:
    owner = bytearray(4096)
    view = memoryview(owner)
    sink = MemorySink(view)
    for change in (view.release, lambda: owner.append(1)):
        with pytest.raises(BufferError):
            change()
    sink.abandon()
    view.release()
    with pytest.raises(ValueError, match="released"):
        session.read_into(session.objects()[0], view)


def test_a_buffered_reader_over_an_object_still_reads(session: Session) -> None:
    with io.BufferedReader(session.open(session.objects()[0])) as file:
        assert len(file.read()) == 4096


@pytest.mark.parametrize("data", [b"", bytearray(3), np.arange(3), np.zeros((0, 3))])
def test_plain_data_is_sent_as_its_bytes(data: Any) -> None:
    assert plain_bytes(data).tobytes() == memoryview(data).tobytes()
