"""Cameras announce themselves on loopback: others find them, and they survive what others send."""

from __future__ import annotations

import os
import queue
import shutil
import socket
import subprocess
import sys
import urllib.error
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import zeroconf

import command_line
import ptpfast
from listeners import (
    GROUP,
    LOOPBACK,
    SEARCH,
    a_free_udp_port,
    fetched,
    headers,
    listener,
    search,
    searcher,
)
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera, announcer, first_difference, ssdp

DEVICE = "{urn:schemas-upnp-org:device-1-0}"
BASIC = "urn:schemas-upnp-org:device:Basic:1"
EOS = "urn:schemas-canon-com:service:ICPO-WFTEOSSystemService:1"
REMOTE = "urn:schemas-sony-com:service:DigitalImaging:1"
IN_MDNS = {
    "nikon-d850": "D850",
    "nikon-z6": "Z_6",
    "nikon-z6-3": "Z6_3",
    "nikon-z8": "Z_8",
    "nikon-z9": "Z_9",
}
IN_SSDP = {
    "canon-80d": EOS,
    "canon-m50": EOS,
    "canon-r6m2": EOS,
    "sony-a7m4": REMOTE,
    "sony-a7r3": REMOTE,
    "sony-a7sm3": REMOTE,
}
BY_BROADCAST = {"fuji-xt2", "fuji-xt4"}
SILENT = {"nikon-d5300", "nikon-d7200", "ricoh-theta-m15", "panasonic-bgh1"}


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port instead of SSDP's, so that nothing else on this machine is heard or disturbed."""
    number = a_free_udp_port()
    monkeypatch.setattr(ssdp, "PORT", number)
    return number


class Browser:
    """zeroconf's own browser on loopback: `events` has each change of an instance."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, zeroconf.ServiceStateChange]] = queue.Queue()
        self.running = zeroconf.Zeroconf([LOOPBACK], ip_version=zeroconf.IPVersion.V4Only)
        self.browser = zeroconf.ServiceBrowser(
            self.running, "_ptp._tcp.local.", handlers=[self.changed]
        )

    def changed(
        self,
        zeroconf: zeroconf.Zeroconf,
        service_type: str,
        name: str,
        state_change: zeroconf.ServiceStateChange,
    ) -> None:
        self.events.put((name, state_change))

    def wait_for(self, name: str, change: zeroconf.ServiceStateChange) -> None:
        while self.events.get(timeout=20) != (name, change):
            pass

    def close(self) -> None:
        self.browser.cancel()
        self.running.close()


def test_every_body_is_known_to_announce_itself_or_not_to() -> None:
    assert {*IN_MDNS, *IN_SSDP, *BY_BROADCAST, *SILENT} == set(vendors.BODIES)


@pytest.mark.parametrize("body", IN_MDNS)
def test_a_browser_of_others_sees_a_body_come_and_go(body: str) -> None:
    browser = Browser()
    kind = "_ptp._tcp.local."
    try:
        with SimulatedCamera(body=body, objects=0, seed=body, announce=True) as camera:
            name = f"{IN_MDNS[body]}_{camera.body.serial_number.lstrip('0')}.{kind}"
            assert camera.announced == [f"mDNS: {name}"]
            browser.wait_for(name, zeroconf.ServiceStateChange.Added)
            info = browser.running.get_service_info(kind, name)
            assert info is not None
            assert (info.parsed_addresses(), info.port) == ([LOOPBACK], camera.port)
            guid = str(uuid.UUID(bytes=camera.guid))
            txt = {"apps": "$DSC", "vid": "A", "pid": guid[5:8], "guid": guid}
            assert info.decoded_properties == txt
            assert guid.startswith("04b00")
            assert "-0000-1001-8001-" in guid
        browser.wait_for(name, zeroconf.ServiceStateChange.Removed)
    finally:
        browser.close()


def test_a_body_of_the_standard_announces_its_service_alone() -> None:
    browser = Browser()
    try:
        with SimulatedCamera(objects=0, seed="standard", announce=True) as camera:
            name = camera.announced[0].removeprefix("mDNS: ")
            browser.wait_for(name, zeroconf.ServiceStateChange.Added)
            info = browser.running.get_service_info("_ptp._tcp.local.", name)
            assert info is not None
            assert info.port == camera.port
    finally:
        browser.close()


@pytest.mark.parametrize("body", IN_SSDP)
def test_a_search_finds_a_body_by_each_of_its_targets(body: str, port: int) -> None:
    with SimulatedCamera(body=body, objects=0, announce=True) as camera, searcher() as sock:
        everything = search(sock, port, "ssdp:all", 4)
        assert [each["ST"] for each in everything[1:]] == ["upnp:rootdevice", BASIC, IN_SSDP[body]]
        udn = everything[0]["ST"]
        assert [each["USN"] for each in everything] == [
            udn,
            *(f"{udn}::{each['ST']}" for each in everything[1:]),
        ]
        for answer in everything:
            assert search(sock, port, answer["ST"], 1) == [answer]
            assert answer["CACHE-CONTROL"] == "max-age=1800"
            assert answer["LOCATION"] in camera.announced[0]
        root = ET.fromstring(fetched(everything[0]["LOCATION"]))
        assert root.findtext(f"{DEVICE}device/{DEVICE}UDN") == udn
        assert root.findtext(f"{DEVICE}device/{DEVICE}modelName") == camera.body.vendor.model.name
        types = [each.text for each in root.iter(f"{DEVICE}serviceType")]
        assert types == [IN_SSDP[body]]
        assert udn.lower().endswith(camera.guid[-6:].hex())


def test_the_description_of_an_eos_names_its_server_and_its_guid(port: int) -> None:
    with (
        SimulatedCamera(body="canon-r6m2", objects=0, name="A & B", announce=True) as camera,
        searcher() as sock,
    ):
        location = search(sock, port, EOS, 1)[0]["LOCATION"]
        root = ET.fromstring(fetched(location))
        assert root.findtext(f"{DEVICE}URLBase") == location.removesuffix("CameraDevDesc.xml")
        device = root.find(f"{DEVICE}device")
        assert device is not None
        assert device.findtext(
            f"{DEVICE}UDN"
        ) == f"uuid:{uuid.UUID(bytes=camera.guid)}".upper().replace("UUID", "uuid")
        own = "{urn:schemas-canon-com:schema-upnp}"
        assert [each.text for each in root.iter(f"{own}X_deviceNickname")] == ["A & B"]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetched(location.replace("CameraDevDesc", "CameraSvcDesc"))


def test_the_service_description_of_an_alpha_says_what_it_supports(port: int) -> None:
    with SimulatedCamera(body="sony-a7m4", objects=0, announce=True), searcher() as sock:
        location = search(sock, port, REMOTE, 1)[0]["LOCATION"]
        root = ET.fromstring(fetched(location))
        path = next(root.iter(f"{DEVICE}SCPDURL")).text
        text = fetched(location.replace("/dd.xml", str(path)))
        assert "<X_PTP_Versions>3.00</X_PTP_Versions>" in text
        assert "<X_ModelName>ILCE-7M4</X_ModelName>" in text


def test_a_device_says_that_it_comes_and_that_it_goes(port: int) -> None:
    with listener(port) as heard:
        with SimulatedCamera(body="canon-80d", objects=0, announce=True):
            came = [headers(heard.recv(4096), "NOTIFY * HTTP/1.1") for _ in range(4)]
            assert {each["NTS"] for each in came} == {"ssdp:alive"}
            assert came[3]["NT"] == EOS
            assert came[3]["SERVER"] == "Camera OS/1.0 UPnP/1.0 Canon Device Discovery/1.0"
        went = [headers(heard.recv(4096), "NOTIFY * HTTP/1.1") for _ in range(4)]
        assert {each["NTS"] for each in went} == {"ssdp:byebye"}
        assert [each["USN"] for each in went] == [each["USN"] for each in came]


@pytest.mark.parametrize("body", sorted(BY_BROADCAST))
def test_a_body_calls_computers_by_broadcast(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as computer:
        computer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        computer.bind(("127.255.255.255", 51542))
        computer.settimeout(10)
        with SimulatedCamera(body=body, objects=0, announce=True) as camera:
            data, (sender, _) = computer.recvfrom(4096)
            assert camera.announced == ["broadcast: UDP port 51542 of 127.255.255.255"]
    assert sender == LOOPBACK
    assert data == (
        b"DISCOVER * HTTP/1.1\r\nMX:3\r\nHOST:192.168.1.255:|\r\n"
        b"DSCADDR:127.0.0.1\r\nSERVICE:PCAUTOSAVE/1.0\r\n"
    )


def test_a_broadcast_goes_to_the_network_of_the_camera() -> None:
    assert announcer.broadcast_address("127.0.0.1") == "127.255.255.255"
    assert announcer.broadcast_address("192.168.7.3") == "192.168.7.255"


@pytest.mark.parametrize("body", sorted(SILENT))
def test_a_body_of_which_nothing_is_known_announces_nothing(body: str) -> None:
    with SimulatedCamera(body=body, objects=0, announce=True) as camera:
        assert camera.announced == []


def test_nothing_is_announced_without_being_asked_for(port: int) -> None:
    with listener(port) as heard, SimulatedCamera(body="sony-a7m4", objects=0) as camera:
        with searcher() as sock:  # the search itself is all that is heard
            sock.sendto(SEARCH.format(GROUP, port, "ssdp:all").encode(), (GROUP, port))
            assert heard.recv(4096).startswith(b"M-SEARCH")
        assert camera.announced == []


HOSTILE = [
    b"",
    b"\0" * 2048,
    bytes(range(256)) * 8,
    b"M-SEARCH",
    b"M-SEARCH * HTTP/1.1\r\n\r\n",
    b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n",  # without MAN
    b'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nST: \xff\xfe\r\n\r\n',
    b'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nST: ssdp:all\r\n' + b"A: b\r\n" * 5000,
    b"M-SEARCH * HTTP/1.1\r\n" + b":" * 60_000,
    b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:byebye\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nST: ssdp:all\r\n\r\n",
]


def test_hostile_datagrams_do_not_disturb_a_camera(port: int, tmp_path: Path) -> None:
    with (
        SimulatedCamera(body="sony-a7m4", objects=2, size=300_000, announce=True) as camera,
        searcher() as sock,
    ):
        for data in HOSTILE:
            sock.sendto(data, (GROUP, port))
        # None of them was answered: the next answer is that of a search.
        assert search(sock, port, REMOTE, 1)[0]["ST"] == REMOTE
        for _ in range(300):
            for data in HOSTILE:
                sock.sendto(data, (GROUP, port))
        report = ptpfast.pull(f"{camera.host}:{camera.port}", tmp_path)
        assert report.downloaded == 2
        for stored in camera.store.files():
            (file,) = tmp_path.rglob(stored.name)
            expected = camera.store.expected(stored.handle)
            assert first_difference(expected, file.read_bytes()) is None
        assert camera.defects == camera.protocol_errors == 0


def test_a_flood_is_read_slowly_and_searches_are_answered_after_it(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    wait = ssdp._wait_for

    def noted(sock: socket.socket, seconds: float) -> None:
        waits.append(seconds)
        wait(sock, seconds)

    monkeypatch.setattr(ssdp, "MOST_A_SECOND", 5)
    monkeypatch.setattr(ssdp, "_wait_for", noted)
    with SimulatedCamera(body="sony-a7m4", objects=0, announce=True), searcher() as sock:
        for _ in range(8):
            sock.sendto(SEARCH.format(GROUP, port, REMOTE).encode(), (GROUP, port))
        assert len({sock.recv(4096) for _ in range(8)}) == 1
    assert waits


@pytest.mark.parametrize(
    "question", [b"\0" * 20_000, b"GET /\r\n\r\n", b"POST /dd.xml HTTP/1.1\r\n\r\n"]
)
def test_a_hostile_question_for_the_description_gets_none(question: bytes, port: int) -> None:
    with SimulatedCamera(body="sony-a7m4", objects=0, announce=True), searcher() as sock:
        location = search(sock, port, REMOTE, 1)[0]["LOCATION"]
        where = location.removeprefix("http://").removesuffix("/dd.xml").split(":")
        with socket.create_connection((where[0], int(where[1])), 5) as connection:
            connection.sendall(question)
            assert connection.recv(100) == b""
        assert "ILCE-7M4" in fetched(location)


def test_a_host_without_an_address_of_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match=r"announce needs a host that is one address"):
        SimulatedCamera(host="0.0.0.0", objects=0, announce=True)


def test_an_interface_without_multicast_ends_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(host: str) -> socket.socket:
        raise OSError(19, "No such device")

    monkeypatch.setattr(ssdp, "member_of_group", fail)
    with pytest.raises(OSError, match="No such device"):
        SimulatedCamera(body="canon-r6m2", objects=0, announce=True)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(ImportError, match=r"needs zeroconf: pip install 'ptpfast\[discovery\]'"):
        SimulatedCamera(body="nikon-z8", objects=0, announce=True)
    done = command_line.run("simulate", "--body", "nikon-z8", "--announce", "--port", "0")
    assert done.exit_code == 2
    assert "pip install 'ptpfast[discovery]'" in done.stderr


def test_a_switch_that_is_no_switch_is_refused() -> None:
    with pytest.raises(TypeError, match="announce is True or False"):
        SimulatedCamera(objects=0, announce="no")  # type: ignore[arg-type]


ON_LOOPBACK_ALONE = """
import subprocess
from listeners import SEARCH, GROUP, search, searcher
from ptpfast.sim import SimulatedCamera
for command in ("ip link set lo up", "ip addr add 192.0.2.1/32 dev lo"):
    subprocess.run(command.split(), check=True)
with SimulatedCamera(body="sony-a7m4", objects=0, announce=True):
    with searcher("192.0.2.1") as other, searcher() as sock:
        other.sendto(SEARCH.format(GROUP, 1900, "ssdp:all").encode(), (GROUP, 1900))
        search(sock, 1900, "ssdp:all", 4)  # read after the other one, and answered
        other.setblocking(False)
        try:
            print(other.recv(4096))
        except BlockingIOError:
            print("silence")
"""


def test_a_camera_on_loopback_answers_no_address_outside_it() -> None:
    network = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*network, "true"]).returncode:
        pytest.skip("this user may not make a network namespace")
    script = [*network, sys.executable, "-c", ON_LOOPBACK_ALONE]
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(script, env=path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "silence\n", done.stderr
