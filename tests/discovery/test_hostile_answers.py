"""Answers of anyone: what is no camera's is dropped, what is a camera's is made safe."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import zeroconf
from hypothesis import given
from hypothesis import strategies as st

from listeners import LOOPBACK, a_free_udp_port, listener, searcher
from ptpfast import vendors
from ptpfast.discovery import datagrams, finding, mdns, round, ssdp
from ptpfast.discovery.description import parse_description
from ptpfast.discovery.found import Found, found, learn
from ptpfast.discovery.networks import IPv4Interface, Network
from ptpfast.ptp.errors import ConnectFailed, ProtocolError
from ptpfast.transport import http_get
from ptpfast.transport.contract import Address
from ptpfast.vendors.signs import Told

HERE = [Network(IPv4Interface("127.0.0.1/8"))]
REMOTE = "urn:schemas-sony-com:service:DigitalImaging:1"
SEND = "urn:microsoft-com:service:MtpNullService:1"
XML = b'<?xml version="1.0"?>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<root>",
        b"<r>\xff</r>",
        XML + b'<!DOCTYPE r [<!ENTITY a "b">]><root><modelName>&a;</modelName></root>',
        XML + b'<!DOCTYPE r SYSTEM "http://127.0.0.1:1/"><root/>',
        XML + b"<root><modelName>&a;</modelName></root>",
        b"<a>" * 40 + b"</a>" * 40,
        b"<a>" * 20_000,
        b"<root/><root/>",
        b"HTTP/1.1 200 OK",
    ],
)
def test_a_hostile_description_is_refused_with_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="a description"):
        parse_description(data)


def test_the_texts_of_a_description_are_read_with_and_without_prefixes() -> None:
    data = XML + "<r xmlns:p='u'><d><p:modelName> Ä <b/>C</p:modelName><UDN/></d></r>".encode()
    assert parse_description(data) == {"modelName": "Ä", "UDN": ""}
    long = b"<r><modelName>" + b"x" * 50_000 + b"</modelName></r>"
    assert len(parse_description(long)["modelName"]) == 1000
    twice = b"<r><modelName>a</modelName><modelName>b</modelName></r>"
    assert parse_description(twice) == {"modelName": "a"}


@given(st.binary(max_size=300))
def test_any_bytes_are_a_description_or_an_error(data: bytes) -> None:
    try:
        parse_description(data)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("http://10.0.0.1/dd.xml", (Address("10.0.0.1", 80), "/dd.xml")),
        ("http://10.0.0.1:49152/a/b?c", (Address("10.0.0.1", 49152), "/a/b?c")),
        ("HTTP://10.0.0.1", (Address("10.0.0.1", 80), "/")),
        ("http://10.0.0.2/dd.xml", (None, "")),  # another host
        ("http://10.0.0.1:0/", (None, "")),
        ("http://10.0.0.1:65536/", (None, "")),
        ("http://10.0.0.1@10.0.0.2/", (None, "")),
        ("http://user:10.0.0.1/", (None, "")),
        ("https://10.0.0.1/", (None, "")),
        ("file:///etc/passwd", (None, "")),
        ("http://10.0.0.1/a b", (None, "")),
        ("http://10.0.0.1/a\nX: y", (None, "")),
        ("http://10.0.0.1/\u00e4", (None, "")),
        ("http://10.0.0.1/" + "a" * 301, (None, "")),
        ("", (None, "")),
    ],
)
def test_a_description_is_fetched_from_the_host_that_answers_only(
    location: str, place: tuple[Address | None, str]
) -> None:
    assert ssdp.place_of(location, "10.0.0.1") == place


@contextmanager
def web_server(answer: bytes, *, ends: bool = True) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers every question so; it hangs after that unless it `ends`."""
    asked: list[bytes] = []
    over = threading.Event()

    def serve() -> None:
        while True:
            sock, _ = server.accept()
            with sock:
                question = sock.recv(4096)
                if not question:
                    return
                asked.append(question)
                try:
                    sock.sendall(answer)
                except OSError:
                    continue
                if not ends:
                    over.wait(20)

    with socket.create_server((LOOPBACK, 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], asked
        over.set()
        socket.create_connection(server.getsockname()).close()
        thread.join()


def described(answer: bytes, target: str, *, ends: bool = True, path: str = "/d") -> list[Found]:
    """What is seen of a device whose description is this answer."""
    seen: list[Found] = []
    with web_server(answer, ends=ends) as (port, _):
        search = round.Round(0.5)
        search.see = seen.append  # type: ignore[method-assign]
        reader = datagrams.Datagrams(search)
        asking = ssdp.Ssdp(search, reader, [])
        lines = (
            "HTTP/1.1 200 OK",
            f"ST: {target}",
            f"LOCATION: http://{LOOPBACK}:{port}{path}",
            "USN: uuid:0123-45::urn:x",
        )
        for _ in range(3):  # the same answer counts once
            asking._answered("\r\n".join((*lines, "", "")).encode(), LOOPBACK)
        search._pool.shutdown(wait=True)
        search.close()
        reader.close()
    return seen


HEAD = b"HTTP/1.0 200 OK\r\n\r\n"
BARE = Found(LOOPBACK, 15740, "sony", guid="0123-45", found_by=("ssdp",))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0" * 1000,
        b"HTTP/1.0 404 Not Found\r\n\r\n",
        b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        HEAD + b"<a>" * 100,
        HEAD + b"x" * 100_000,
        b"HTTP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n<r/>",
    ],
)
def test_a_device_without_a_readable_description_is_still_a_camera(answer: bytes) -> None:
    assert described(answer, REMOTE) == [BARE]


def test_a_server_that_never_ends_its_description_is_waited_for_no_longer() -> None:
    assert described(HEAD + b"<r><modelName>X</modelName>", REMOTE, ends=False) == [BARE]


def test_a_device_of_another_maker_with_a_target_of_many_is_no_camera() -> None:
    tv = HEAD + b"<r><manufacturer>Some TV</manufacturer><modelName>T</modelName></r>"
    assert described(tv, SEND) == []
    camera = HEAD + b"<r><manufacturer>Sony Corporation</manufacturer></r>"
    assert [each.vendor for each in described(camera, SEND)] == ["sony"]
    assert [each.vendor for each in described(b"", SEND)] == [None]
    assert described(b"", "upnp:rootdevice") == []


def test_texts_of_a_camera_are_short_and_safe_to_show() -> None:
    told = Told("\x1b[2Jname\n\u202e", "m" * 10_000, "\0", "\x7f")
    camera = found(Address("h", 1), None, told, "mdns")
    assert camera.name == "?[2Jname??"
    assert len(camera.model) == 100
    assert (camera.serial_number, camera.guid) == ("?", "?")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 4096,
        b"DISCOVER * HTTP/1.1",
        b"DISCOVER * HTTP/1.1\r\nno colon",
        b"DISCOVER * HTTP/1.1\r\nSERVICE:ANOTHER/1.0\r\n",
        b"NOTIFY * HTTP/1.1\r\nSERVICE:PCAUTOSAVE/1.0\r\n",
        b"\xff DISCOVER * HTTP/1.1\r\nSERVICE:PCAUTOSAVE/1.0\r\n",
    ],
)
def test_a_broadcast_of_no_camera_is_not_a_call(data: bytes) -> None:
    for read in vendors.named("fujifilm").signs.broadcasts.values():
        assert read(data) is None


@pytest.mark.parametrize(
    ("sender", "named", "count"),
    [
        ("127.0.0.1", "127.0.0.1", 1),
        ("127.0.0.1", "127.0.0.2", 0),  # it names another host
        ("10.0.0.1", "10.0.0.1", 0),  # of a network that is not searched
    ],
)
def test_a_call_counts_for_its_sender_only(sender: str, named: str, count: int) -> None:
    data = b"DISCOVER * HTTP/1.1\r\nDSCADDR:%s\r\nSERVICE:PCAUTOSAVE/1.0\r\n" % named.encode()
    search = round.Round(1)
    seen: list[Found] = []
    search.see = seen.append  # type: ignore[method-assign]
    read = vendors.named("fujifilm").signs.broadcasts[51542]
    finding._heard(search, "fujifilm", 55740, read, HERE)(data, sender)
    search.close()
    assert len(seen) == count


@pytest.mark.parametrize(
    ("addresses", "host"),
    [
        (["10.0.0.1", "fe80::1"], "10.0.0.1"),
        (["127.0.0.1"], ""),  # would be this computer
        (["0.0.0.0"], ""),
        (["255.255.255.255"], ""),
        (["224.0.0.251"], ""),
        (["fe80::1"], "fe80::1%wlan0"),
        (["fd00::1"], "fd00::1"),
        ([], ""),
    ],
)
def test_the_address_of_a_service_is_one_that_a_camera_can_have(
    addresses: list[str], host: str
) -> None:
    inside = [Network(IPv4Interface("10.0.0.7/24"), "fe80::7%wlan0")]
    info = zeroconf.ServiceInfo(mdns.KIND, f"a.{mdns.KIND}", port=1, parsed_addresses=addresses)
    assert mdns.host_of(info, inside) == host


def test_the_scope_of_an_address_is_the_name_of_its_interface() -> None:
    index, name = socket.if_nameindex()[0]
    assert mdns.with_name(f"fe80::1%{index}") == f"fe80::1%{name}"
    for scope in ("wlan0", "-1", "2147483647", "9" * 30, ""):
        assert mdns.with_name(f"fe80::1%{scope}") == f"fe80::1%{scope}"


def test_a_link_local_address_without_a_scope_needs_a_single_interface() -> None:
    inside = [
        Network(IPv4Interface("10.0.0.7/24"), "fe80::7%wlan0"),
        Network(IPv4Interface("10.0.1.7/24"), "fe80::8%eth0"),
    ]
    info = zeroconf.ServiceInfo(mdns.KIND, f"a.{mdns.KIND}", port=1, parsed_addresses=["fe80::1"])
    assert mdns.host_of(info, inside) == ""


@pytest.mark.parametrize(
    ("name", "txt", "told"),
    [
        ("Z_8_5000001", {"apps": "$DSC"}, Told("Z_8_5000001", "Z 8", "5000001")),
        (
            "Z_8_5000001",
            {"guid": "04B00451-0"},
            Told("Z_8_5000001", "Z 8", "5000001", "04B00451-0"),
        ),
        ("Z_8_5000001", {}, None),
        ("Z_8_5000001", {"guid": "05ac"}, None),
        ("no number", {"apps": "WT3T"}, Told("no number")),
        ("_" * 60, {"apps": "WT3T"}, Told("_" * 60)),
    ],
)
def test_an_instance_is_read_by_the_vendor_that_knows_its_record(
    name: str, txt: dict[str, str], told: Told | None
) -> None:
    assert vendors.named("nikon").signs.instance(name, txt) == told


def test_no_more_cameras_are_kept_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(round, "MOST_CAMERAS", 3)
    search = round.Round(0.2)
    for number in range(1, 10):
        search.see(Found("h", number))
    assert [each.port for each in search.cameras()] == [1, 2, 3]
    search.close()


def test_no_more_jobs_are_run_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(round, "MOST_JOBS", 3)
    search = round.Round(5)
    done: list[int] = []
    for number in range(9):
        search.start(done.append, number)
    search._pool.shutdown(wait=True)
    search.close()
    assert sorted(done) == [0, 1, 2]


def test_a_socket_is_read_no_more_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "MOST", 5)
    port, read = a_free_udp_port(), list[bytes]()
    search = round.Round(0.5)
    reader = datagrams.Datagrams(search)
    reader.read(
        lambda: datagrams.member_of(ssdp.GROUP, port, LOOPBACK), lambda data, _: read.append(data)
    )
    reader.start()
    with searcher() as sock:
        sock.sendto(b"x" * 5000, (ssdp.GROUP, port))  # too long, but one of the five
        for _ in range(9):
            sock.sendto(b"x", (ssdp.GROUP, port))
    search.over.wait(0.5)
    search.close()
    reader.close()
    assert read == [b"x"] * 4


def test_a_search_goes_on_without_a_socket_that_cannot_be_had() -> None:
    def fail() -> socket.socket:
        raise OSError(98, "Address already in use")

    search = round.Round(0)
    reader = datagrams.Datagrams(search)
    assert reader.read(fail, lambda *_: None) is None
    search.close()


def test_each_vendor_s_targets_are_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    port = a_free_udp_port()
    monkeypatch.setattr(ssdp, "PORT", port)
    search = round.Round(0)
    reader = datagrams.Datagrams(search)
    with listener(port) as heard, searcher() as sock:
        ssdp.Ssdp(search, reader, [])._search(sock)
        texts = [heard.recv(4096).decode() for _ in range(4)]
    search.close()
    assert {text.split("\r\nST: ")[1].strip() for text in texts} == {
        "urn:schemas-canon-com:service:ICPO-WFTEOSSystemService:1",
        "urn:schemas-canon-com:service:ICPO-SmartPhoneEOSSystemService:1",
        REMOTE,
        SEND,
    }
    assert all(text.startswith("M-SEARCH * HTTP/1.1\r\n") for text in texts)


def test_learning_about_a_camera_again_says_nothing_new() -> None:
    cameras: list[Found] = []
    learn(cameras, Found("h", 1, found_by=("mdns",)))
    assert learn(cameras, Found("h", 1, found_by=("mdns",))) == cameras[0]
    assert len(cameras) == 1


def test_a_question_over_http_ends_in_time() -> None:
    with (
        web_server(b"HTTP/1.0 200 OK\r\n", ends=False) as (port, _),
        pytest.raises(ConnectFailed, match=r"no answer from .*timed out"),
    ):
        http_get.http_get(Address(LOOPBACK, port), "/", 0.2)
