"""Avahi, gssdp and minissdpd, which are not ours, find simulated cameras, and are found.

Each scene is in network namespaces of its own, so that no packet leaves this machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from programs import program

pytestmark = [pytest.mark.interop, pytest.mark.tools, pytest.mark.timeout(300)]

AVAHI = {
    "avahi-daemon": "avahi-daemon",
    "avahi-browse": "avahi-utils",
    "avahi-publish": "avahi-utils",
    "dbus-daemon": "dbus",
}
MINISSDPD = {"minissdpd": "minissdpd"}
NETWORK = ("unshare", "--net", "--mount", "--map-root-user")
FIRST, SECOND = ("192.168.54.7", "192.168.54.8"), ("10.20.0.7", "10.20.0.8")


def seen(scene: str, programs: dict[str, str]) -> Any:
    """What was seen in a scene, which needs programs of Debian's packages."""
    for name, package in programs.items():
        program(name, package)
    if shutil.which("unshare") is None or subprocess.run([*NETWORK, "true"]).returncode:
        pytest.skip("this user may not make a network namespace")
    script = Path(__file__).with_name("network_of_peers.py")
    done = subprocess.run(
        [*NETWORK, sys.executable, "-W", "error", script, scene],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_camera_that_avahi_announces_is_found_on_each_interface_and_answers() -> None:
    told = seen("avahi_announces", AVAHI)
    places = {"v": FIRST[1], "w": SECOND[1]}
    for name, host in places.items():
        assert (told[name]["host"], told[name]["port"]) == (host, told["port"])
        assert (told[name]["vendor"], told[name]["model"]) == ("nikon", "Z 8")
        assert told[name]["serial_number"] == "5000001"
        assert told[name]["found_by"] == ["mdns"]
    assert told["any"]["host"] in places.values()
    assert told["model"] == "Z 8"


def test_camera_that_avahi_announces_over_ipv6_is_found_with_its_interface() -> None:
    told = seen("avahi_announces_ipv6", AVAHI)
    assert told["found"]["address"] == f"[fe80::8%v0]:{told['port']}"
    assert (told["found"]["model"], told["found"]["guid"]) == ("Z 8", "04b0-1")


def test_avahi_finds_simulated_cameras_on_their_own_interfaces_until_they_go() -> None:
    told = seen("avahi_browses", AVAHI)
    first, second = told["resolved"]["v1"], told["resolved"]["w1"]
    assert (first["host"], first["port"]) == (FIRST[0], told["ports"][0])
    assert (second["host"], second["port"]) == (SECOND[0], told["ports"][1])
    assert '"apps=$DSC"' in first["txt"]
    assert told["gone"] == ["v1", first["name"]]


def test_gssdp_finds_simulated_cameras_by_searching_until_they_go() -> None:
    told = seen("gssdp_discovers", {"gssdp-discover": "gupnp-tools"})
    assert sorted(told) == ["canon-r6m2", "sony-a7m4"]
    for each in told.values():
        assert each["found"] == each["location"]
        assert each["gone"].endswith(f"::{each['target']}")


def test_camera_for_which_minissdpd_answers_is_found_with_its_description() -> None:
    told = seen("minissdpd_answers", MINISSDPD)
    found = told["found"]
    assert found["host"] == FIRST[1]
    assert (found["vendor"], found["model"]) == ("canon", "Canon EOS 90D")
    assert found["serial_number"] == "61024"
    assert told["udn"] == f"uuid:{found['guid']}"


def test_minissdpd_keeps_a_simulated_camera_until_it_says_goodbye() -> None:
    told = seen("minissdpd_hears", MINISSDPD)
    assert told["location"] in told["listed"]
    assert told["later"] == "\0"


def test_nothing_found_beside_a_printer_is_said_with_the_doctor() -> None:
    told = seen("nothing_there", AVAHI)
    assert (told["status"], told["out"]) == (3, "")
    assert "no camera was found in 2 s" in told["said"]
    assert "'ptpfast doctor ADDRESS' finds out why" in told["said"]
