"""`ptpfast discover`: what it writes, for people and for programs."""

from __future__ import annotations

import sys

import pytest

from command_line import records, run
from listeners import a_free_udp_port
from ptpfast.discovery import networks, ssdp
from ptpfast.sim import SimulatedCamera
from ptpfast.sim import ssdp as announced_by

HERE = ("--interface", "127.0.0.1")


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port instead of SSDP's, so that nothing else on this machine is heard."""
    number = a_free_udp_port()
    monkeypatch.setattr(ssdp, "PORT", number)
    monkeypatch.setattr(announced_by, "PORT", number)


def test_a_camera_is_a_record_with_all_that_it_tells() -> None:
    with SimulatedCamera(body="canon-r6m2", objects=0, announce=True):
        done = run("discover", *HERE, "--no-try", "--seconds", "1", "--json")
    assert done.exit_code == 0
    (row,) = [row for row in records(done.stdout) if row.get("vendor") == "canon"]
    guid = row.pop("guid")
    serial_number = row.pop("serial_number")
    assert row == {
        "type": "camera",
        "host": "127.0.0.1",
        "port": 15740,
        "address": "127.0.0.1:15740",
        "vendor": "canon",
        "model": "Canon EOS R6m2",
        "name": "Canon EOS R6m2",
        "found_by": ["ssdp"],
    }
    assert guid.startswith("00000000-0000-0000-0001-")
    assert serial_number.isdecimal()


def test_a_camera_is_a_line_with_its_address_first() -> None:
    with SimulatedCamera(objects=0) as camera:
        address = f"127.0.0.1:{camera.port}"
        done = run("discover", *HERE, "--try", address, "--seconds", "0.5")
    assert f"{address}\t-\t-\t-\t-\taddress\n" in done.stdout
    assert "next: ptpfast info " in done.stderr


def test_a_person_at_a_terminal_sees_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.cli.output.is_terminal", lambda _: True)
    with SimulatedCamera(body="sony-a7m4", objects=0, announce=True):
        done = run("discover", *HERE, "--no-try", "--seconds", "1", "--quiet")
    heading, *rows = done.stdout.splitlines()
    assert heading.split() == ["ADDRESS", "VENDOR", "MODEL", "NAME", "SERIAL", "FOUND", "BY"]
    assert any("ILCE-7M4" in row for row in rows)


def test_a_search_without_a_camera_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.discovery.stream", lambda *_, **__: iter(()))
    done = run("discover", *HERE, "--no-try", "--seconds", "0.1")
    assert done.exit_code == 3
    assert done.stdout == ""
    assert "no camera was found in 0.1 s; join the camera's network" in done.stderr


def test_options_that_exclude_each_other_are_a_usage_error() -> None:
    done = run("discover", *HERE, "--no-try", "--try", "127.0.0.1")
    assert done.exit_code == 2
    assert "exclude each other" in done.stderr
    done = run("discover", "--interface", "192.0.2.1", "--no-try")
    assert done.exit_code == 2
    assert "'192.0.2.1' is no IPv4 address of this computer" in done.stderr


def test_no_network_and_a_missing_library_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "_all_networks", list)
    done = run("discover", "--no-try")
    assert done.exit_code == 3
    assert "this computer is in no network; join the camera's network" in done.stderr
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    done = run("discover", "--no-try")
    assert done.exit_code == 2
    assert "zeroconf is missing; pip install 'ptpfast[discovery]'" in done.stderr
