"""The device properties of Nikon's bodies: which there are, and those with codes of 32 bits.

Codes of 16 bits are read and written as the standard does it: a ZR closes the connection when one
of them is written with the operation for 32 bits (zcine). A Z 8 and a Z 9 refuse to describe many
properties over the network (libgphoto2 issue 1135).

Sources: libgphoto2 (ptp.h) for GetVendorPropCodes, zcine (PTPOperation.swift) for the others.
"""

from __future__ import annotations

import logging
from typing import Any

from ...engine.wire import Builder, Cursor
from ...ptp.codes import OperationCode
from ...ptp.datasets import DeviceInfo, DevicePropDesc, decode_array, write_value
from ...ptp.errors import ProtocolError, ResponseError
from ..dialect import Asks
from .codes import KIND_PROPERTIES, NikonOperation
from .datasets import parse_wide_prop_desc
from .generations import is_nikon_1, may_be_asked

log: logging.Logger = logging.getLogger("ptpfast")

WIDEST_STANDARD = 0xFFFF
MAX_CODES = 1 << 16  # bytes; bodies have some hundred codes
MAX_DESC = 1 << 20


def is_wide(info: DeviceInfo, code: int) -> bool:
    """Return whether a property is asked for with the operations for codes of 32 bits."""
    return code > WIDEST_STANDARD and may_be_asked(info, NikonOperation.GetDevicePropDescEx)


def codes(link: Asks, info: DeviceInfo) -> list[int]:
    """Return the codes that DeviceInfo lists, and those that only Nikon's operations list."""
    found = list(info.device_properties_supported)
    try:
        if may_be_asked(info, NikonOperation.GetVendorCodes):
            own = link.fetch(NikonOperation.GetVendorCodes, KIND_PROPERTIES, limit=MAX_CODES)
            found += decode_array(own, "u32", "GetVendorCodes")
        elif may_be_asked(info, NikonOperation.GetVendorPropCodes) and not is_nikon_1(info):
            own = link.fetch(NikonOperation.GetVendorPropCodes, limit=MAX_CODES)
            found += decode_array(own, "u16", "GetVendorPropCodes")
    except (ResponseError, ProtocolError) as error:
        log.debug("only the listed properties: %s", error)
    return list(dict.fromkeys(found))


def describe(link: Asks, code: int) -> DevicePropDesc:
    """Describe a property with a code of 32 bits."""
    payload = link.fetch(NikonOperation.GetDevicePropDescEx, code, limit=MAX_DESC)
    return parse_wide_prop_desc(payload)


def set_wide(link: Asks, desc: DevicePropDesc, value: Any) -> None:
    """Set a property with a code of 32 bits."""
    builder = Builder()
    write_value(builder, desc.data_type, value)
    link.command(NikonOperation.SetDevicePropValueEx, desc.code, data=bytes(builder))


def number(link: Asks, code: int, kind: str) -> int | None:
    """Return the value of a property of 16 bits; None if the camera does not tell it.

    Args:
        link: the session's link.
        code: the code of the property.
        kind: `u8` or `u32`.
    """
    try:
        cursor = Cursor(link.fetch(OperationCode.GetDevicePropValue, code, limit=64), "a property")
        value: int = getattr(cursor, kind)()
    except (ResponseError, ProtocolError) as error:
        log.debug("property 0x%X is not told: %s", code, error)
        return None
    return value


def set_number(link: Asks, code: int, value: int) -> bool:
    """Set a property of one byte; return False if the camera refuses."""
    try:
        link.command(OperationCode.SetDevicePropValue, code, data=bytes([value]))
    except ResponseError as error:
        log.debug("property 0x%X is not set: %s", code, error)
        return False
    return True
