"""The codes and properties that real Sony bodies list.

Source: reports of real bodies in libgphoto2's tree (camlibs/ptp2/cameras/, commit 813de344), read
over USB, without serial numbers. The reports of the ILCE-7M4 and the ILCE-7RM3 have no operations
and events: these are inferred, see each.
"""

from __future__ import annotations

from ...ptp.codes import DataType, DevicePropCode
from ...ptp.datasets import DevicePropDesc
from ..body import Reported


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())


_TYPES = {
    "u8": DataType.UINT8,
    "i8": DataType.INT8,
    "u16": DataType.UINT16,
    "i16": DataType.INT16,
    "u32": DataType.UINT32,
}
# Read-only in the list of a real ILCE-6000.
_READ_ONLY = frozenset(
    {0xD20E, 0xD213, 0xD214, 0xD215, 0xD217, 0xD218, 0xD219, 0xD21B, 0xD21D, 0xD21F, 0xD221}
)


def _properties(text: str) -> tuple[DevicePropDesc, ...]:
    """Read lines of code, type, value, and the allowed values: `a-b/step` or a list."""
    lines = text.replace("\n      ", " ").splitlines()  # a long line is continued further right
    return tuple(_property(line.split()) for line in lines if line.strip())


def _property(words: list[str]) -> DevicePropDesc:
    code, kind, value, *allowed = words
    form: tuple[int, int, int] | list[int] | None = None
    if allowed and "/" in allowed[0]:
        low, high, step = (int(part) for part in allowed[0].replace("..", "/").split("/"))
        form = (low, high, step)
    elif allowed:
        form = [int(part) for part in allowed]
    number = int(code, 16)
    current = int(value)
    writable = number not in _READ_ONLY
    return DevicePropDesc(number, _TYPES[kind], writable, current, current, form)


# sony-a7m4.txt
A7M4_PROPERTIES = _properties(
    """
    5005 u16 2 2 4 32785 32784 6 32769 32770 32771 32772 7 32816 32786 32800 32801 32802
    5007 u16 800 560..3200/1
    500A u16 1
    500B u16 32769 32769 32770 32772 32773 32771 32774
    500C u16 3
    5010 i16 0
    D200 i16 0
    D201 u8 31 1 31 17 18 19 20 21
    D203 u8 1 1 2 3
    D20D u32 327690 73536..1966081/1
    D20E u8 14
    D20F u16 5500 2500..9900/100
    D211 u8 1 1 3 2 4
    D213 u8 1
    D217 u8 1
    D218 u8 80 0..100/1
    D21E u32 16777215
    D21F u8 1
    D221 u8 1
    D222 u16 1 1 17 16
    500E u16 3
    5013 u16 32784 1 32784 2 32789 32786 32772 32771 32773 32776 32777 32780 32781 32782 32783
      33591 34103 35127 33623 34135 35159 33655 34167 35191 33553 34065 35089 33569 34081
      33585 34097 33590 34102 35126 33622 34134 35158 33654 34166 35190 33552 34064 35088
      33568 34080 33584 34096 32808 32792 32809 32793
    D214 u32 80716000 0..4294967295/1
    D215 u16 0 0..65535/1
    """
)


# sony-a7r3.txt
A7R3_PROPERTIES = _properties(
    """
    5005 u16 2 1 2 4 32785 32784 6 32769 32770 32771 32772 7 32816 32786 32800 32801 32802
    5007 u16 400 0..65535/1
    500A u16 32773 1 2 32772 32773 32774 32777
    500B u16 32769 32769 32770 32772 32773 32771 32774
    500C u16 1 2 1 4 3 5 32769 32771 32817 32818 32833 32834
    500E u16 32768 32768 2 3 4 1 32848 32849 32850 32851 32852 32900 32901 32902 32903 32792
    5010 i16 0 0 5000 4700 4500 4300 4000 3700 3500 3300 3000 2700 2500 2300 2000 1700 1500
      1300 1000 700 500 300 -300 -500 -700 -1000 -1300 -1500 -1700 -2000 -2300 -2500 -2700
      -3000 -3300 -3500 -3700 -4000 -4300 -4500 -4700 -5000
    5013 u16 1 1 32784 2 32789 32786 32773 32771 32772 32776 32777 32780 32781 32782 32783
    D200 i16 0 0 3000 2700 2500 2300 2000 1700 1500 1300 1000 700 500 300 -300 -500 -700 -1000
      -1300 -1500 -1700 -2000 -2300 -2500 -2700 -3000
    D201 u8 31 1 31 17 18 19 20 21 32 33 34 35 36 37 38
    D203 u8 1 1 2 3
    D20D u32 65696 0..4294967295/1
    D20E u8 15 1 2 3 11 8 9 10 4 12 5 13 6 14 7 15 16
    D20F u16 0 2500..9900/100
    D211 u8 1 1 2
    D213 u8 1 1 2 3 5 6 7
    D21E u32 16777215 16777215 25 50 64 80 100 125 160 200 250 320 400 500 640 800 1000 1250
      1600 2000 2500 3200 4000 5000 6400 8000 10000 12800 16000 20000 25600 32000 40000 51200
      64000 80000 102400 128000 160000 204800 256000 320000 409600 33554431 16777241 16777266
      16777280 16777296 16777316 16777341 16777376 16777416 16777466 16777536 16777616
      16777716 16777856 16778016 16778216 16778466 16778816 16779216 16779716 16780416
      16781216 16782216 16783616 16785216 16787216 16790016 16793216 16802816 16828416
      16879616 16982016 17186816 50331647 33554532 33554632 33554832 33555232 33556032
      33557632 33560832 33567232 33580032 33605632 33656832 33759232 33964032
    D21B u16 32768 32768
    D21D u8 0 0..2/1
    D21F u8 1 2 1
    D217 u8 1 2 1
    D218 i8 90 -1..100/1
    D219 u8 1 2 1
    D212 u8 0 0..15/1
    D210 u8 192 164..220/1
    D21C u8 192 164..220/2
    D222 u16 1 1 17
    D22C u16 1 1 2 3 257 258 259 260 513 514 515 516 517 518 519 261 520
    D22D u8 0 0 1 2
    D22E u16 62
    D22F u16 0
    D230 u32 20971734
    D231 u8 1 1 2
    D232 u32 20971734
    D233 u8 0 0 1
    D235 u8 0 0 1
    D236 u8 1 0 1
    D238 u8 0 0 1
    D239 u8 0 0 1
    D23A u16 4 1 4
    D23B u16 1 1 2 3 4 5 10 15 30
    D23C u8 0 0 1
    D23D u16 4 1 2 3 4
    D221 u8 1 0 1 2
    D214 u32 57464832 0..4294967295/1
    D215 u16 0 0..65535/1
    D2C1 u16 1 1 2
    D2C2 u16 1 1 2
    D2C3 u16 1 1 2
    D2C9 u16 1 1 2
    D2C8 u16 1 1 2
    D2C5 u16 1 1 2
    D2C7 u16 1 1 2
    D2CB u16 1 1 2
    D2CC u16 1 1 2
    D2CD u16 1 1 2
    D2CE u16 1 1 2
    D2CF u16 1 1 2
    D2D0 u16 1 1 2
    D2D2 u16 1 1 2
    D2D3 u16 1 1 2
    D2D4 u16 1 1 2
    D2D1 i16 0 -7..7/1
    """
)


# sony-a7sm3.txt, firmware 3.00: content transfer, no content lists yet.

A7SM3 = Reported(
    vendor_extension_version=100,
    vendor_extension_desc="Sony PTP Extensions",
    operations=_codes(
        """
        1001 1002 1003 1004 1005 1006 1007 1008 1009 100A 100D 101B 9201 9202 9205 9207
        9209 920C 920D 920E 920F 9210 9211 9212 9213 9214 9215 9216 9217 9218 9219 921A
        921B 921C 921D 921E 921F 9220 9221 9222 9223 9224 9225 9226 9227 9228 9229 922B
        922C 922F 9230 9231 9232 9233 9234 9235 9236 9237 9239 9801 9802 9803 9805
        """
    ),
    events=_codes(
        """
        4004 4005 C201 C202 C203 C204 C205 C206 C207 C208 C209 C20A C20B C20C C20D C20E
        C20F C210 C211 C213 C214 C216 C217 C218 C219 C21A C21B C21C C21D C21E C21F C220
        C221 C222 C223 C224 C225 C226 C227 C228 C229 C230 C231 C232 C233
        """
    ),
    properties=_codes(
        """
        5005 500A 500B 500C 5010 D200 D201 D20D D19F D20F D211 D213 D217 D219 D221 D21E
        D222 D223 D22C D231 D241 D24F D255 D25A D25E D25F D262 D263 D268 D269 D26B D26C
        D270 D271 D272 D273 D274 D275 D276 D283 D287 D289 D28A D28B D28C D28D D28E D295
        D296 D20E D218 D12E D12D D205 D204 D249 D257 D24A D258 D261 D27B D24C D210 D21C
        D25D D260 D264 D267 D297 D298 D299 5013 D254 D17B D25C D27D D27E D286 D248 D256
        D279 D27A D203 D28F D290 D292 D293 D294 D235 D236 D25B D251 D27F D21D D21F D24E
        D250 D252 D253 D26D D26E D26F D27C D280 D288 D284 D285 5007 500E D242 D099 D049
        D04A D29B D29A D047 D04C D04B D092 D001 D013 D01C D023 D04D D03C D020 D022 D044
        D045 D046 D043 D048 D2B9 D0C0 D206 D23F D0D0 D052 D0D1 D0D2 D0D3 D104 D0D4 D105
        D0D5 D0D6 D0D7 D0D8 D0F2 D0F3 D0F4 D0F5 D0F6 D0F7 D0F8 D0F9 D107 D0E0 D0E1 D0E2
        D0E3 D0E4 D0E5 D0E6 D0E7 D0E8 D0E9 D0EA D0EB D0EC D0ED D0EE D0EF D0F0 D0F1 D0FA
        D0FB D0FC D0FD D0FE D0FF D100 D101 D102 D103 D108 D0D9 D0DA D0DB D0DC D0DD D0DE
        D0DF D040 D07D D106 D027 D109 D17C D17F D180 D181 D0AE D0AF D0C6 D129 D12A D12B
        D128 D15B D15C D15D D15E D15F D160 D161 D166 D16A D16B D16C D16D D16E D16F D170
        D171 D173 D179 D17A D17E D182 D183 D184 D185 D186 D187 D079 D17D D14D D176 D177
        D132 D041 D04E D14B D14C D19A D04F D216 D199 D225 D157 D158 D159 D150 D19C D0C9
        D0CA D0CC D194 D195 D197 D198 D00B D07B D135 D007 D061 D062 D060 D138 D19E D09A
        D1A0 D1A1 D004 D0BC D0C2 D19D D1A2 D1A3 D1A4 D1A5 D1A7 D1A8 D1AA D1AB D1AC D1AD
        D1AF D1B0 D1B2 D1B3 D1B6 D1B7 D1B4 D1B5 D1BB D1BC D207 D208 D209 D20A D20C D1BD
        D1BA D1BF D1C2 D1C3 D1C4 D1C5 D214 D057 D059 D05A D0BF D0C1 D1C0 D215 D26A D278
        D2C1 D2C2 D2C3 D2C4 D2C7 D2C8 D2C9 D2D1 D2D2 D2D7 D2D8 D2D9 D2DA D2DB D2DC D2DD
        D2DF D2E0 D2E1 D2E2 D2E4 D2E5 D2E6 D2E7 D2E8 D2E9 D2EA D2EB D2F3 D302 D303 D305
        D306 D304 D301 D300 D308 D2F2 D309 D30A D30B D2CD D2CE D2CF D2D0
        """
    ),
    capture_formats=(),
    image_formats=_codes("3801 B101 B110 B982"),
)


# sony-a7m4.txt has properties and image formats only. The operations and events are those of the
# ILCE-7SM3 and of the content lists, which the reference says this model has. Inferred.

A7M4 = Reported(
    vendor_extension_version=100,
    vendor_extension_desc="Sony PTP Extensions",
    operations=_codes(
        """
        1001 1002 1003 1004 1005 1006 1007 1008 1009 100A 100D 101B 9201 9202 9205 9207
        9209 920C 920D 920E 920F 9210 9211 9212 9213 9214 9215 9216 9217 9218 9219 921A
        921B 921C 921D 921E 921F 9220 9221 9222 9223 9224 9225 9226 9227 9228 9229 922B
        922C 922F 9230 9231 9232 9233 9234 9235 9236 9237 9239 923A 923B 923C 923D 923E
        9250 9251 9801 9802 9803 9805
        """
    ),
    events=_codes(
        """
        4004 4005 C201 C202 C203 C204 C205 C206 C207 C208 C209 C20A C20B C20C C20D C20E
        C20F C210 C211 C213 C214 C216 C217 C218 C219 C21A C21B C21C C21D C21E C21F C220
        C221 C222 C223 C224 C225 C226 C227 C228 C229 C230 C231 C232 C233 C234 C240
        """
    ),
    properties=(DevicePropCode.CompressionSetting, *(each.code for each in A7M4_PROPERTIES)),
    capture_formats=(),
    image_formats=_codes("3001 3801 B101 300B B982 B110"),
)


# sony-a7r3.txt has properties and image formats only. The operations are those that libgphoto2 and
# airmtp use with bodies of its time: remote control, and "Send to Computer". Inferred.

A7R3 = Reported(
    vendor_extension_version=100,
    vendor_extension_desc="Sony PTP Extensions",
    operations=_codes(
        """
        1001 1002 1003 1004 1005 1006 1007 1008 1009 100A 101B 9201 9202 9205 9207 9209
        9280 9281
        """
    ),
    events=_codes(
        """
        C201 C202 C203 C206
        """
    ),
    properties=(DevicePropCode.CompressionSetting, *(each.code for each in A7R3_PROPERTIES)),
    capture_formats=(),
    image_formats=_codes("3801 B301 B101"),
)
