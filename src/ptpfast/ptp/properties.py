"""Device properties in words: names, units, and the meaning of numbers.

Source: ISO 15740, 13.1 and 13.3 (codes, names, units and values of 0x5001 to 0x501F).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from typing import Any

from .codes import DataType
from .codes import DevicePropCode as Code

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|\d+")
_CODE = re.compile(r"0x[0-9a-f]{1,8}", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?(?:/\d{1,20})?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,40}", re.ASCII)  # 128 bits are 39 digits
_BETWEEN_LETTERS = re.compile(r"(?<=[a-z])[-_ ]+(?=[a-z])")
# Of `DevicePropDesc`: a range (minimum, maximum, step), the allowed values, or neither.
Form = tuple[Any, Any, Any] | list[Any] | None
MOST_SHOWN = 40  # allowed values in a message


@dataclass(frozen=True)
class Scale:
    """The unit of a number.

    Attributes:
        per: how many of the camera's steps make one unit.
        unit: what stands behind the number; `before` what stands in front of it.
        signed: whether a sign is written in any case.
        short: whether values below one unit are fractions, as an exposure time is.
        words: numbers that stand for something else.
    """

    per: int = 1
    unit: str = ""
    before: str = ""
    signed: bool = False
    short: bool = False
    words: Mapping[int, str] = field(default_factory=dict)

    def spell(self, value: int) -> str:
        """Return a number with its unit: `1/125 s`, `f/5.6`, `+0.7 EV`."""
        if value in self.words:
            return self.words[value]
        unit = f" {self.unit}" if self.unit else ""
        if self.short and 0 < value < self.per:
            return f"1/{round(self.per / value)}{unit}"
        sign = "+" if self.signed and value > 0 else ""
        number = str(value)
        if self.per > 1:
            number = f"{value / self.per:.3f}".rstrip("0").removesuffix(".")
        return f"{self.before}{sign}{number}{unit}"

    def parse(self, text: str) -> int | None:
        """Return the camera's number for a text; None if it is none."""
        for number, word in self.words.items():
            if _same(text, word):
                return number
        bare = text.strip().lower().removesuffix(self.unit.lower()).strip()
        bare = bare.removeprefix(self.before.strip().lower()).strip()
        if not _NUMBER.fullmatch(bare):
            return None
        try:
            return round(Fraction(bare) * self.per)
        except ZeroDivisionError:
            return None


def _words(*names: str) -> Scale:
    """Return a scale for values from 1 on, each with its meaning."""
    return Scale(words=dict(enumerate(names, 1)))


_MILLISECONDS = Scale(1000, "s")
_SCALES: Mapping[int, Scale] = {
    Code.BatteryLevel: Scale(unit="%"),
    Code.WhiteBalance: _words(
        "manual", "automatic", "one-push automatic", "daylight", "fluorescent", "tungsten", "flash"
    ),
    Code.FNumber: Scale(100, before="f/"),
    Code.FocalLength: Scale(100, "mm"),
    Code.FocusDistance: Scale(1000, "m", words={0xFFFF: "infinity"}),
    Code.FocusMode: _words("manual", "automatic", "automatic macro"),
    Code.ExposureMeteringMode: _words("average", "center-weighted", "multi-spot", "center-spot"),
    Code.FlashMode: _words(
        "automatic",
        "off",
        "fill",
        "automatic with red-eye reduction",
        "fill with red-eye reduction",
        "external",
    ),
    Code.ExposureTime: Scale(10_000, "s", short=True),
    Code.ExposureProgramMode: _words(
        "manual",
        "automatic",
        "aperture priority",
        "shutter priority",
        "creative",
        "action",
        "portrait",
    ),
    Code.ExposureIndex: Scale(before="ISO ", words={0xFFFF: "automatic"}),
    Code.ExposureBiasCompensation: Scale(1000, "EV", signed=True),
    Code.CaptureDelay: _MILLISECONDS,
    Code.StillCaptureMode: _words("single", "burst", "timelapse"),
    Code.DigitalZoom: Scale(10, "×"),
    Code.EffectMode: _words("color", "black and white", "sepia"),
    Code.BurstInterval: _MILLISECONDS,
    Code.TimelapseInterval: _MILLISECONDS,
    Code.FocusMeteringMode: _words("center-spot", "multi-spot"),
}
_PLAIN = Scale()
# Words of photographers, where the standard has another one.
_ALSO = {"iso": Code.ExposureIndex, "shutterspeed": Code.ExposureTime, "aperture": Code.FNumber}


def name_of_property(code: int, *tables: type[IntEnum] | None) -> str:
    """Return the name of a device property: `exposure-time`; `0xD10B` if no table has it.

    Args:
        code: the code of the property.
        tables: names of a vendor's own properties, looked at first.
    """
    for table in (*tables, Code):
        if table is not None and code in set(table):
            return "-".join(_WORD.findall(table(code).name)).lower()
    return f"0x{code:04X}"


def code_of_property(name: str, *tables: type[IntEnum] | None) -> int:
    """Return the code of a device property.

    Args:
        name: `exposure-time`, `ExposureTime` or `0x500D`; also `iso`, `aperture`, `shutter-speed`.
        tables: names of a vendor's own properties, looked at first.

    Raises:
        ValueError: no table has the name.
    """
    if _CODE.fullmatch(name):
        return int(name, 16)
    for table in (*tables, Code):
        for row in table or ():
            if _bare(row.name) == _bare(name):
                return int(row)
    if (code := _ALSO.get(_bare(name))) is not None:
        return int(code)
    raise ValueError(
        f"there is no device property {name[:40]!r}; name one as exposure-time or 0x500D"
    )


def spell(code: int, value: Any) -> str:
    """Return the value of a device property in words: `1/125 s`, `daylight`.

    Args:
        code: the code of the property; those of the standard have units and meanings.
        value: an int, a str, or a list of ints.
    """
    if isinstance(value, int):
        return _SCALES.get(code, _PLAIN).spell(value)
    if isinstance(value, str):
        return value
    return ", ".join(map(str, value))


def parse(code: int, data_type: int, form: Form, text: str) -> Any:
    """Return the value that a text means, as the camera takes it; the inverse of `spell`.

    Args:
        code: the code of the property.
        data_type: its DataTypeCode.
        form: its range or list, as in `DevicePropDesc`.
        text: a value in words, or the number itself: `1/125`, `0.008 s`, `daylight`, `0x8011`.

    Raises:
        ValueError: the text is no value of the property, or is not allowed.
    """
    name = name_of_property(code)
    if data_type == DataType.STR:
        value: Any = text
    else:
        value = _parse_number(code, data_type, form, text)
        if value is None:
            raise ValueError(f"{text[:40]!r} is no value of {name}{_choice(code, form)}")
    if not is_allowed(form, value):
        raise ValueError(f"{name} cannot be {text[:40]!r}{_choice(code, form)}")
    return value


def is_allowed(form: Form, value: Any) -> bool:
    """Return whether a value is in the range or the list of a property."""
    if isinstance(form, tuple):
        least, most, step = form
        if not isinstance(value, int) or not least <= value <= most:
            return not isinstance(value, int)
        return step in (0, 1) or (value - least) % step == 0
    return form is None or value in form


def allowed(code: int, form: Form) -> str:
    """Return the allowed values in words: `ISO 100 to ISO 6400`; '' if any value is."""
    if isinstance(form, tuple):
        least, most, step = (spell(code, value) for value in form)
        return f"{least} to {most}" + ("" if form[2] in (0, 1) else f" in steps of {step}")
    return _listed(spell(code, value) for value in form or ())


def _parse_number(code: int, data_type: int, form: Form, text: str) -> int | list[int] | None:
    """Return a number, or the numbers of an array; None for anything else."""
    if data_type & 0x4000:
        numbers = [_whole(part) for part in text.split(",") if part.strip()]
        return None if None in numbers else [number for number in numbers if number is not None]
    if _CODE.fullmatch(text.strip()):
        return int(text.strip(), 16)
    if isinstance(form, list):  # what `get` shows is what `set` takes
        for value in form:
            if _same(text, spell(code, value)):
                return int(value)
    return _SCALES.get(code, _PLAIN).parse(text)


def _whole(text: str) -> int | None:
    bare = text.strip()
    if _CODE.fullmatch(bare):
        return int(bare, 16)
    return int(bare) if _WHOLE.fullmatch(bare) else None


def _choice(code: int, form: Form) -> str:
    values = allowed(code, form)
    return f"; it may be {values}" if values else ""


def _listed(values: Iterable[str]) -> str:
    words = list(values)
    more = len(words) - MOST_SHOWN
    return ", ".join(words[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _bare(text: str) -> str:
    """Return a text as it is compared: without case, and without what separates its words."""
    return _BETWEEN_LETTERS.sub("", text.lower()).replace(" ", "")


def _same(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)
