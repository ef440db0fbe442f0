"""PC AutoSave of Fujifilm's bodies, over loopback: who calls whom, and what is said."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from ptpfast import ProtocolError
from ptpfast.vendors.fujifilm import autosave, texts
from ptpfast.vendors.fujifilm.autosave import AutoSave, AutoSavePorts, Caller
from ptpfast.vendors.fujifilm.calling import call

LOOPBACK = "127.0.0.1"


def a_free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
    return port


def met(kind: autosave.Kind, asked: str, name: str = "studio") -> tuple[Caller | None, list[bytes]]:
    """What a computer of this name and a camera that asks for one have of each other."""
    heard: list[bytes] = []
    camera_port = a_free_port()

    def camera() -> None:
        heard.extend(call(kind, asked, computer.ports[kind], camera_port=camera_port))

    with AutoSave(name, LOOPBACK, AutoSavePorts(0, 0, camera_port)) as computer:
        thread = threading.Thread(target=camera)
        thread.start()
        caller = computer.wait(10.0)
        thread.join()
    return caller, heard


def test_a_camera_is_registered_and_told_its_folder() -> None:
    caller, (notify, answer) = met("register", "*")
    assert caller == ("register", LOOPBACK, "X-T2", "X-T2")
    text = texts.parse_text(notify)
    assert text.words == ["NOTIFY", "*"]
    assert text.fields["IMPORTER"] == "studio"
    assert texts.parse_text(answer).fields == {"FOLDER": "guest", "SERVICENAME": "PCAUTOSAVE/1.0"}


def test_a_registered_camera_calls_its_computer_by_name() -> None:
    caller, (_, answer) = met("connect", "studio")
    assert caller == ("connect", LOOPBACK, "X-T2", "")
    assert answer == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("name", ["Anna's studio PC", "two  spaces", " *"])
def test_a_computer_with_spaces_in_its_name_is_found(name: str) -> None:
    assert texts.parse_text(texts.discover(name, LOOPBACK)).about == name
    caller, (notify, _) = met("connect", name, name)
    assert caller == ("connect", LOOPBACK, "X-T2", "")
    assert f"IMPORTER: {name}\r\n".encode() in notify


def test_texts_of_both_sides_are_as_they_are_known() -> None:
    assert texts.discover("*", "10.0.0.7") == (
        b"DISCOVER * HTTP/1.1\r\nMX:3\r\nHOST:192.168.1.255:|\r\nDSCADDR:10.0.0.7\r\n"
        b"SERVICE:PCAUTOSAVE/1.0\r\n"
    )
    assert texts.notify("10.0.0.7:51540", "studio") == (
        b"NOTIFY * HTTP/1.1\r\nHOST: 10.0.0.7:51540\r\nIMPORTER: studio\r\n"
    )
    assert texts.import_request("10.0.0.2:51541", "X-T2") == (
        b"IMPORT /guest HTTP/1.1\r\nHOST:10.0.0.2:51541\r\nDSCNAME:X-T2\r\nDSCPORT:$\r\n"
    )
    assert texts.tether_discovery("10.0.0.2") == (
        b"DISCOVERY * HTTP/1.1\r\nHOST: 10.0.0.2\r\nMX: 5\r\nSERVICE: PCSS/1.0\r\n"
    )


def sent(port: int, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(data, (LOOPBACK, port))


Broadcast = Callable[[], bytes]


@pytest.mark.parametrize(
    "broadcast",
    [
        lambda: b"",
        lambda: b"\xff" * 100,
        lambda: texts.discover("*", "10.9.9.9"),
        lambda: texts.discover("another computer", LOOPBACK),
        lambda: texts.discover("studio", LOOPBACK).replace(b"PCAUTOSAVE", b"PCSOMETHING"),
        lambda: b"DISCOVER * HTTP/1.1\r\nno colon here\r\n",
        lambda: b"x" * 5000,
        lambda: texts.discover("studio", LOOPBACK),  # and nobody waits for the answer
    ],
    ids=["empty", "binary", "address", "name", "service", "line", "long", "silent"],
)
def test_a_broadcast_that_is_no_cameras_is_ignored(broadcast: Broadcast) -> None:
    with AutoSave("studio", LOOPBACK, AutoSavePorts(0, 0, a_free_port())) as computer:
        sent(computer.ports["connect"], broadcast())
        assert computer.wait(0.2) is None


def test_a_text_without_a_version_or_too_long_is_refused() -> None:
    for bad in (b"", b"HELLO\r\n", b"A HTTP/1.1\r\nno colon\r\n", b"x" * 4097):
        with pytest.raises(ProtocolError):
            texts.parse_text(bad)
