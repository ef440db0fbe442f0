"""Nikon's lists of properties, and properties with codes of 32 bits, for the simulated camera.

Source: zcine (PTPOperation.swift; a ZR) for the operations and for the one property here.
"""

from __future__ import annotations

from dataclasses import replace

from ...engine.wire import Builder, Cursor, OperationRequest
from ...ptp.codes import DataType, ResponseCode
from ...ptp.datasets import (
    DevicePropDesc,
    encode_array,
    encode_prop_desc,
    read_value,
    write_value,
)
from ...ptp.errors import ProtocolError
from ..body import Reply, Responder, parameter
from .codes import KIND_PROPERTIES, NikonProperty

# Speed or angle (zcine).
_SHUTTER_MODE = DevicePropDesc(NikonProperty.MovieShutterMode, DataType.UINT8, True, 1, 1, [1, 2])


def answer_property_codes(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with the codes of 16 bits (all but the third generation of Z)."""
    vendors_own = [code for code in camera.properties_supported if code >= 0xD000]
    return Reply(data=encode_array(vendors_own, "u16"))


def answer_vendor_codes(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with codes of 32 bits; only the kind of the properties is known here."""
    if parameter(request, 0) != KIND_PROPERTIES:
        return Reply(ResponseCode.InvalidParameter)
    narrow = [code for code in camera.properties if code >= 0xD000]
    return Reply(data=encode_array([*narrow, *_wide(camera)], "u32"))


def answer_desc_ex(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Describe a property with a code of 32 bits."""
    desc = _wide(camera).get(parameter(request, 0))
    if desc is None:
        return Reply(ResponseCode.DevicePropNotSupported)
    narrow = encode_prop_desc(replace(desc, code=desc.code & 0xFFFF))
    return Reply(data=desc.code.to_bytes(4, "little") + narrow[2:])


def answer_value_ex(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with the value of a property with a code of 32 bits."""
    desc = _wide(camera).get(parameter(request, 0))
    if desc is None:
        return Reply(ResponseCode.DevicePropNotSupported)
    builder = Builder()
    write_value(builder, desc.data_type, desc.current)
    return Reply(data=bytes(builder))


def answer_set_value_ex(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Set a property with a code of 32 bits."""
    desc = _wide(camera).get(parameter(request, 0))
    if desc is None:
        return Reply(ResponseCode.DevicePropNotSupported)
    try:
        value = read_value(Cursor(data, "property value"), desc.data_type)
    except ProtocolError:
        return Reply(ResponseCode.InvalidDevicePropFormat)
    if isinstance(desc.form, list) and value not in desc.form:
        return Reply(ResponseCode.InvalidDevicePropValue)
    desc.current = value
    return Reply()


def _wide(camera: Responder) -> dict[int, DevicePropDesc]:
    """Return the camera's properties with codes of 32 bits."""
    own: dict[int, DevicePropDesc] = camera.state.setdefault(
        "wide properties", {_SHUTTER_MODE.code: replace(_SHUTTER_MODE)}
    )
    return own
