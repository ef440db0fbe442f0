"""Addresses in URLs."""

from __future__ import annotations

import pytest

from ptpfast.filesystem.url import divided, options_of, url_of

HOST = {"host": "192.168.1.1"}


@pytest.mark.parametrize(
    ("url", "options", "path"),
    [
        ("ptpip://192.168.1.1/DCIM/A.NEF", HOST, "/DCIM/A.NEF"),
        ("ptpip://192.168.1.1:55740/DCIM", {**HOST, "port": 55740}, "/DCIM"),
        ("ptpip://studio@192.168.1.1/", {**HOST, "nickname": "studio"}, "/"),
        ("ptpip://192.168.1.1", HOST, "/"),
        ("PTPIP://camera.local/a/", {"host": "camera.local"}, "/a"),
        ("ptpip://[fe80::1%eth0]:15740/DCIM", {"host": "fe80::1%eth0", "port": 15740}, "/DCIM"),
        ("ptpip://[::1]/DCIM", {"host": "::1"}, "/DCIM"),
        ("ptpip:///DCIM", {}, "/DCIM"),
        ("/DCIM//100X/", {}, "/DCIM/100X"),
        ("DCIM", {}, "/DCIM"),
        ("", {}, "/"),
        ("ptpip://192.168.1.1/a b#c?d%20@e:f.JPG", HOST, "/a b#c?d%20@e:f.JPG"),
    ],
)
def test_a_url_is_taken_apart_into_arguments_and_path(
    url: str, options: dict[str, object], path: str
) -> None:
    assert options_of(url) == options
    assert divided(url).path == path


@pytest.mark.parametrize("url", ["ptpip://a:b/DCIM", "ptpip://-x/DCIM", "ptpip://::1:5:/x"])
def test_a_wrong_address_is_refused_with_its_form(url: str) -> None:
    with pytest.raises(ValueError, match=r"HOST|\[IPv6\]"):
        divided(url)


@pytest.mark.parametrize(
    "url", ["ptpip://h/DCIM", "ptpip://n@h:1/a/b", "ptpip://[::1]:5/", "ptpip://[::1]/a"]
)
def test_a_url_is_made_again_from_its_parts(url: str) -> None:
    parts = divided(url)
    assert parts.host is not None
    assert url_of(parts.nickname, parts.host, parts.port, parts.path) == url
