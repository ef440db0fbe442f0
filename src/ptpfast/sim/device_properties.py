"""The device properties of a new simulated camera."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..ptp.codes import DataType, DevicePropCode
from ..ptp.datasets import DevicePropDesc, format_date_time
from ..vendors.body import Model
from .stored import PIXELS

IMAGE_SIZE = 0x5003
COMPRESSION_SETTING = 0x5004


def device_properties(now: datetime, model: Model) -> dict[int, DevicePropDesc]:
    """Return the properties of a new camera; SetDevicePropValue changes `current` in place."""
    clock, pixels = format_date_time(now), f"{PIXELS[0]}x{PIXELS[1]}"
    setting = model.compression_setting
    rows = [
        DevicePropDesc(DevicePropCode.BatteryLevel, DataType.UINT8, False, 100, 87, (0, 100, 1)),
        DevicePropDesc(IMAGE_SIZE, DataType.STR, False, pixels, pixels, [pixels]),
        DevicePropDesc(
            COMPRESSION_SETTING, DataType.UINT8, True, setting, setting, list(model.compression)
        ),
        DevicePropDesc(DevicePropCode.DateTime, DataType.STR, True, clock, clock),
        *(replace(row) for row in model.properties),
    ]
    return {row.code: row for row in rows}
