"""Wireshark, which is not ours, opens the traces that ptpfast records."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from programs import program
from ptpfast.sim import SimulatedCamera
from traced import BODIES, HOST, NAME, SIZE, camera_of, record, session_with

pytestmark = pytest.mark.interop

WARNING = 0x00600000  # severity of an expert item


def dissected(file: Path) -> list[dict[str, Any]]:
    """Every frame's layers. No option says what is in the file: it opens by itself."""
    done = subprocess.run(
        [program("tshark"), "-r", file, "-T", "json", "--no-duplicate-keys"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [frame["_source"]["layers"] for frame in json.loads(done.stdout)]


def complaints(layers: Any) -> list[str]:
    """What the dissectors find wrong: malformed packets, and warnings or errors of TCP."""
    found = []
    if isinstance(layers, list):
        for each in layers:
            found += complaints(each)
    if isinstance(layers, dict):
        for key, value in layers.items():
            if "malformed" in key:
                found.append(key)
            if key == "_ws.expert.severity" and int(value) >= WARNING:
                found.append(layers.get("_ws.expert.message", key))
            found += complaints(value)
    return found


def packets(frames: list[dict[str, Any]], kind: int) -> list[dict[str, str]]:
    found = []
    for frame in frames:
        layers = frame.get("ptpip", [])
        found += layers if isinstance(layers, list) else [layers]
    return [
        each
        for each in found
        if isinstance(each, dict) and int(each.get("ptpip.pktType", "0"), 16) == kind
    ]


@pytest.mark.parametrize("payload", [False, True], ids=["cut", "payload"])
@pytest.mark.parametrize("body", BODIES)
def test_tshark_finds_nothing_wrong_in_the_trace_of_a_download(
    tmp_path: Path, body: str, payload: bool
) -> None:
    file = tmp_path / "trace.pcapng"
    program("tshark")
    with camera_of(body) as camera:
        record(camera, body, file, trace_payload=payload)
        log = list(camera.log)
    frames = dissected(file)
    assert complaints(frames) == []
    assert len({frame["tcp"]["tcp.stream"] for frame in frames}) >= 2
    if body == "fuji-xt4":  # tshark knows no containers over TCP
        return
    requests = packets(frames, 6)
    assert [int(fields["ptpip.opcode"], 16) for fields in requests] == [e.operation for e in log]
    sizes = [int(fields["ptpip.datalen"]) for fields in packets(frames, 9)]
    assert sizes == [entry.payload for entry in log if entry.payload]


def test_tshark_reads_the_names_that_a_trace_is_asked_to_keep(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera:
        record(camera, "standard", file, trace_names=True)
    frames = dissected(file)
    assert [packet["ptpip.name"] for packet in packets(frames, 1)] == [HOST]
    assert [packet["ptpip.name"] for packet in packets(frames, 2)] == [NAME]
    assert complaints(frames) == []


@pytest.mark.parametrize("packet_size", [700, 4096, 65536, 1 << 20])
@pytest.mark.parametrize("end_data", ["empty", "last", "whole"])
def test_tshark_follows_packets_of_every_size_behind_cut_payload(
    tmp_path: Path, packet_size: int, end_data: str
) -> None:
    file = tmp_path / "trace.pcapng"
    with SimulatedCamera(
        objects=2, size=3_000_000, data_packet_size=packet_size, end_data=end_data
    ) as camera:
        record(camera, "standard", file)
        log = list(camera.log)
    frames = dissected(file)
    assert complaints(frames) == []
    responses = packets(frames, 7)
    assert len(responses) == len(log)
    assert file.stat().st_size < 200_000 + 6_000_000 // packet_size * 200


def test_tshark_reads_events_of_a_trace_and_the_pictures_behind_them(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with (
        camera_of("standard") as camera,
        session_with(camera, "standard", trace=file) as session,
    ):
        events = session.events(timeout=20)
        (handle, *_) = camera.capture()
        added = next(event for event in events if event.code == ptpfast.EventCode.ObjectAdded)
        assert added.parameters[0] == handle
        assert len(session.read(session.object_info(handle))) == SIZE
    frames = dissected(file)
    assert complaints(frames) == []
    codes = [int(fields["ptpip.eventcode"], 16) for fields in packets(frames, 8)]
    assert ptpfast.EventCode.ObjectAdded in codes
