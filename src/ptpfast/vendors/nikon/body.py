"""What real Nikon bodies say of themselves in DeviceInfo: the codes they list.

For the simulated camera, which is then a body that lists what the real one lists. The lists are
facts, taken from the reports of real bodies in libgphoto2's tree (camlibs/ptp2/cameras/, commit
813de344): read over USB, serial numbers left out. `models` makes a `Model` of each.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...ptp.codes import DataType, ObjectFormat
from ...ptp.datasets import DevicePropDesc
from ..vendor import Habits, Model, Reported, ResponderOperation


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())


# nikon-d5300.txt. The body's own vendor extension, and the formats, are those of a published report
# over its Wi-Fi (firmware V1.03, 2021); libgphoto2 rewrites the extension to Nikon's number.
D5300 = Reported(
    vendor_extension_version=100,
    vendor_extension_desc="microsoft.com: 1.0",
    operations=_codes(
        """
        1001 1002 1003 1004 1005 1006 1007 1008 1009 100A 100B 100C 100D 100E 100F 1014 1015
        1016 101B 90C0 90C1 90C2 90C3 90C4 90C7 90C8 90C9 90CA 90CB 90CC 90CD 90CE 90CF 9201
        9202 9203 9204 9205 9206 9207 9209 920A 920B 920C 9400 9407 9408 9409 940A 940B 9801
        9802 9803 9805
        """
    ),
    events=_codes("4001 4002 4003 4004 4005 4006 4007 4008 4009 400A 400C 400D C101 C102 C105"),
    properties=_codes(
        """
        5001 5003 5004 5005 5007 5008 500A 500B 500C 500D 500E 500F 5010 5011 5013 5018 501C
        D303 D406 D407 D015 D017 D018 D019 D01A D01B D01C D01D D01F D025 D026 D032 D036 D037
        D045 D048 D054 D056 D05D D061 D066 D06A D06B D06C D070 D078 D08A D08D D08F D090 D091
        D092 D09C D0A0 D0A2 D0A4 D0A6 D0A7 D0A8 D0AA D0AB D0B5 D0C0 D0C1 D0C2 D0C3 D0C4 D0C5
        D0C6 D0E0 D0E1 D0E2 D0E3 D0E4 D0E5 D0E6 D0F8 D0F9 D100 D101 D102 D104 D105 D108 D109
        D10B D10E D120 D121 D122 D124 D125 D126 D130 D149 D14E D14F D161 D163 D164 D167 D16A
        D183 D1A2 D1A3 D1A4 D1AC D1B0 D1B1 D1B2 D1B3 D1B4 D1B5 D1C0 D1C1 D1F0 D1F1 D1F4 D200
        D201
        """
    ),
    capture_formats=_codes("3801 3000"),
    image_formats=_codes("3000 3001 3002 3006 300D 3801"),
)

# nikon-z6.txt, firmware V1.00. Its 0x94xx operations reach beyond 4 GiB; it has none of MTP's.
Z_6 = Reported(
    vendor_extension_version=110,
    vendor_extension_desc="Microsoft.com/DeviceServices: 1.0",
    operations=_codes(
        """
        1001 1002 1003 1004 1005 1006 1007 1008 1009 100A 100B 100C 100D 100E 100F 1014 1015
        1016 101B 90C0 90C1 90C2 90C3 90C4 90C7 90C8 90C9 90CA 90CB 90CC 90CD 90CE 90CF 9201
        9202 9203 9204 9205 9206 9207 9209 920A 920B 920C 920F 9400 9402 9403 9404 9405 9406
        940C 9414 9415 9416 9417 9418 9419 941A 941B 941C 9420 9421 9423 9424 9425 9426 9428
        9431 9432 9520 9521 9522 9523
        """
    ),
    events=_codes(
        """
        4001 4002 4003 4004 4005 4006 4007 4008 4009 400A 400C 400D C101 C102 C105 C108 C10A
        C10B C10C C10E C120 C121 C122 C123 C700
        """
    ),
    properties=_codes(
        """
        5001 5003 5004 5005 5007 5008 500A 500B 500C 500D 500E 500F 5010 5011 5013 5018 501C
        501E 501F D303 D406 D407 D015 D016 D017 D018 D019 D01A D01B D01C D01D D01E D01F D021
        D022 D023 D024 D026 D027 D028 D029 D02E D02F D030 D032 D034 D038 D039 D03A D03B D03C
        D03D D03E D03F D045 D046 D048 D049 D04F D053 D054 D056 D059 D05A D05B D05C D061 D067
        D068 D069 D06A D06B D06C D070 D072 D073 D074 D075 D078 D079 D07A D07C D07D D07E D08A
        D08D D08F D090 D091 D093 D09C D09D D0A0 D0A2 D0A4 D0A7 D0A8 D0AA D0AC D0AD D0AE D0AF
        D0B4 D0B5 D0B6 D0B7 D0BA D0BB D0BC D0BD D0BF D0C0 D0C1 D0C2 D0C3 D0C4 D0C5 D0C6 D0C7
        D0CC D0E0 D0E1 D0E2 D0E3 D0E4 D0E5 D0E6 D0E7 D0F7 D0F8 D0FC D100 D101 D102 D104 D105
        D106 D109 D10B D10C D10E D112 D113 D118 D120 D121 D122 D124 D125 D126 D12D D12E D130
        D131 D132 D133 D138 D141 D149 D14E D14F D150 D152 D153 D154 D155 D158 D159 D15A D15B
        D15C D15D D15E D164 D16A D17A D17B D17C D17D D17E D183 D197 D199 D1A2 D1A4 D1A6 D1A8
        D1A9 D1AA D1AB D1AC D1AD D1AF D1B0 D1B1 D1B2 D1B3 D1B4 D1B7 D1B8 D1B9 D1BB D1BC D1BD
        D1DE D1DF D1E2 D1E3 D1E4 D1E5 D1E6 D1E7 D1E8 D1E9 D1EA D1EC D1ED D1F0 D1F1 D1F4 D1F8
        D1F9 D1FA D1FB D1FC D1FD D1FE D200 D20D D20E D20F D211 D212 D213 D214 D215 D216 D218
        D219 D21A D21B D21C D21D D21E D21F D220 D221 D222 D223 D224 D225 D226 D227 D228 D229
        D22A D22B D22C D22D D22E D22F D230 D231 D232 D233 D234 D235 D236 D237 D239 D23A D23B
        D23C D23D D23E D23F D314
        """
    ),
    capture_formats=_codes("3801 380D 3000"),
    image_formats=_codes("3801 3000 3001 380D 3002 300D B982"),
)

_RAW, _JPEG, _BOTH = (True, False), (False, True), (True, True)
# CompressionSetting, as published clients set it. Newer bodies, among them the Z 6, have two JPEG
# qualities for each of the D5300's, and a TIFF (6), which is a JPEG here.
_D5300_FILES = {0: _JPEG, 1: _JPEG, 2: _JPEG, 4: _RAW, 5: _BOTH, 6: _BOTH, 7: _BOTH}
_Z_6_FILES = {**dict.fromkeys(range(7), _JPEG), 7: _RAW, **dict.fromkeys(range(8, 14), _BOTH)}

# One End Data carries all payload (airmtp: D7200, J4, D750); ids that do not rise are accepted (the
# D5300's and airmtp's Python clients send such); a body writes for a moment after a picture.
HABITS = Habits(end_data="whole", strict_tid=False, busy_polls=2, busy_s=2.0)


def _body(
    name: str,
    version: str,
    extension: int,
    folder: str,
    reported: Reported,
    compression: dict[int, tuple[bool, bool]],
    operations: Mapping[int, ResponderOperation],
) -> Model:
    return Model(
        manufacturer="Nikon Corporation",
        name=name,
        device_version=version,
        vendor_extension_id=extension,
        folder=folder,
        file_stem="DSC_",
        raw_extension="NEF",
        raw_format=ObjectFormat.Undefined,
        operations={
            code: answer for code, answer in operations.items() if code in reported.operations
        },
        polled_events=True,
        reported=reported,
        habits=HABITS,
        serial_digits=32,  # as the D5300 has it: zeros in front
        compression=compression,
        compression_setting=max(compression),
        # RecordingMedia and ApplicationMode, as a D7200 and a Z 6 describe them (libgphoto2).
        properties=(
            DevicePropDesc(0xD10B, DataType.UINT8, True, 0, 0, (0, 2, 1)),
            DevicePropDesc(0xD1F0, DataType.UINT8, True, 0, 0, (0, 1, 1)),
        ),
    )


def models(operations: Mapping[int, ResponderOperation]) -> dict[str, Model]:
    """The bodies by name; each answers those of `operations` that it lists."""
    return {
        "nikon-d5300": _body(
            "D5300", "V1.03", 0x00000006, "100D5300", D5300, _D5300_FILES, operations
        ),
        # The folder is that of cards of Z 6 bodies, as people's scripts that copy from one name it.
        "nikon-z6": _body("Z 6", "V1.00", 0x0000000A, "100NCZ_6", Z_6, _Z_6_FILES, operations),
    }
