"""Device properties in words, and back."""

from __future__ import annotations

from typing import Any

import pytest

from ptpfast.ptp.codes import DataType, DevicePropCode
from ptpfast.ptp.datasets import DevicePropDesc
from ptpfast.ptp.properties import (
    code_of_property,
    name_of_property,
    spell,
)
from ptpfast.vendors.sony.codes import SonyProperty

WORDS = [
    (DevicePropCode.BatteryLevel, 87, "87 %"),
    (DevicePropCode.WhiteBalance, 4, "daylight"),
    (DevicePropCode.WhiteBalance, 0x8011, "32785"),
    (DevicePropCode.FNumber, 560, "f/5.6"),
    (DevicePropCode.FNumber, 1600, "f/16"),
    (DevicePropCode.FocalLength, 5000, "50 mm"),
    (DevicePropCode.ExposureTime, 80, "1/125 s"),
    (DevicePropCode.ExposureTime, 13_000, "1.3 s"),
    (DevicePropCode.ExposureTime, 300_000, "30 s"),
    (DevicePropCode.ExposureIndex, 400, "ISO 400"),
    (DevicePropCode.ExposureIndex, 0xFFFF, "automatic"),
    (DevicePropCode.ExposureBiasCompensation, 667, "+0.667 EV"),
    (DevicePropCode.ExposureBiasCompensation, -1000, "-1 EV"),
    (DevicePropCode.ExposureBiasCompensation, 0, "0 EV"),
    (DevicePropCode.StillCaptureMode, 2, "burst"),
    (DevicePropCode.FocusDistance, 0xFFFF, "infinity"),
    (DevicePropCode.CaptureDelay, 2000, "2 s"),
    (0xD10B, 1_234_567_890, "1234567890"),
]


def described(code: int, value: Any = 0, form: Any = None, kind: int = DataType.INT32) -> Any:
    return DevicePropDesc(code, kind, True, value, value, form)


@pytest.mark.parametrize(("code", "value", "words"), WORDS)
def test_a_value_in_words_means_the_same_value(code: int, value: int, words: str) -> None:
    assert spell(code, value) == words
    assert described(code).parse(words) == value
    assert described(code).parse(f"  {words.upper()} ") == value


@pytest.mark.parametrize(
    ("code", "text", "value"),
    [
        (DevicePropCode.ExposureTime, "1/125", 80),
        (DevicePropCode.ExposureTime, "0.008", 80),
        (DevicePropCode.FNumber, "5.6", 560),
        (DevicePropCode.ExposureIndex, "400", 400),
        (DevicePropCode.ExposureBiasCompensation, "-0.333", -333),
        (DevicePropCode.WhiteBalance, "One_Push_Automatic", 3),
        (0xD10B, "0x8011", 0x8011),
        (0xD10B, "-7", -7),
    ],
)
def test_a_value_may_be_written_in_several_ways(code: int, text: str, value: int) -> None:
    assert described(code).parse(text) == value


def test_the_camera_s_own_values_decide_how_a_fraction_is_meant() -> None:
    desc = described(DevicePropCode.ExposureTime, form=[156, 166, 333])  # 1/64, 1/60, 1/30
    assert [desc.parse(spell(desc.code, value)) for value in desc.form] == desc.form


def test_a_sign_is_part_of_a_value() -> None:
    steps = [-667, -333, 0, 333, 667]
    desc = described(DevicePropCode.ExposureBiasCompensation, form=steps)
    assert [desc.parse(spell(desc.code, value)) for value in steps] == steps
    assert desc.parse("0.667 EV") == 667


@pytest.mark.parametrize("text", ["", "noon", "1/0", "1e9", "9" * 5000, "0x", "nan", "1/2/3"])
def test_what_is_no_value_is_refused_with_the_choice(text: str) -> None:
    desc = described(DevicePropCode.WhiteBalance, form=[2, 4])
    with pytest.raises(ValueError, match="may be automatic, daylight") as caught:
        desc.parse(text)
    assert len(str(caught.value)) < 200


def test_a_value_beyond_the_range_is_refused() -> None:
    desc = described(0xD10B, form=(0, 100, 5))
    assert desc.parse("95") == 95
    for wrong in ("105", "-5", "3"):
        with pytest.raises(ValueError, match="0 to 100 in steps of 5"):
            desc.parse(wrong)


def test_a_text_is_taken_as_it_is() -> None:
    desc = described(DevicePropCode.Artist, "", kind=DataType.STR)
    assert desc.parse(" 0x10 ") == " 0x10 "
    chosen = described(DevicePropCode.ImageSize, "", ["6000x4000"], DataType.STR)
    with pytest.raises(ValueError, match="6000x4000"):
        chosen.parse("1x1")


def test_numbers_of_an_array_stand_between_commas() -> None:
    desc = described(0xD101, [], kind=0x4004)
    assert desc.parse("1, 0x10,3") == [1, 16, 3]
    assert desc.parse("") == []
    assert spell(0xD101, [1, 16, 3]) == "1, 16, 3"
    with pytest.raises(ValueError, match="no value"):
        desc.parse("1,two")


def test_a_range_without_a_step_allows_all_between() -> None:
    assert described(0xD101, form=(0, 10, 0)).parse("7") == 7
    assert described(0xD101, form=(0, 10, 1)).allowed_words == "0 to 10"


def test_many_allowed_values_are_cut_in_a_message() -> None:
    assert described(0xD101, form=list(range(100))).allowed_words.endswith("39 and 60 more")


@pytest.mark.parametrize("code", list(DevicePropCode))
def test_every_name_leads_back_to_its_code(code: DevicePropCode) -> None:
    for name in (name_of_property(code), code.name, f"0x{code:04X}"):
        assert code_of_property(name) == code


def test_names_of_a_vendor_come_before_those_of_the_standard() -> None:
    assert name_of_property(0xD20D) == "0xD20D"
    assert name_of_property(0xD20D, SonyProperty) == "shutter-speed"
    assert code_of_property("shutter-speed", SonyProperty) == 0xD20D
    assert code_of_property("shutter-speed") == DevicePropCode.ExposureTime
    with pytest.raises(ValueError, match="exposure-time"):
        code_of_property("shutters")


def test_abbreviations_stay_one_word_in_names() -> None:
    assert name_of_property(DevicePropCode.FNumber) == "f-number"
    assert name_of_property(DevicePropCode.UploadURL) == "upload-url"
    assert name_of_property(DevicePropCode.RGBGain) == "rgb-gain"
