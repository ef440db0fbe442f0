"""The file that describes a rig."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptpfast.cluster.rig import Camera, Rig

RIG = """
[[camera]]
address = "192.168.1.1"
name = "left"
resource = "ap-1"

[[camera]]
address = "192.168.1.2:15741"

[options]
formats = "raw"
verify = "hash"
"""


def read(folder: Path, text: str | bytes) -> Rig:
    path = folder / "rig.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Rig.read(path)


def test_a_rig_has_its_cameras_and_options(tmp_path: Path) -> None:
    rig = read(tmp_path, RIG)
    assert list(rig.cameras) == [
        Camera("192.168.1.1", "left", "ap-1"),
        Camera("192.168.1.2:15741", "192.168.1.2_15741"),
    ]
    assert rig.options == {"formats": "raw", "verify": "hash"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 to 10,000 cameras"),
        ("[camera]\naddress = '1.2.3.4'", "as a table"),
        ("[[camera]]\nname = 'a'", "camera 1 has no address"),
        ("[[camera]]\naddress = 7", "address is a text"),
        ("[[camera]]\naddress = '1.2.3.4:x'", "port"),
        ("[[camera]]\naddress = '1.2.3.4'\nname = '../up'", "cannot be the name of a folder"),
        ("[[camera]]\naddress = '1.2.3.4'\nname = 'a/b'", "cannot be the name of a folder"),
        ("[[camera]]\naddress = '1.2.3.4'\nresource = ''", "resource"),
        ("[[camera]]\naddress = '1.2.3.4'\nport = 1", "port"),
        ("[[camera]]\naddress = 'a'\n[[camera]]\naddress = 'A'", "two cameras have the name"),
        (
            "[[camera]]\naddress = '10.0.0.1'\nname = 'a'\n"
            "[[camera]]\naddress = 'ptpip:10.0.0.1:15740'\nname = 'b'",
            "two cameras have the address 'ptpip:10.0.0.1:15740'",
        ),
        ("[[camera]]\naddress = 'a'\n[options]\ncopies = 'x'", "of one computer"),
        ("[[camera]\n", "is no TOML"),
        (b"\xff\xfe", "is no TOML"),
        ("x = " + "[" * 100_000, "is no TOML: it is nested too deeply"),
        ("a." * 100_000 + "a = 1", "is no TOML: more than 32 names"),
        ("x = " + "9" * 10_000, "is no TOML: a number has too many digits"),
        ("options = 3\n[[camera]]\naddress = 'a'", "as a table"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read(tmp_path, text)
    assert "rig.toml" in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    # Its beginning would be a rig, with one camera less.
    camera = b"[[camera]]\naddress = '192.168.1.%d'\n"
    with pytest.raises(ValueError, match=r"rig.toml is larger than 1 MiB"):
        read(tmp_path, camera % 1 + b"#" * (1 << 20) + b"\n" + camera % 2)
