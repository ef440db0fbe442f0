"""Cameras are found on loopback: simulated ones, and services that zeroconf itself announces."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import zeroconf

import ptpfast
from listeners import LOOPBACK, a_free_udp_port, searcher
from ptpfast import Found
from ptpfast.discovery import networks, ssdp, stream
from ptpfast.sim import SimulatedCamera
from ptpfast.sim import ssdp as announced_by

KIND = "_ptp._tcp.local."


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port instead of SSDP's, so that nothing else on this machine is heard or disturbed."""
    number = a_free_udp_port()
    monkeypatch.setattr(ssdp, "PORT", number)
    monkeypatch.setattr(announced_by, "PORT", number)
    return number


def until(wanted: str, **options: object) -> Found:
    """The first camera that was found in this way, with all that the search knows then."""
    for camera in stream(30, interfaces=LOOPBACK, addresses=[], **options):  # type: ignore[arg-type]
        if wanted in (camera.found_by[0], camera.serial_number, camera.name):
            return camera
    raise AssertionError(f"nothing was found as {wanted}")


@pytest.mark.parametrize("body", ["nikon-d850", "nikon-z6-3"])
def test_a_body_is_found_by_mdns_with_all_that_it_tells(body: str) -> None:
    with SimulatedCamera(body=body, objects=0, seed=f"found {body}", announce=True) as camera:
        serial_number = camera.body.serial_number.lstrip("0")
        found = until(serial_number)
        model = camera.body.vendor.model.name.replace("_", " ")
        assert (found.host, found.port) == (camera.host, camera.port)
        assert (found.vendor, found.model) == ("nikon", model)
        assert found.guid.replace("-", "") == camera.guid.hex()
        assert found.found_by == ("mdns",)
        with ptpfast.connect(found.host, port=found.port) as session:
            assert session.device_info.serial_number.lstrip("0") == found.serial_number


@pytest.mark.parametrize(
    ("body", "model", "has_serial_number"),
    [("canon-r6m2", "Canon EOS R6m2", True), ("sony-a7m4", "ILCE-7M4", False)],
)
def test_a_body_is_found_by_ssdp_with_its_description(
    body: str, model: str, has_serial_number: bool
) -> None:
    with SimulatedCamera(body=body, objects=0, name="studio", announce=True) as camera:
        found = until("ssdp")
        assert (found.host, found.port, found.model) == (LOOPBACK, 15740, model)
        assert found.vendor == camera.body.vendor.name
        assert bool(found.serial_number) is has_serial_number
        assert found.guid.lower().endswith(camera.guid[-6:].hex())


def test_a_body_that_comes_later_is_found_by_its_own_announcement(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssdp.Ssdp, "_search", lambda *_: None)  # so that nothing is asked
    with socket.create_server((LOOPBACK, 0)) as server:
        search = stream(
            30, interfaces=LOOPBACK, addresses=[f"{LOOPBACK}:{server.getsockname()[1]}"]
        )
        assert next(search).found_by == ("address",)  # the search goes on
    with SimulatedCamera(body="canon-80d", objects=0, announce=True):
        assert next(search).model == "Canon EOS 80D"
    search.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", ["fuji-xt2", "fuji-xt4"])
def test_a_body_is_found_by_its_call(body: str) -> None:
    with SimulatedCamera(body=body, objects=0, announce=True):
        found = until("broadcast")
    assert (found.host, found.port, found.vendor) == (LOOPBACK, 55740, "fujifilm")


def test_a_service_of_zeroconf_itself_is_found_as_a_camera() -> None:
    running = zeroconf.Zeroconf([LOOPBACK], ip_version=zeroconf.IPVersion.V4Only)
    name = f"Some camera of another maker.{KIND}"
    info = zeroconf.ServiceInfo(
        KIND, name, port=4321, parsed_addresses=[LOOPBACK], server="a.local."
    )
    try:
        running.register_service(info)
        found = until("Some camera of another maker")
    finally:
        running.close()
    assert found == Found(LOOPBACK, 4321, name=found.name, found_by=("mdns",))


def test_an_address_is_tried_by_a_connection_without_a_byte() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        address = f"{LOOPBACK}:{server.getsockname()[1]}"
        search = stream(30, interfaces=LOOPBACK, addresses=address)
        found = next(each for each in search if each.found_by == ("address",))
        search.close()
        assert found.address == address
        assert found.vendor is None
        sock, _ = server.accept()
        with sock:
            assert sock.recv(100) == b""


def test_an_address_at_a_vendor_s_own_port_tells_the_vendor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert networks._vendor_of(55740) == "fujifilm"
    assert networks._vendor_of(15740) is None
    # Other tests take that port: one that is free stands for it.
    monkeypatch.setattr(networks, "_vendor_of", lambda port: "fujifilm")
    with socket.create_server((LOOPBACK, 0)) as server:
        address = f"{LOOPBACK}:{server.getsockname()[1]}"
        search = stream(30, interfaces=LOOPBACK, addresses=address)
        found = next(each for each in search if each.address == address)
        search.close()
    assert (found.vendor, found.found_by) == ("fujifilm", ("address",))


def test_a_camera_that_is_found_twice_is_one_camera() -> None:
    with SimulatedCamera(body="nikon-z8", objects=0, seed="twice", announce=True) as camera:
        serial_number = camera.body.serial_number.lstrip("0")
        address = f"{LOOPBACK}:{camera.port}"
        search = stream(30, interfaces=LOOPBACK, addresses=address)
        ways = next(each for each in search if len(each.found_by) == 2)
        assert set(ways.found_by) == {"address", "mdns"}
        assert (ways.serial_number, ways.vendor) == (serial_number, "nikon")
        search.close()  # type: ignore[attr-defined]


def test_two_cameras_of_one_host_are_not_mixed() -> None:
    one, other = Found("h", 1, guid="a", model="A"), Found("h", 1, guid="b", name="B")
    assert not one.is_same(other)
    assert one.is_same(Found("h", 1))
    assert one.merged(Found("h", 1, name="N", found_by=("ssdp",))) == Found(
        "h", 1, guid="a", model="A", name="N", found_by=("ssdp",)
    )


def test_a_search_of_no_seconds_finds_nothing() -> None:
    assert ptpfast.discover(0, interfaces=LOOPBACK, addresses=[]) == []


def test_a_search_with_its_defaults_keeps_to_the_networks_of_the_computer() -> None:
    network = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*network, "true"]).returncode:
        pytest.skip("this user may not make a network namespace")
    script = [
        *network,
        sys.executable,
        "-W",
        "error",
        Path(__file__).parent / "network_of_its_own.py",
    ]
    done = subprocess.run(script, env=dict(os.environ), capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    found = {(each["host"], each["port"]): each for each in told["found"]}
    assert found["192.168.0.1", 55740]["vendor"] == "fujifilm"
    assert found["192.168.0.1", 55740]["found_by"] == ["address"]
    assert found["192.168.0.7", told["port"]]["model"] == "Z 8"
    assert found["192.168.0.7", 15740]["model"] == "ILCE-7M4"
    assert found["fe80::1234%v0", 15740]["name"] == "six"
    assert len(found) == 4


def test_a_flood_of_answers_does_not_hide_a_camera(port: int) -> None:
    with socket.create_server((LOOPBACK, 0)) as server, searcher() as sock:
        address = f"{LOOPBACK}:{server.getsockname()[1]}"
        search = stream(30, interfaces=LOOPBACK, addresses=address)
        assert next(search).found_by == ("address",)  # the search goes on
        for number in range(3000):
            sock.sendto(os.urandom(number % 100), (ssdp.GROUP, port))
            notify = f"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nNT: {number}\r\n\r\n"
            sock.sendto(notify.encode(), (ssdp.GROUP, port))
        with SimulatedCamera(body="sony-a7m4", objects=0, announce=True):
            assert next(search).model == "ILCE-7M4"
        search.close()  # type: ignore[attr-defined]
