"""`ptpfast get` and `ptpfast set`: the properties of a camera."""

from __future__ import annotations

import dataclasses

import pytest

from command_line import at, records, run
from conftest import Cameras
from ptpfast.cli import set as set_command
from ptpfast.discovery import Found
from ptpfast.state import identity

TIME, WHITE_BALANCE = 0x500D, 0x5005


def test_all_properties_are_shown_with_their_names(camera: Cameras) -> None:
    done = run("get", at(camera()))
    assert done.exit_code == 0
    rows = dict(line.split("\t") for line in done.stdout.splitlines())
    assert rows["battery-level"] == "87 %"
    assert rows["exposure-time"] == "1/125 s"
    assert rows["white-balance"] == "automatic"


def test_named_properties_are_shown_in_order(camera: Cameras) -> None:
    done = run("get", at(camera()), "WhiteBalance", "battery-level", "0x500D")
    assert done.stdout == "white-balance\tautomatic\nbattery-level\t87 %\nexposure-time\t1/125 s\n"


def test_names_without_a_camera_are_those_of_the_only_one(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera()
    only = [Found(sim.host, sim.port)]
    monkeypatch.setattr("ptpfast.discovery.discover", lambda *_, **__: only)
    assert run("get", "battery-level", "iso").stdout.startswith("battery-level\t87 %\n")
    assert run("get", "0x5001").stdout == "battery-level\t87 %\n"
    assert run("set", "white-balance=daylight").stdout == "white-balance\tdaylight\n"
    assert run("set", "0x5005=2").stdout == "white-balance\tautomatic\n"


def test_nickname_that_is_also_a_property_is_the_camera(camera: Cameras) -> None:
    sim = camera()
    known = identity.Known(host=sim.host, port=sim.port, nickname="iso")
    identity.change(lambda kept: dataclasses.replace(kept, cameras=(known,)))
    assert run("get", "iso", "battery-level").stdout == "battery-level\t87 %\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "127.0.0.1"], "say what to change: NAME=VALUE"),
        (["set", "127.0.0.1", "iso"], "'iso' is not NAME=VALUE"),
        (["set", "=5"], "'=5' is not NAME=VALUE"),
        (["get", "http://127.0.0.1/", "iso"], "is a web address"),
    ],
)
def test_words_that_are_neither_camera_nor_property_are_refused(
    words: list[str], said: str
) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_a_person_sees_what_a_property_may_be(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.cli.output.is_terminal", lambda _: True)
    done = run("get", at(camera()), "white-balance", "battery-level")
    first, choice, last = done.stdout.splitlines()
    assert first.split() == ["white-balance", "automatic"]
    assert choice.strip() == "may be automatic, daylight, fluorescent, tungsten, flash"
    assert last.split() == ["battery-level", "87", "%", "(read-only)"]


def test_a_record_has_the_value_as_the_camera_sends_it(camera: Cameras) -> None:
    done = run("get", at(camera()), "exposure-bias-compensation", "--json")
    _, row = records(done.stdout)
    assert row == {
        "type": "property",
        "name": "exposure-bias-compensation",
        "code": 0x5010,
        "value": 0,
        "words": "0 EV",
        "default": 0,
        "data_type": 3,
        "writable": True,
        "range": [-3000, 3000, 500],
        "allowed": None,
    }


def test_a_property_that_the_camera_does_not_describe_is_told_of(camera: Cameras) -> None:
    sim = camera(faults=["respond=0x200A on GetDevicePropDesc at 2"])
    done = run("get", at(sim))
    assert done.exit_code == 0
    assert "1 property is listed, but not described" in done.stderr
    rows = records(run("get", at(camera()), "--json").stdout)
    assert len(done.stdout.splitlines()) == len(rows) - 2


def test_a_name_that_nobody_knows_is_refused_with_a_near_one(camera: Cameras) -> None:
    done = run("get", at(camera()), "white-ballance")
    assert done.exit_code == 2
    assert "did you mean 'white-balance'?" in done.stderr


def test_a_property_that_the_camera_lacks_is_its_refusal(camera: Cameras) -> None:
    sim = camera()
    for words in (("get", at(sim), "digital-zoom"), ("set", at(sim), "digital-zoom=2")):
        done = run(*words)
        assert done.exit_code == 4
        assert "digital-zoom: the camera refused" in done.stderr
        assert "it has no such property; 'ptpfast get CAMERA' lists" in done.stderr


def test_values_are_set_and_shown_as_the_camera_has_them(camera: Cameras) -> None:
    sim = camera()
    done = run("set", at(sim), "white-balance=Daylight", "exposure-time=1/1000")
    assert done.exit_code == 0
    assert done.stdout == "white-balance\tdaylight\nexposure-time\t1/1000 s\n"
    assert sim.body.properties[WHITE_BALANCE].current == 4
    assert sim.body.properties[TIME].current == 10


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("white-balance=sunny", "may be automatic, daylight"),
        ("exposure-time=1/3", "cannot be '1/3'"),
        ("battery-level=100", "read-only"),
        ("white-balance", "not NAME=VALUE"),
        ("=daylight", "not NAME=VALUE"),
        ("colour=red", "no device property 'colour'"),
    ],
)
def test_nothing_is_set_if_one_setting_is_wrong(camera: Cameras, setting: str, said: str) -> None:
    sim = camera()
    done = run("set", at(sim), "exposure-time=1/1000", setting)
    assert done.exit_code == 2
    assert said in done.stderr
    assert sim.body.properties[TIME].current == 80


def test_a_camera_that_keeps_the_old_value_is_a_failure(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_command, "SETTLE_S", 0.01)
    sim = camera(faults=["respond=0x2001 on SetDevicePropValue times 0"])
    done = run("set", at(sim), "white-balance=flash")
    assert done.exit_code == 4
    assert "the camera accepted white-balance, and keeps automatic" in done.stderr


def test_a_refused_value_is_said_in_a_sentence(camera: Cameras) -> None:
    sim = camera(faults=["respond=0x201C on SetDevicePropValue times 0"])
    done = run("set", at(sim), "white-balance=flash", "--timeout", "1")
    assert done.exit_code == 4
    assert "the camera refused to set the property" in done.stderr
