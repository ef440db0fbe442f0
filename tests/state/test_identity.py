"""The identity of this computer and the cameras that know it: kept, judged, and used."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import PATIENT, Cameras
from ptpfast.session.address import address_of, parse_address
from ptpfast.state import identity
from ptpfast.state.identity import Kept, Known

GUID, NAME = bytes(range(10)) + bytes(6), "studio computer"
CAMERA = Known("studio", "192.168.1.40", 15740, "nikon", "Z 8", "4294357", "00" * 16, "2026-11-30")


def written(content: Any) -> Path:
    """The file with this content."""
    path = identity.path()
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def kept(**changes: Any) -> dict[str, Any]:
    """A right content with changes to its camera."""
    return {"guid": GUID.hex(), "name": NAME, "cameras": [{**asdict(CAMERA), **changes}]}


def test_what_is_remembered_is_read_back_and_private() -> None:
    path = identity.remember(CAMERA, GUID, NAME)
    assert identity.load() == Kept(GUID, NAME, (CAMERA,))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_new_folder_is_readable_by_its_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTPFAST_CONFIG", str(tmp_path / "new" / "config"))
    path = identity.keep(GUID, NAME)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_connections_have_the_kept_identity(camera: Cameras) -> None:
    identity.keep(GUID, NAME)
    sim = camera()
    with ptpfast.connect(sim.host, port=sim.port, timeouts=PATIENT):
        pass
    with ptpfast.connect(sim.host, port=sim.port, timeouts=PATIENT, name="other", guid=bytes(16)):
        pass
    assert sim.initiators == [(GUID, NAME), (bytes(16), "other")]


def test_a_nickname_is_an_address_everywhere(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    identity.remember(replace(CAMERA, host=sim.host, port=sim.port), GUID, NAME)
    assert parse_address("studio") == parse_address("STUDIO") == (sim.host, sim.port)
    assert address_of("studio", None) == (sim.host, sim.port)
    assert parse_address("studio:1234") == (sim.host, 1234)
    assert parse_address("studio.local") == ("studio.local", 15740)
    with ptpfast.connect("studio", timeouts=PATIENT) as session:
        assert session.link.connection.address == (sim.host, sim.port)
    assert ptpfast.pull("studio", tmp_path, timeouts=PATIENT).downloaded == 2


def test_a_camera_that_is_paired_again_keeps_its_nickname() -> None:
    identity.remember(CAMERA, GUID, NAME)
    moved = replace(CAMERA, nickname="", host="192.168.1.99")
    identity.remember(moved, GUID, NAME)
    assert identity.load().cameras == (replace(moved, nickname="studio"),)


def test_a_nickname_belongs_to_the_camera_that_had_it_last() -> None:
    other = replace(CAMERA, nickname="Studio", host="192.168.1.41", serial_number="2")
    identity.remember(CAMERA, GUID, NAME)
    identity.remember(other, GUID, NAME)
    assert identity.find("studio") == other
    assert [each.nickname for each in identity.load().cameras] == ["", "Studio"]


def test_a_new_guid_is_approved_by_no_camera() -> None:
    identity.remember(CAMERA, GUID, NAME)
    identity.keep(bytes(range(16)), NAME)
    assert [each.approved for each in identity.load().cameras] == [""]
    assert identity.own() == (bytes(range(16)), NAME)


def test_a_camera_is_forgotten_by_nickname_or_address() -> None:
    identity.remember(CAMERA, GUID, NAME)
    assert not identity.forget("another")
    assert identity.forget("STUDIO")
    identity.remember(CAMERA, GUID, NAME)
    assert identity.forget("192.168.1.40")
    assert identity.load() == Kept(GUID, NAME)


@pytest.mark.parametrize(
    "change",
    [
        {"port": 0},
        {"port": "15740"},
        {"port": True},
        {"host": ""},
        {"host": "-x"},
        {"host": "a b"},
        {"host": 5},
        {"nickname": "../x"},
        {"nickname": "192.168.1.1"},
        {"model": "a\x1b[31m"},
        {"model": "x" * 256},
        {"more": 1},
    ],
    ids=str,
)
def test_a_camera_with_a_wrong_value_is_left_out(change: dict[str, Any]) -> None:
    written(kept(**change))
    assert identity.load() == Kept(GUID, NAME)


@pytest.mark.parametrize(
    "own",
    [
        {"guid": "00" * 16},
        {"guid": "zz" * 16},
        {"guid": GUID.hex()[:-1]},
        {"guid": 7},
        {"name": ""},
        {"name": "x" * 40},
        {"name": "a\nb"},
        {"name": None},
    ],
    ids=str,
)
def test_an_identity_with_a_wrong_value_is_not_used(own: dict[str, Any]) -> None:
    written({**kept(), **own})
    assert identity.own() is None
    assert identity.load().cameras == (CAMERA,)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b" " * 10 + b"{}" * (1 << 20), b"1" * 10_000],
    ids=["cut", "a list", "no text", "deep", "long", "a number"],
)
def test_a_file_that_cannot_be_read_is_not_used_and_not_replaced(content: bytes) -> None:
    path = written(content)
    assert identity.load() == Kept()
    with pytest.raises(OSError, match="cannot use"):
        identity.remember(CAMERA, GUID, NAME)
    assert path.read_bytes() == content


def test_a_file_of_zeros_after_a_power_cut_is_an_empty_one() -> None:
    written(bytes(100))
    assert identity.load() == Kept()
    identity.keep(GUID, NAME)
    assert identity.own() == (GUID, NAME)


def test_a_link_or_a_pipe_in_its_place_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(kept()))
    identity.path().symlink_to(secret)
    assert identity.load() == Kept()
    with pytest.raises(OSError, match="symbolic link"):
        identity.keep(GUID, NAME)
    assert identity.path().is_symlink()
    identity.path().unlink()
    os.mkfifo(identity.path())
    assert identity.load() == Kept()


def test_a_user_without_a_home_has_the_usual_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(identity, "path", homeless)
    assert identity.own() is None
    with pytest.raises(OSError, match="no home"):
        identity.keep(GUID, NAME)
