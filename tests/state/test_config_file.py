"""`config.toml`: what is read of it, and that hostile content is an error and nothing else."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from ptpfast.ownership import followed
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


def test_long_values_are_not_parsed_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # All of it in one value after the other, each of as many lines as are joined.
    value = "k{} = [\n" + "1,\n" * 190 + "]\n"
    write("".join(value.format(number) for number in range(400)))
    parsed, loads = 0, tomllib.loads

    def count(text: str) -> object:
        nonlocal parsed
        parsed += len(text)
        return loads(text)

    monkeypatch.setattr(config.tomllib, "loads", count)
    found = config.load()
    assert found.tables["k399"] == [1] * 190
    assert found.lines["k0",] == 1
    assert parsed < 1 << 20


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
        ("ok = 1\n" + "a." * 100_000 + "a = 1", "line 2: more than 32 names joined by dots"),
        ("x = " + "9" * 10_000, "too many digits"),
        ("#" * (config.MAX_FILE_SIZE + 1), "larger than 256 KiB"),
    ],
    ids=["no header", "twice", "no text", "deep", "dots", "digits", "large"],
)
def test_what_is_no_toml_is_an_error_with_its_place(content: str | bytes, reason: str) -> None:
    file = write(content)
    with pytest.raises(SinkError, match=reason) as caught:
        config.load()
    assert str(file) in str(caught.value)


def test_devices_are_never_read(tmp_path: Path) -> None:
    os.mkfifo(config.path())
    with pytest.raises(SinkError, match="not a regular file"):
        config.load()
    config.path().unlink()
    for target in (tmp_path / "fifo", Path("/dev/zero"), tmp_path):
        if not target.exists():
            os.mkfifo(target)
        config.path().symlink_to(target)
        with pytest.raises(SinkError, match="not a regular file"):
            config.load()
        config.path().unlink()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A file of settings in a folder with other ones, as people keep it under version control."""
    file = tmp_path / "dotfiles" / "ptpfast" / "config.toml"
    file.parent.mkdir(parents=True, mode=0o755)
    file.write_text(TEXT)
    file.chmod(0o644)
    return file


@pytest.mark.parametrize("way", ["absolute", "relative", "chain", "folder"])
def test_a_link_into_the_folders_of_the_user_is_followed(repository: Path, way: str) -> None:
    link = config.path()
    if way == "absolute":
        link.symlink_to(repository)
    elif way == "relative":
        link.symlink_to(os.path.relpath(repository, link.parent))
    elif way == "chain":
        (repository.parent / "other.toml").symlink_to(f"../ptpfast/./{repository.name}")
        link.symlink_to(repository.parent / "other.toml")
    else:
        (repository.parents[1] / "again").symlink_to(repository.parent)
        link.symlink_to(repository.parents[1] / "again" / repository.name)
    found = config.load()
    assert found.exists
    assert found.file == link
    assert found.tables == tomllib.loads(TEXT)


@pytest.mark.parametrize("which", ["file", "folder", "its folder"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_a_link_to_what_others_can_write_is_refused_with_the_remedy(
    repository: Path, which: str, mode: int
) -> None:
    config.path().symlink_to(repository)
    shared = {"file": repository, "folder": repository.parent, "its folder": repository.parents[1]}
    place = shared[which]
    before = place.stat().st_mode
    place.chmod(before | mode)
    with pytest.raises(SinkError, match="other users can write to") as caught:
        config.load()
    assert caught.value.hint == (
        f"run chmod go-w '{place}', or copy the file to the place of the link"
    )
    place.chmod(before)
    assert config.load().exists


@pytest.mark.parametrize("which", ["link", "file", "folder"])
def test_a_link_to_what_belongs_to_others_is_refused(
    repository: Path, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.path().symlink_to(repository)
    place = {"link": config.path(), "file": repository, "folder": repository.parent}[which]
    of_other = os.lstat(place).st_ino

    def given(status: os.stat_result) -> os.stat_result:
        fields = list(status)
        fields[4] = 12345 if status.st_ino == of_other else status.st_uid
        return os.stat_result(fields)

    lstat, fstat = os.lstat, os.fstat
    monkeypatch.setattr(followed.os, "lstat", lambda path: given(lstat(path)))
    monkeypatch.setattr(followed.os, "fstat", lambda number: given(fstat(number)))
    with pytest.raises(SinkError, match=r"belongs to another user.*copy the file"):
        config.load()


def test_a_folder_in_which_others_cannot_replace_files_is_as_good(repository: Path) -> None:
    config.path().symlink_to(repository)
    repository.parent.chmod(0o1777)
    assert config.load().exists


def test_a_link_that_leads_nowhere_is_not_taken_for_no_settings(tmp_path: Path) -> None:
    config.path().symlink_to(tmp_path / "gone.toml")
    with pytest.raises(SinkError, match=r"there is no .*gone.toml") as caught:
        config.load()
    assert "remove the link" in str(caught.value.hint)
    config.path().unlink()
    config.path().symlink_to(config.path())
    with pytest.raises(SinkError, match="in a circle"):
        config.load()


def test_a_link_through_a_file_is_refused(repository: Path) -> None:
    config.path().symlink_to(f"{repository}/../config.toml")
    with pytest.raises(SinkError, match="is not a folder"):
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
