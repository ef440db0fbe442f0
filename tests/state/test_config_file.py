"""`config.toml`: what is read of it, and that hostile content is an error and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ptpfast.ptp.errors import SinkError
from ptpfast.session.address import parse_address, vendor_at
from ptpfast.state import config
from ptpfast.transport.contract import Address

TEXT = """\
# of the studio
[pull]
format = ["raw",
          "jpeg"]
note = '''
a = 1
'''
on-conflict = "skip"

[cameras.z9]
address = "192.168.1.41"
vendor = "nikon"
[cameras.xt3]
address = "192.168.0.1"
vendor = "fujifilm"
"""


def write(text: str | bytes) -> Path:
    file = config.path()
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_each_key_has_the_line_where_it_begins() -> None:
    write(TEXT)
    lines = config.load().lines
    assert lines["pull", "format"] == 3
    assert lines["pull", "note"] == 5
    assert lines["pull", "on-conflict"] == 8
    assert lines["cameras", "z9"] == 10
    assert lines["cameras", "xt3", "vendor"] == 15
    assert ("pull", "a") not in lines


def test_a_missing_file_has_no_settings() -> None:
    found = config.load()
    assert not found.exists
    assert found.tables == {}
    assert found.file == config.path()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[pull\n", "line 1, column 6"),
        ("x = 1\nx = 2\n", "line 2"),
        (b"[pull]\n# \xff\n", "line 2 is not UTF-8"),
        ("x = " + "[" * 100_000, "nested"),
        ("#" * (config.MAX_FILE_SIZE + 1), "larger than 256 KiB"),
    ],
    ids=["no header", "twice", "no text", "deep", "large"],
)
def test_what_is_no_toml_is_an_error_with_its_place(content: str | bytes, reason: str) -> None:
    file = write(content)
    with pytest.raises(SinkError, match=reason) as caught:
        config.load()
    assert str(file) in str(caught.value)


def test_links_and_devices_are_never_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(TEXT)
    config.path().symlink_to(elsewhere)
    with pytest.raises(SinkError, match="symbolic link"):
        config.load()
    config.path().unlink()
    os.mkfifo(config.path())
    with pytest.raises(SinkError, match="not a regular file"):
        config.load()


def test_lines_of_a_very_long_value_are_not_searched_for() -> None:
    write("x = [\n" + "1,\n" * 80_000 + "]\n[pull]\n")
    found = config.load()
    assert len(found.tables["x"]) == 80_000
    assert ("pull",) not in found.lines


def test_a_nickname_of_the_file_is_an_address() -> None:
    write(TEXT)
    assert parse_address("z9") == ("192.168.1.41", 15740)
    assert parse_address("Z9:15741") == ("192.168.1.41", 15741)
    assert parse_address("xt3") == ("192.168.0.1", 55740)
    assert vendor_at(Address("192.168.0.1", 55740)) == "fujifilm"
    assert vendor_at(Address("192.168.1.41", 15740)) == "nikon"
    assert vendor_at(Address("192.168.1.42", 15740)) == ""


def test_a_wrong_address_of_a_nickname_is_named() -> None:
    write('[cameras.z9]\naddress = "/dev/null"\n')
    with pytest.raises(ValueError, match=r"address of z9 in config\.toml"):
        parse_address("z9")


def test_unreadable_settings_leave_addresses_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    write("[")
    assert parse_address("z9") == ("z9", 15740)
    assert "config.toml" in caplog.text
