"""The doctor, with troubles that are staged on this computer: the right cause comes first."""

from __future__ import annotations

import errno
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from staged import (
    LOOPBACK,
    acknowledging,
    closing,
    greeting,
    nothing,
    refusing,
    saying,
    server,
    web,
)

from conftest import PATIENT, Cameras
from ptpfast import vendors
from ptpfast.discovery import Found
from ptpfast.doctor import (
    Diagnosis,
    checks,
    computer,
    examination,
    examine,
    route,
    search,
    segments,
    strangers,
)
from ptpfast.network import routes
from ptpfast.network.interface import Interface
from ptpfast.network.radio import Radio
from ptpfast.network.tcp import TcpState
from ptpfast.ptp.errors import ConnectFailed
from ptpfast.sim import Store
from ptpfast.state.identity import Known, remember
from ptpfast.transport.contract import Address
from ptpfast.transport.timeouts import Timeouts
from ptpfast.vendors.nikon.body_network import PcConnection, with_pc_connection

# For a camera that is silent on purpose.
SILENT = Timeouts(connect=0.5, operation=0.5, idle=0.5, close=0.5, held=0, approval=0)


@pytest.fixture(autouse=True)
def _no_pauses_and_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is searched for, as other tests' cameras would be found; nobody needs the pauses."""
    monkeypatch.setattr(examination, "vendor_of", lambda *_: None)
    monkeypatch.setattr(checks, "AFTER_DROP_S", 0)
    monkeypatch.setattr(checks, "SLOW_MS", 60_000)  # however loaded this computer is
    monkeypatch.setattr(strangers, "ASK_S", 0.2)
    monkeypatch.setattr(strangers, "BANNER_S", 0.1)


def seen(address: Any, timeouts: Timeouts = PATIENT, **options: Any) -> Diagnosis:
    """The diagnosis of an address or a simulated camera."""
    host, port = address.host, address.port
    found = examine(host, port=port, timeouts=timeouts, **options)
    assert [step.name for step in found.steps][-1] == "disk"
    assert all(cause.text and cause.remedy for cause in found.causes)
    return found


def first(address: Any, timeouts: Timeouts = PATIENT, **options: Any) -> str:
    """The code of the first cause."""
    cause = seen(address, timeouts, **options).first
    return cause.code if cause else ""


def words(address: Any, timeouts: Timeouts = PATIENT) -> str:
    """The first cause in words."""
    cause = seen(address, timeouts).first
    assert cause is not None
    return f"{cause.text}; {cause.remedy}"


# A camera that is well


def test_a_healthy_camera_passes_every_step(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=4)
    found = seen(sim, folder=tmp_path)
    assert found.is_usable
    assert [cause.code for cause in found.causes if cause.code != "disk-full"] == []
    states = {step.name: step.state for step in found.steps}
    assert list(states) == [
        *("name", "route", "port", "answer", "camera", "card", "round trips", "reading"),
        *("packets", "disk"),
    ]
    assert {states[name] for name in ("name", "route", "port", "answer", "camera", "card")} == {
        "ok"
    }
    way = next(step for step in found.steps if step.name == "route")
    assert way.text == f"from {LOOPBACK} by lo (loopback)"
    reading = next(step for step in found.steps if step.name == "reading")
    assert reading.facts["bytes"] == 300_000
    assert sim.wait_for(lambda: sim.counters.serving == 0)
    assert sim.unclean_ends == 0


def test_each_step_is_told_when_it_is_finished(camera: Cameras) -> None:
    told: list[str] = []
    found = seen(camera(), told=lambda step: told.append(step.name))
    assert told == [step.name for step in found.steps]


# The name and the route


def test_a_name_that_is_not_known_is_the_first_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = seen(Address("camera.example", 15740))
    assert [cause.code for cause in found.causes if cause.blocks] == ["name-unknown"]
    assert "camera.example" in found.causes[0].text


def test_a_name_server_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()
    monkeypatch.setattr(route, "NAME_S", 0.05)

    def waiting(*_: Any, **__: Any) -> Any:
        release.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", waiting)
    try:
        assert first(Address("camera.example", 15740)) == "name-unanswered"
    finally:
        release.set()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A computer with these routes, at which no packet leaves: connecting fails with an error."""

    def make(error: OSError, *table: tuple[str, str, str | None], interface: str = "wlan0") -> None:
        def unreachable(*_: Any, **__: Any) -> Any:
            raise error

        rows = [
            routes.Route(name, routes.IPv4Network(to), via and routes.IPv4Address(via), 0)
            for name, to, via in table
        ]
        kind = "wireless" if interface == "wlan0" else "unknown"
        monkeypatch.setattr(routes, "routes", lambda: rows)
        monkeypatch.setattr(routes, "local_address", lambda *_: "192.168.0.7")
        monkeypatch.setattr(route, "interface_of", lambda _: Interface(kind, interface))
        monkeypatch.setattr(route, "described", lambda name: Interface(kind, name))
        monkeypatch.setattr(computer, "radio_of", lambda _: Radio())
        monkeypatch.setattr(socket, "create_connection", unreachable)

    return make


HOME = ("wlan0", "192.168.0.0/24", None)
DEFAULT = ("wlan0", "0.0.0.0/0", "192.168.0.1")
NO_ANSWER = TimeoutError("timed out")
NOBODY = OSError(errno.EHOSTUNREACH, "No route to host")


def test_an_address_in_another_network_is_named_with_the_own_ones(network: Any) -> None:
    network(NO_ANSWER, HOME, DEFAULT)
    text = words(Address("192.168.1.1", 15740))
    assert "none of this computer's networks (wlan0 192.168.0.0/24)" in text
    assert first(Address("192.168.1.1", 15740)) == "wrong-network"


def test_a_vpn_that_swallows_the_packets_is_named(network: Any) -> None:
    network(NO_ANSWER, HOME, ("tun0", "192.168.1.0/24", None), interface="tun0")
    assert first(Address("192.168.1.1", 15740)) == "vpn"


def test_two_networks_with_the_same_addresses_are_named(network: Any) -> None:
    network(NO_ANSWER, ("eth0", "192.168.0.0/24", None), HOME)
    text = words(Address("192.168.0.10", 15740))
    assert "in the networks of eth0 and of wlan0; packets go to eth0" in text


def test_a_sleeping_camera_leaves_no_device_at_its_address(network: Any) -> None:
    network(NOBODY, HOME)
    assert first(Address("192.168.0.10", 15740)) == "no-device"
    assert "press the shutter button" in words(Address("192.168.0.10", 15740))


def test_packets_that_are_dropped_without_a_word_point_to_a_firewall(network: Any) -> None:
    network(NO_ANSWER, HOME)
    assert first(Address("192.168.0.10", 15740)) == "filtered"


def test_a_firewall_of_this_computer_is_told_from_others(network: Any) -> None:
    network(OSError(errno.EPERM, "Operation not permitted"), HOME)
    assert first(Address("192.168.0.10", 15740)) == "local-firewall"


@pytest.mark.parametrize(
    ("table", "code"), [([HOME], "no-route"), ([], "no-network")], ids=["elsewhere", "nowhere"]
)
def test_a_computer_without_a_route_is_told_what_to_join(
    network: Any, monkeypatch: pytest.MonkeyPatch, table: Any, code: str
) -> None:
    def none(*_: Any) -> str:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    network(NO_ANSWER, *table)
    monkeypatch.setattr(routes, "local_address", none)
    found = seen(Address("192.168.1.1", 15740))
    assert [cause.code for cause in found.causes if cause.blocks] == [code]
    assert [step.name for step in found.steps] == ["name", "route", "disk"]


# The port, and who answers


def test_a_port_that_nothing_listens_at_is_refused() -> None:
    with refusing() as address:
        assert first(address) == "nothing-listens"


def test_a_refused_port_is_answered_with_the_menu_of_the_vendor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(examination, "vendor_of", lambda *_: vendors.named("canon"))
    with refusing() as address:
        assert "EOS Utility" in words(address)


def test_a_web_server_is_not_taken_for_a_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "ASK_S", 20)
    with server(web) as address:
        text = words(address, SILENT)
    assert "a web server answers" in text
    assert "(lighttpd/1.4)" in text


def test_a_service_that_speaks_first_is_named_by_its_greeting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strangers, "BANNER_S", 20)
    with server(greeting(b"SSH-2.0-OpenSSH_9.2\r\n")) as address:
        text = words(address)
    assert "another service answers" in text
    assert "SSH-2.0-OpenSSH_9.2" in text


def test_a_port_that_accepts_and_is_silent_may_wait_for_an_owner() -> None:
    with server(nothing) as address:
        assert first(address, SILENT) == "silent"


def test_a_camera_that_waits_for_its_owner_is_not_waited_for(camera: Cameras) -> None:
    assert first(camera(body="sony-a7m4", approval="unknown"), SILENT) == "silent"


def test_a_port_that_closes_at_once_is_in_use_or_another_device() -> None:
    with server(closing) as address:
        assert first(address) == "closed-at-once"


@pytest.mark.parametrize(
    "garbage",
    [b"\xff" * 64, bytes(64), b"\x0c\0\0\0\x63\0\0\0abcd", b"\x08\0\0\0\x04\0\0\0"],
    ids=["ones", "zeros", "unknown type", "wrong type"],
)
def test_an_answer_that_is_garbage_is_no_camera(garbage: bytes) -> None:
    with server(saying(garbage)) as address:
        assert first(address, SILENT) == "not-ptpip"


def test_a_camera_with_a_protocol_of_its_own_is_named_with_its_port(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "ASK_S", 20)
    sim = camera(body="fuji-xt4")
    found = seen(sim, SILENT)
    assert found.first is not None
    assert found.first.code == "other-protocol"
    assert "55740" in found.first.remedy


def test_a_refused_second_connection_is_told_from_a_refused_port() -> None:
    with server(acknowledging, first=1) as address:
        found = seen(address, SILENT)
    assert found.first is not None
    assert found.first.code == "event-refused"
    assert {step.name: step.state for step in found.steps}["port"] == "ok"


def test_a_silent_second_connection_is_the_camera_s_fault(camera: Cameras) -> None:
    assert first(camera(faults="event_silence times 0"), SILENT) == "event-failed"


# What the camera says


@pytest.mark.parametrize(
    ("reason", "code"), [(1, "not-paired"), (2, "busy"), (3, "refused"), (99, "refused")]
)
def test_each_reason_of_a_refusal_is_a_cause(camera: Cameras, reason: int, code: str) -> None:
    found = seen(camera(faults=f"init_fail={reason} times 0"))
    assert found.first is not None
    assert found.first.code == code
    assert next(step for step in found.steps if step.name == "answer").facts["reason"] == reason


def test_a_camera_between_two_sessions_is_not_busy(camera: Cameras) -> None:
    found = seen(camera(faults="init_fail=2 times 2"))
    assert {step.name: step.state for step in found.steps}["answer"] == "ok"


def approving_body(**rules_of: bool) -> vendors.Vendor:
    vendor = vendors.with_body("nikon-z8")
    quirks = replace(vendor.quirks, close_after_open_s=0, reconnect_pause_s=0)
    rules = PcConnection(hold_s=0, pause_s=0, **rules_of)
    return replace(vendor, quirks=quirks, body=with_pc_connection(vendor.model, rules))


def test_a_camera_that_asks_its_owner_in_the_session_is_not_paired(camera: Cameras) -> None:
    sim = camera(approving_body(), approval="unknown")
    text = words(sim)
    assert "waits for its owner" in text
    assert "ptpfast pair" in text
    assert sim.unclean_ends == 0


def test_a_camera_that_rejects_this_computer_wants_another_identity(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "vendor_of", lambda *_: vendors.named("nikon"))
    sim = camera(approving_body(), approval="rejected")
    assert first(sim) == "rejected"
    assert "--new-identity" in words(sim)


def test_a_camera_that_has_let_this_computer_in_before_rejects_it(camera: Cameras) -> None:
    sim = camera(faults="init_fail=1 times 0")
    known = Known("", sim.host, sim.port, "canon", approved="2026-11-30")
    remember(known, bytes(range(16)), "name")
    assert first(sim) == "rejected"


def test_a_profile_that_sends_chosen_pictures_only_is_the_wrong_mode(camera: Cameras) -> None:
    found = seen(camera(approving_body(transfers=True)))
    assert found.first is not None
    assert found.first.code == "wrong-mode"
    assert "picture transfer profile" in found.first.text
    assert "Connect to computer" in found.first.remedy


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("respond=0x200F on GetObjectHandles times 0", "wrong-mode"),
        ("respond=0x200F on GetObjectInfo times 0", "wrong-mode"),
        ("respond=0x2013 on GetObjectHandles times 0", "asleep"),
        ("sleep on GetStorageIDs times 0", "asleep"),
        ("drop on GetDeviceInfo times 0", "connection-lost"),
        ("respond=0x2002 on OpenSession times 0", "refused"),
    ],
)
def test_each_answer_of_a_session_is_a_cause(camera: Cameras, fault: str, code: str) -> None:
    assert first(camera(faults=fault)) == code


def test_a_camera_without_a_card_is_told_so(camera: Cameras) -> None:
    assert first(camera(store=Store(storages=0))) == "no-card"


def test_an_empty_card_is_no_reason_to_fail(camera: Cameras) -> None:
    found = seen(camera(objects=0))
    assert found.is_usable
    assert "nothing-listed" in [cause.code for cause in found.causes]


# Large packets, and speed


def test_a_camera_that_answers_only_in_small_packets_is_behind_a_black_hole(
    camera: Cameras,
) -> None:
    sim = camera(faults="no_answer on GetDeviceInfo")
    assert first(sim, SILENT) == "large-packets-lost"


def test_a_read_that_arrives_only_in_small_packets_is_behind_a_black_hole(
    camera: Cameras,
) -> None:
    sim = camera(faults="no_answer on GetPartialObject")
    assert first(sim, SILENT) == "large-packets-lost"


@pytest.mark.parametrize("operation", ["GetDeviceInfo", "GetPartialObject"])
def test_a_camera_that_stays_silent_hangs(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setattr(segments, "TRIAL_S", 0.5)
    sim = camera(faults=f"no_answer on {operation} times 0")
    assert first(sim, SILENT) == "hangs"


def test_slow_round_trips_are_told_with_what_takes_the_time(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "SLOW_MS", 100)
    found = seen(camera(delay_s=0.2))
    assert found.is_usable
    assert found.first is not None
    assert found.first.code == "slow-round-trips"
    assert "most of it in the camera" in found.first.text


def test_lost_packets_are_counted_by_the_kernel(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = TcpState(2.0, 2.0, 0.1, 1000, 50, 3, LOOPBACK)
    monkeypatch.setattr(checks, "tcp_state", lambda *_: state)
    found = seen(camera())
    assert found.is_usable
    assert found.first is not None
    assert (found.first.code, "5.0 %" in found.first.text) == ("loss", True)


def test_a_card_that_takes_too_long_to_list_is_left(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "LIST_S", 0.1)
    found = seen(camera(faults="no_answer on GetObjectHandles times 0"))
    states = {step.name: step.state for step in found.steps}
    assert states["card"] == "slow"
    assert "round trips" not in states  # the camera would be asked amid its list


# This computer


def test_a_weak_signal_comes_after_what_blocks(network: Any, monkeypatch: Any) -> None:
    network(NOBODY, HOME)
    monkeypatch.setattr(computer, "radio_of", lambda _: Radio(-82.0, 6.0, 2437))
    found = seen(Address("192.168.0.10", 15740))
    assert [cause.code for cause in found.causes][:2] == ["no-device", "weak-signal"]
    radio = next(step for step in found.steps if step.name == "radio")
    assert radio.text == "-82 dBm, 6 Mbit/s, 2.4 GHz, channel 6"


def test_a_folder_that_cannot_be_written_is_told(camera: Cameras, tmp_path: Path) -> None:
    found = seen(camera(), folder=tmp_path / "not there")
    assert found.is_usable
    assert "disk-not-writable" in [cause.code for cause in found.causes]


# The search


@pytest.fixture
def told_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has the search find these cameras, and nothing that other tests announce."""

    def make(*cameras: Found) -> None:
        monkeypatch.setattr("ptpfast.discovery.discover", lambda *_, **__: list(cameras))

    return make


def test_the_only_camera_that_is_found_is_examined(camera: Cameras, told_of: Any) -> None:
    sim = camera()
    told_of(Found(sim.host, sim.port, model="Z 8"))
    found = search.search_and_examine(timeouts=PATIENT)
    assert found.is_usable
    assert found.address == f"{sim.host}:{sim.port}"
    assert [step.name for step in found.steps][:2] == ["search", "name"]


def test_two_cameras_are_listed_and_one_is_asked_for(told_of: Any) -> None:
    told_of(Found("192.168.0.2", 15740, model="Z 8"), Found("192.168.0.3", 15740))
    found = search.search_and_examine()
    assert found.first is not None
    assert found.first.code == "several-cameras"
    assert "192.168.0.2:15740" in found.first.remedy


def test_a_search_that_finds_nothing_ends_with_what_to_do(told_of: Any) -> None:
    told_of()
    found = search.search_and_examine(seconds=0.1)
    assert found.first is not None
    assert found.first.code == "no-camera"
    assert "ptpfast doctor ADDRESS" in found.first.remedy


def test_a_search_that_is_not_installed_asks_for_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    found = search.search_and_examine()
    assert found.first is not None
    assert found.first.code == "no-search"
    assert [step.name for step in found.steps] == ["search", "disk"]


def test_a_search_without_a_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any, **__: Any) -> Any:
        raise ConnectFailed("this computer is in no network")

    monkeypatch.setattr("ptpfast.discovery.discover", none)
    found = search.search_and_examine()
    assert found.first is not None
    assert found.first.code == "no-network"
