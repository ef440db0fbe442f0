"""Code numbers: in the ranges the standard gives them, once each, and named in messages."""

import pytest

from ptpfast.ptp import codes
from ptpfast.ptp.codes import (
    DataType,
    DevicePropCode,
    EventCode,
    FailReason,
    ObjectFormat,
    ObjectPropCode,
    OperationCode,
    ResponseCode,
    name_of,
)

ENUMS = [
    OperationCode, ResponseCode, EventCode, ObjectFormat, DevicePropCode, ObjectPropCode,
    DataType, FailReason,
]  # fmt: skip
# The high four bits tell the kind of a code (ISO 15740, 13.1); MTP has blocks among the vendors'.
RANGES = {
    OperationCode: [range(0x1000, 0x2000), range(0x9800, 0x9900)],
    ResponseCode: [range(0x2000, 0x3000), range(0xA800, 0xA900)],
    ObjectFormat: [range(0x3000, 0x4000), range(0xB800, 0xBB00)],
    EventCode: [range(0x4000, 0x5000), range(0xC800, 0xC900)],
    DevicePropCode: [range(0x5000, 0x6000)],
    ObjectPropCode: [range(0xDC00, 0xDE00)],
}


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_number_of_an_enum_has_one_name(enum):
    assert len(enum.__members__) == len(set(enum))


@pytest.mark.parametrize("enum", RANGES, ids=lambda enum: enum.__name__)
def test_every_code_lies_in_the_ranges_of_its_kind(enum):
    strays = [code for code in enum if not any(code in numbers for numbers in RANGES[enum])]
    assert strays == []


def test_every_enum_of_the_module_is_checked_here():
    there = {value for value in vars(codes).values() if isinstance(value, type)}
    assert {enum for enum in there if enum.__module__ == codes.__name__} == set(ENUMS)


# Written down a second time, out of libgphoto2's ptp.h, where a wrong digit would cost most.
@pytest.mark.parametrize(
    ("code", "number"),
    [
        (OperationCode.OpenSession, 0x1002),
        (OperationCode.GetObjectHandles, 0x1007),
        (OperationCode.GetObjectInfo, 0x1008),
        (OperationCode.GetObject, 0x1009),
        (OperationCode.GetThumb, 0x100A),
        (OperationCode.DeleteObject, 0x100B),
        (OperationCode.InitiateCapture, 0x100E),
        (OperationCode.FormatStore, 0x100F),
        (OperationCode.GetPartialObject, 0x101B),
        (OperationCode.GetObjectPropValue, 0x9803),
        (ResponseCode.OK, 0x2001),
        (ResponseCode.IncompleteTransfer, 0x2007),
        (ResponseCode.AccessDenied, 0x200F),
        (ResponseCode.DeviceBusy, 0x2019),
        (ResponseCode.TransactionCancelled, 0x201F),
        (EventCode.ObjectAdded, 0x4002),
        (EventCode.CaptureComplete, 0x400D),
        (ObjectFormat.Association, 0x3001),
        (ObjectPropCode.ObjectSize, 0xDC04),
    ],
    ids=repr,
)
def test_code_that_matters_most_has_the_number_of_ptp_h(code, number):
    assert code == number


def test_port_and_version_are_those_of_the_standard():
    assert codes.DEFAULT_PORT == 15740
    assert codes.PROTOCOL_VERSION.to_bytes(4, "little") == b"\0\0\1\0"


@pytest.mark.parametrize(
    ("enum", "code", "name"),
    [
        (ResponseCode, 0x2019, "DeviceBusy (0x2019)"),
        (ResponseCode, ResponseCode.OK, "OK (0x2001)"),
        (OperationCode, 0x90C7, "0x90C7"),
        (EventCode, 0x1_0000, "0x10000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_code_is_named_where_known_and_a_number_where_not(enum, code, name):
    assert name_of(enum, code) == name
