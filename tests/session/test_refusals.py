"""Wrong arguments are refused with a sentence that says what is right, before any request."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ptpfast
from conftest import Cameras, Sessions
from ptpfast.sim import SimulatedCamera

CONNECT: list[tuple[dict[str, Any], str]] = [
    ({"host": None}, "address is a text"),
    ({"host": b"1.2.3.4"}, "address is a text"),
    ({"host": ""}, "is not an address"),
    ({"host": "1.2.3.4", "port": "15740"}, "port takes a port"),
    ({"host": "1.2.3.4", "port": 0}, "port takes a port"),
    ({"host": "1.2.3.4", "port": 65536}, "port takes a port"),
    ({"timeouts": 5}, r"timeouts takes Timeouts, such as Timeouts\(operation=5\)"),
    ({"depth": 0}, "depth takes a number of requests: from 1 to 64"),
    ({"depth": True}, "depth takes a number"),
    ({"depth": 1.5}, "depth takes a number"),
    ({"depth": 10**9}, "depth takes a number"),
    ({"vendor": "kodak"}, "no vendor 'kodak'; there are: standard, nikon"),
    ({"vendor": 1}, "vendor is a name or a Vendor"),
    ({"waiting": 1}, "waiting takes a function"),
    ({"index": "no"}, "index is True or False"),
    ({"guid": "x"}, "guid takes 16 bytes"),
    ({"guid": b"x"}, "guid takes 16 bytes, not 1"),
    ({"name": 1}, "name takes a text"),
]
PULL: list[tuple[dict[str, Any], str]] = [
    ({"chunk": "1M"}, "chunk takes a number of bytes, such as 1_000_000"),
    ({"min_size": "1M"}, "min_size takes a number of bytes, such as 1_000_000, not"),
    ({"chunk": -1}, "chunk takes a number of bytes"),
    ({"chunk": True}, "chunk takes a number of bytes"),
    ({"chunk": 1 << 63}, "chunk takes a number of bytes"),
    ({"retry": -3}, "retry takes a number of tries, or None for no limit: 0 or more"),
    ({"retry": math.inf}, "retry takes a number of tries"),
    ({"verify": "sha256"}, "verify is one of size, hash, disk, reread, not 'sha256'"),
    ({"verify": True}, "verify is one of"),
    ({"on_conflict": None}, "on_conflict is one of"),
    ({"algorithm": "md5"}, "algorithm is one of sha256, xxh3"),
    ({"order": "oldest first"}, "order is one of listed, oldest, newest"),
    ({"since": "last week"}, "since: 'last week' is not a date"),
    ({"since": 5}, "since takes a date, a datetime or a text"),
    ({"observer": print}, "observer takes a ptpfast.Observer"),
    ({"observer": ptpfast.Observer}, "observer takes a ptpfast.Observer"),
    ({"timeouts": 5}, "timeouts takes Timeouts"),
    ({"depth": 0}, "depth takes"),
]
TIMEOUTS = [-1, math.nan, math.inf, "5", True, None, 1e300, [5]]
SIMULATED: list[tuple[dict[str, Any], str]] = [
    ({"vendor": "kodak"}, "no vendor 'kodak'; there are"),
    ({"body": "canon-r5"}, "no body 'canon-r5'; there are"),
    ({"link": "wifi"}, "no link 'wifi'; there are"),
    ({"link": 5}, "link takes a Link or its name"),
    ({"objects": -1}, "objects takes a number of files"),
    ({"size": "25M"}, "size takes a number of bytes"),
    ({"port": 65536}, "port takes a port"),
    ({"delay_s": math.nan}, "delay_s takes a number of seconds"),
    ({"bytes_per_s": 0}, "bytes_per_s takes a number above 0"),
    ({"data_packet_size": 0}, "data_packet_size takes"),
]


@pytest.mark.parametrize(("options", "sentence"), CONNECT, ids=str)
def test_connect_refuses_what_it_cannot_mean(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        ptpfast.connect(**{"host": "127.0.0.1", "port": 9} | options)


@pytest.mark.parametrize(("options", "sentence"), PULL, ids=str)
def test_pull_refuses_what_it_cannot_mean(
    tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        ptpfast.pull("127.0.0.1:9", tmp_path / "new", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [None, b"host", 5, [5]])
def test_pull_refuses_what_is_no_camera(tmp_path: Path, given: Any) -> None:
    with pytest.raises(TypeError, match="the camera is a Session or an address"):
        ptpfast.pull(given, tmp_path)


@pytest.mark.parametrize("value", TIMEOUTS, ids=str)
def test_a_timeout_is_a_number_of_seconds(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="takes a number of seconds"):
        ptpfast.Timeouts(operation=value)
    if value is not None:
        with pytest.raises((TypeError, ValueError), match="takes a number of seconds"):
            ptpfast.Timeouts(total=value)
    assert ptpfast.Timeouts(operation=np.float64(5), total=None).operation == 5


@pytest.mark.parametrize(("options", "sentence"), SIMULATED, ids=str)
def test_a_simulated_camera_refuses_what_it_cannot_be(
    options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        SimulatedCamera(**options)


def test_a_session_refuses_what_it_cannot_mean(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    session: Any = connect(sim)
    info = session.objects()[0]
    asked = sim.operations.copy()
    buffer = bytearray(10)
    calls: list[tuple[Any, str]] = [
        (lambda: session.download("IMG_0001.JPG", tmp_path / "a"), "find it by its name"),
        (lambda: session.read("IMG_0001.JPG"), "find it by its name"),
        (lambda: session.download(info, ""), "path is an empty path"),
        (lambda: session.download(info, tmp_path / "a", chunk="1M"), "chunk takes a number"),
        (lambda: session.download(info, tmp_path / "a", verify="sha"), "verify is one of"),
        (lambda: session.download(info, tmp_path / "a", resume="no"), "resume is True or False"),
        (lambda: session.download(info, tmp_path / "a", progress=1), "progress takes a function"),
        (lambda: session.read_into(info, buffer, offset=-1), "offset takes a number of bytes"),
        (lambda: session.read_into(info, buffer, size=1.5), "size takes a number of bytes"),
        (lambda: session.stream(info, 0), "chunk_size takes a number of bytes"),
        (lambda: session.stream(info, "1M"), "chunk_size takes a number of bytes"),
        (lambda: session.object_info(-1), "numbers of 32 bits"),
        (lambda: session.object_info(None), "takes an object, a handle"),
        (lambda: session.objects(storage="card 1"), "storage takes a whole number"),
        (lambda: session.objects(parent=1 << 32), "parent takes a whole number"),
        (lambda: session.objects(progress=1), "progress takes a function"),
        (lambda: session.objects(formats=["nef"]), "unknown format 'nef'"),
        (lambda: session.storage_info(True), "storage_id takes a whole number"),
        (lambda: session.delete(info, busy_s=-1), "busy_s takes a number of seconds"),
        (lambda: session.property("battery"), "no device property 'battery'"),
        (lambda: session.property(-1), "code takes a whole number"),
        (lambda: session.transaction("GetDeviceInfo"), "operation takes a whole number"),
        (lambda: session.transaction(0x1001, *range(6)), "up to five parameters"),
        (lambda: session.transaction(0x1001, -1), "parameters takes a whole number"),
        (lambda: next(session.events("5")), "timeout takes a number of seconds"),
        (lambda: session.supports("GetObject"), "operation takes a whole number"),
        (lambda: ptpfast.pull(session, tmp_path, depth=2), "the session is open already"),
    ]
    for call, sentence in calls:
        with pytest.raises((TypeError, ValueError), match=sentence):
            call()
    assert sim.operations == asked
    assert list(tmp_path.iterdir()) == []
