"""Wireshark's PTP/IP dissector, which is not ours, reads a session of ours from the wire."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from programs import program
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.dialect import ROLES, Role
from ptpfast.vendors.panasonic import panasonic

pytestmark = pytest.mark.interop

# Those that speak PTP/IP, and without a gate before it: Wireshark knows no Fujifilm containers.
BODIES = [
    body
    for body, vendor in vendors.BODIES.items()
    if vendors.named(vendor).transport is vendors.STANDARD.transport
]
Fields = dict[str, str]


@contextmanager
def captured(port: int, file: Path) -> Iterator[subprocess.Popen[str]]:
    """dumpcap on loopback while the block runs; capturing needs rights that not everybody has."""
    command = [program("dumpcap"), "-q", "-i", "lo", "-f", f"tcp port {port}", "-w", str(file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("File:"):
            break
    else:
        message = "dumpcap may not capture on lo here: " + " ".join("".join(said).split())[:200]
        if os.environ.get("PTPFAST_INTEROP") == "1":
            pytest.fail(message)
        pytest.skip(message)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def dissected(file: Path, port: int) -> list[dict[str, Any]]:
    """Every frame's layers as tshark's JSON has them."""
    done = subprocess.run(
        [program("tshark"), "-r", file, "-d", f"tcp.port=={port},ptpip", "-T", "json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    # A file that is still being written may end in the middle of a frame: what is whole is told.
    return [frame["_source"]["layers"] for frame in json.loads(done.stdout or "[]")]


def packets(frames: list[dict[str, Any]], kind: int) -> list[Fields]:
    found = [frame["ptpip"] for frame in frames if isinstance(frame.get("ptpip"), dict)]
    return [fields for fields in found if int(fields["ptpip.pktType"], 16) == kind]


def finished(frames: list[dict[str, Any]]) -> bool:
    codes = [fields.get("ptpip.opcode") for fields in packets(frames, 6)]
    return codes[-1:] == ["0x1003"] and len(packets(frames, 7)) > 0


@pytest.mark.parametrize("vendor", ["standard", "nikon", "ricoh"])
def test_the_dissector_reads_operations_names_and_sizes_without_a_malformed_packet(
    tmp_path: Path, vendor: str
) -> None:
    file = tmp_path / "session.pcapng"
    program("tshark")
    with SimulatedCamera(vendor=vendor, objects=3, size=100_000) as camera:
        with captured(camera.port, file):
            with ptpfast.connect(camera.host, port=camera.port, name="studio") as session:
                table = session.objects()
                session.read(table[0])
                session.thumbnail(table[1].handle)
                session.set_property(0x5011, "20260102T030405")
            for _ in range(40):  # until all of it has reached the file; each look takes a while
                frames = dissected(file, camera.port)
                if finished(frames):
                    break
        log = list(camera.log)

    assert finished(frames)
    assert not [frame for frame in frames if "_ws.malformed" in json.dumps(frame)]

    (init,) = packets(frames, 1)
    assert init["ptpip.name"] == "studio"
    assert init["ptpip.version"] == "1.0"
    assert bytes.fromhex(init["ptpip.guid"].replace(":", "")) == camera.initiators[0][0]
    (ack,) = packets(frames, 2)
    assert ack["ptpip.name"] == camera.name
    assert len(packets(frames, 3)) == len(packets(frames, 4)) == 1
    assert len(packets(frames, 13)) == len(packets(frames, 14)) == 1

    requests = packets(frames, 6)
    assert [int(fields["ptpip.opcode"], 16) for fields in requests] == [e.operation for e in log]
    assert [int(fields["ptpip.transactionID"], 16) for fields in requests] == [
        entry.transaction_id for entry in log
    ]
    assert [fields["ptpip.phaseinfo"] for fields in requests if fields["ptpip.opcode"] == "0x1016"]
    assert {
        fields["ptpip.phaseinfo"] for fields in requests if fields["ptpip.opcode"] == "0x1016"
    } == {"0x00000002"}

    sizes = [int(fields["ptpip.datalen"]) for fields in packets(frames, 9)]
    assert sizes == [entry.payload for entry in log if entry.payload]
    assert 100_000 in sizes


@pytest.mark.matrix
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("body", BODIES)
def test_the_dissector_reads_a_session_of_each_body_without_a_malformed_packet(
    tmp_path: Path, body: str, role: Role
) -> None:
    file = tmp_path / "session.pcapng"
    program("tshark")
    with SimulatedCamera(body=body, objects=2, size=50_000) as camera:
        with captured(camera.port, file):
            with ptpfast.connect(camera.host, port=camera.port, role=role) as session:
                for info in session.objects():
                    session.read(info)
                    session.thumbnail(info)
                if role == "remote":
                    shot = session.capture()
                    assert shot is not None
                    session.read(shot)
            for _ in range(40):
                frames = dissected(file, camera.port)
                if finished(frames):
                    break
        log = list(camera.log)
    assert finished(frames)
    assert not [frame for frame in frames if "_ws.malformed" in json.dumps(frame)]
    requests = packets(frames, 6)
    assert [int(fields["ptpip.opcode"], 16) for fields in requests] == [e.operation for e in log]


def test_the_dissector_reads_a_session_behind_a_gate_without_a_malformed_packet(
    tmp_path: Path,
) -> None:
    file = tmp_path / "session.pcapng"
    program("tshark")
    with SimulatedCamera(body="panasonic-bgh1", objects=2, size=50_000) as camera:
        gate = camera.gate_port
        assert gate is not None
        vendor = panasonic(description_port=gate, access_port=gate)
        with captured(camera.port, file):
            with ptpfast.connect(camera.host, port=camera.port, vendor=vendor) as session:
                session.read(session.objects()[0])
            for _ in range(40):
                frames = dissected(file, camera.port)
                if finished(frames):
                    break
    assert finished(frames)
    assert not [frame for frame in frames if "_ws.malformed" in json.dumps(frame)]
    (init,) = packets(frames, 1)
    assert init["ptpip.name"] == "LUMIXTether"
    assert not packets(frames, 13)
