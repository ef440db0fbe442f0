"""Addresses as people write them, and the sentences that refuse the others."""

from __future__ import annotations

from pathlib import Path

import pytest

import ptpfast
from conftest import Cameras
from ptpfast.session.address import address_of, parse_address
from ptpfast.transport.contract import Address

UNDERSTOOD = {
    "192.168.1.1": ("192.168.1.1", 15740),
    " 192.168.1.1 ": ("192.168.1.1", 15740),
    "ptpip:1.2.3.4": ("1.2.3.4", 15740),
    "ptpip:1.2.3.4:55740": ("1.2.3.4", 55740),
    "PTPIP:camera.local": ("camera.local", 15740),
    "ptpip:[fe80::1]:1234": ("fe80::1", 1234),
    "ptpip:::1": ("::1", 15740),
    "ptpip://camera:55740": ("camera", 55740),
    "ptpip://camera/": ("camera", 15740),
    "ptpip:15740": ("ptpip", 15740),  # a camera of that name
    "fe80::1%wlan0": ("fe80::1%wlan0", 15740),
    "[::1]:55740": ("::1", 55740),
}
REFUSED = {
    "http://192.168.1.1": "is a web address; write 192.168.1.1",
    "http://192.168.1.1:80/DCIM": "is a web address; write 192.168.1.1",
    "https://[::1]/": r"is a web address; write \[::1\]",
    "ftp://": "is a web address; write HOST",
    "http://[": "is a web address; write HOST",
    "::1:15740": r"is not an address; write \[::1\]:15740",
    "fe80::1%wlan0:15740": r"write \[fe80::1%wlan0\]:15740",
    "1:2:3": "is not an address; write HOST",
    "[camera]:15740": "in brackets is not an IPv6 address",
    "usb:001,004": "is a camera at a USB cable",
    "192.168.1.0/24": "is not an address but a path or a network",
    "./photos": "is a folder, not a camera's address; the camera comes first",
    "/media/card": "is a folder",
    "~/Pictures": "is a folder",
    "ptpip:": "is not a port",
    "x" * 5000: "is too long",
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_an_address_is_understood_in_every_usual_form(text: str) -> None:
    assert parse_address(text) == UNDERSTOOD[text]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_another_text_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ValueError, match=REFUSED[text]):
        parse_address(text)


def test_messages_put_an_ipv6_address_in_brackets() -> None:
    assert str(Address("::1", 15740)) == "[::1]:15740"
    with pytest.raises(ptpfast.ConnectFailed, match=r"\[::1\]:9"):
        ptpfast.connect("[::1]:9")


def test_a_port_may_stand_in_the_address_or_beside_it(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=1)
    for host, port in ((f"{sim.host}:{sim.port}", None), (sim.host, sim.port)):
        with ptpfast.connect(host, port=port) as session:
            assert session.usable
        assert ptpfast.pull(host, tmp_path, port=port).ok
    assert address_of("camera:5", 5) == ("camera", 5)
    with pytest.raises(ValueError, match="names port 5, and port=6 another one: give one"):
        address_of("camera:5", 6)


def test_a_camera_and_a_folder_in_the_wrong_order_are_told(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="the camera comes first, then the folder"):
        ptpfast.pull(tmp_path, "192.168.1.1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the camera comes first"):
        ptpfast.pull(str(tmp_path), "192.168.1.1")


def test_a_folder_of_a_plain_name_is_told_from_a_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"'photos' is a folder and '192.168.1.1' an address"):
        ptpfast.pull("photos", "192.168.1.1")
    assert not (tmp_path / "192.168.1.1").exists()
