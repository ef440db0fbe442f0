"""What a real Theta m15 says of itself.

Sources: a report of firmware 01.21 in libgphoto2's tree (camlibs/ptp2/cameras/ricoh-theta-m15.txt,
commit 813de344) for the properties; Ricoh's "PTP-IP reference" for operations and events.
"""

from __future__ import annotations

from ...ptp.codes import DataType, DevicePropCode
from ...ptp.datasets import DevicePropDesc
from ..body import Reported


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())


M15 = Reported(
    standard_version=110,
    vendor_extension_version=110,
    operations=_codes(
        """
        1001 1002 1003 1004 1005 1006 1007 1008 1009 100A 100B 100E 1014 1015 1016 1018 101C 1022
        99A1
        """
    ),
    events=_codes("4002 4006 4008 400A 400C 400D"),
    properties=_codes(
        """
        5001 5005 500F 5010 5011 5013 501A 501B 502C D006 D00F D801 D802 D803 D805 D806 D807 D808
        D809 D80A
        """
    ),
    capture_formats=_codes("3801"),
    image_formats=_codes("3801 300D 3001"),
)

# Their values and forms. The movie mode (0x8002) is inferred, and not here.
PROPERTIES = (
    DevicePropDesc(
        0x5005,
        DataType.UINT16,
        True,
        2,
        2,
        [2, 4, 32769, 32770, 6, 32800, 32771, 32772, 32773, 32774],
    ),
    DevicePropDesc(
        0x500F,
        DataType.UINT16,
        True,
        65535,
        65535,
        [100, 125, 160, 200, 250, 320, 400, 500, 640, 800, 1000, 1250, 1600, 65535],
    ),
    DevicePropDesc(
        0x5010,
        DataType.INT16,
        True,
        0,
        0,
        [2000, 1700, 1300, 1000, 700, 300, 0, -300, -700, -1000, -1300, -1700, -2000],
    ),
    DevicePropDesc(DevicePropCode.StillCaptureMode, DataType.UINT16, True, 1, 1, [0, 1, 3]),
    DevicePropDesc(0x501A, DataType.UINT16, True, 0, 0, (0, 65535, 1)),
    DevicePropDesc(0x501B, DataType.UINT32, True, 5000, 5000, (5000, 3600000, 1000)),
    DevicePropDesc(0x502C, DataType.UINT32, True, 100, 100, (0, 100, 1)),
    DevicePropDesc(0xD006, DataType.UINT32, False, 0, 0, None),
    DevicePropDesc(
        0xD00F,
        DataType.UINT64,
        True,
        536870912001,
        536870912001,
        [
            0,
            34359738368001,
            27487790694401,
            21474836480001,
            17179869184001,
            13743895347201,
            10737418240001,
            8589934592001,
            6871947673601,
            5368709120001,
            4294967296001,
            3435973836801,
            2748779069441,
            2147483648001,
            1717986918401,
            1374389534721,
            1073741824001,
            858993459201,
            687194767361,
            536870912001,
            429496729601,
            343597383681,
            257698037761,
            214748364801,
            171798691841,
            128849018881,
            107374182401,
            85899345921,
            64424509441,
            55834574849,
            42949672961,
            322122547210,
        ],
    ),
    DevicePropDesc(0xD801, DataType.STR, True, "", "", None),
    DevicePropDesc(0xD802, DataType.UINT8, True, 10, 10, (0, 30, 1)),
    DevicePropDesc(0xD803, DataType.UINT16, True, 300, 300, (0, 1800, 1)),
    DevicePropDesc(0xD805, DataType.STR, True, "", "", None),
    DevicePropDesc(0xD806, DataType.STR, True, "", "", None),
    DevicePropDesc(0xD807, DataType.UINT8, True, 1, 1, [0, 1, 6, 11]),
    DevicePropDesc(0xD808, DataType.UINT8, False, 0, 0, [0, 1]),
    DevicePropDesc(0xD809, DataType.UINT16, False, 0, 0, (0, 179, 1)),
    DevicePropDesc(0xD80A, DataType.UINT16, False, 0, 0, (0, 180, 1)),
)
