"""The datasets of Sony's cameras: what a parser accepts, its encoder writes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from ptpfast.ptp.errors import ProtocolError
from ptpfast.vendors.sony import contents, datasets

Pair = tuple[Callable[[Any], Any], Callable[[Any], bytes]]


def _encode_list(found: dict[int, datasets.Property]) -> bytes:
    return datasets.encode_properties(found.values())


PARSERS: tuple[Pair, ...] = (
    (datasets.parse_properties, _encode_list),
    (contents.parse_contents, contents.encode_contents),
    (contents.parse_capture_times, contents.encode_capture_times),
    (datasets.parse_ext_device_info, datasets.encode_ext_device_info),
    (datasets.parse_frame, datasets.encode_frame),
)


def run(data: bytes) -> None:
    """The first byte says which parser."""
    if not data:
        return
    which, body = data[0] % len(PARSERS), data[1:]
    parse, encode = PARSERS[which]
    try:
        found = parse(numpy.frombuffer(body, numpy.uint8).copy())
    except ProtocolError as error:
        assert error.message
        return
    # A property below the least code looks like a second list, wherever it stands.
    if which or all(code >= datasets.LEAST_CODE for code in found):
        assert parse(encode(found)) == found


def seeds() -> list[bytes]:
    """An example of each dataset."""
    file = contents.ContentFile(1, "/DCIM/100MSDCF/DSC00001.ARW", 0xB101, 5, b"u" * 32, (1, 2))
    listed = contents.ContentInfoList(7, contents=[contents.Content(1, 2, files=[file])])
    properties = [
        datasets.Property(0xD222, 4, 1, 1, 1, 1, [1, 17], [1, 17, 16]),
        datasets.Property(0xD215, 4, 0, 2, 0, 0x8001, (0, 0xFFFF, 1)),
        datasets.Property(0xD223, 0xFFFF, 1, 1, "", "20260102T030405"),
    ]
    examples = (
        datasets.encode_properties(properties),
        contents.encode_contents(listed),
        contents.encode_capture_times([1, 2]),
        datasets.encode_ext_device_info(datasets.ExtDeviceInfo(300, [0xD215], [0xD2C1])),
        datasets.encode_frame(b"\xff\xd8\xff\xd9", b"info", padding=4),
    )
    return [b"\0", *(bytes([which]) + example for which, example in enumerate(examples))]
