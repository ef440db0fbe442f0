"""The simulated camera by default: a body of no vendor."""

from __future__ import annotations

from ...ptp.codes import DataType
from ...ptp.codes import DevicePropCode as Code
from ...ptp.datasets import DevicePropDesc
from ..body import Model
from .announcement import announces

_U16, _U32, _I16 = DataType.UINT16, DataType.UINT32, DataType.INT16
_TIMES = [10, 20, 40, 80, 167, 333, 667, 1250, 2500, 5000, 10_000]  # 1/1000 s to 1 s
_ISO = [100, 200, 400, 800, 1600, 3200, 6400, 0xFFFF]

# Some of the standard's properties that change how a picture is taken.
PROPERTIES = (
    DevicePropDesc(Code.WhiteBalance, _U16, True, 2, 2, [2, 4, 5, 6, 7]),
    DevicePropDesc(Code.FNumber, _U16, True, 560, 560, [280, 400, 560, 800, 1100, 1600]),
    DevicePropDesc(Code.ExposureProgramMode, _U16, False, 1, 1, [1, 2, 3, 4]),
    DevicePropDesc(Code.ExposureTime, _U32, True, 80, 80, _TIMES),
    DevicePropDesc(Code.ExposureIndex, _U16, True, 0xFFFF, 400, _ISO),
    DevicePropDesc(Code.ExposureBiasCompensation, _I16, True, 0, 0, (-3000, 3000, 500)),
    DevicePropDesc(Code.StillCaptureMode, _U16, True, 1, 1, [1, 2]),
)
MODEL = Model("ptpfast", "Simulated Camera", announces=announces, properties=PROPERTIES)
