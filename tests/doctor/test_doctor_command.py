"""`ptpfast doctor`: what it writes, and its exit status."""

from __future__ import annotations

import pytest
from staged import refusing

from command_line import at, records, run
from conftest import Cameras
from ptpfast.cli import doctor as command
from ptpfast.doctor import causes, checks, examination


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "vendor_of", lambda *_: None)
    monkeypatch.setattr(checks, "SLOW_MS", 60_000)


def test_a_healthy_camera_ends_with_a_sentence_and_status_zero(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.doctor.computer.LEAST_FREE", 0)
    done = run("doctor", at(camera()), "--timeout", "20")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1].startswith("Nothing is wrong: ")
    assert "ok    port         127.0.0.1:" in done.stdout


def test_a_trouble_ends_with_what_is_wrong_and_what_to_do() -> None:
    with refusing() as address:
        done = run("doctor", address)
    assert done.exit_code == 3
    wrong, todo = done.stdout.partition("\n\n")[2].splitlines()[:2]
    assert wrong.startswith("What is wrong: a device is at 127.0.0.1, but nothing listens at ")
    assert str(address) in wrong
    assert todo.startswith("What to do: on the camera: ")


@pytest.mark.parametrize(("reason", "status"), [(1, 4), (2, 4)])
def test_a_refusal_of_the_camera_has_its_status(camera: Cameras, reason: int, status: int) -> None:
    done = run("doctor", at(camera(faults=f"init_fail={reason} times 0")))
    assert done.exit_code == status


def test_json_has_a_record_for_each_step_and_cause() -> None:
    with refusing() as address:
        done = run("doctor", address, "--json")
    rows = records(done.stdout)
    steps = [row for row in rows if row["type"] == "step"]
    assert [row["name"] for row in steps] == ["name", "route", "port", "disk"]
    assert steps[2]["state"] == "bad"
    assert steps[2]["facts"]["open"] is False
    cause = next(row for row in rows if row["type"] == "cause")
    assert (cause["code"], cause["blocks"]) == ("nothing-listens", True)
    assert rows[-1] == {
        "type": "diagnosis",
        "address": str(address),
        "camera": None,
        "usable": False,
        "cause": "nothing-listens",
    }


def test_a_search_that_finds_nothing_has_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.discovery.discover", lambda *_, **__: [])
    done = run("doctor", "--seconds", "0.1")
    assert done.exit_code == 3
    assert "What is wrong: no camera was found" in done.stdout


def test_an_address_that_is_none_is_a_usage_error() -> None:
    assert run("doctor", "http://192.168.1.1/").exit_code == 2
    done = run("doctor", "--interface", "192.0.2.1")
    assert done.exit_code == 2
    assert "'192.0.2.1' is no IPv4 address of this computer" in done.stderr


def test_every_code_with_a_status_is_a_cause_that_exists() -> None:
    import inspect

    source = inspect.getsource(causes)
    assert all(f'"{code}"' in source for code in command.STATUSES)
