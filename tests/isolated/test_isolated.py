"""What only a fresh process can show: memory that does not grow."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.isolated, pytest.mark.timeout(300)]

# The camera runs in its own process, so that its memory is not counted.
CAMERA = """
import sys
from ptpfast.sim import SimulatedCamera
with SimulatedCamera(objects=1, size=int(sys.argv[1]), data_packet_size=1 << 18) as camera:
    print(camera.port, flush=True)
    sys.stdin.read()
"""
READER = """
import re, sys
import numpy
import ptpfast

def peak():  # KiB; VmHWM starts again with each program, getrusage's does not
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

def receive(session, info, how):
    if how == "whole":
        sink = ptpfast.CallbackSink(lambda view: None)
        session.transaction(0x1009, info.handle, sink=sink)
        sink.finish()
        return sink.position
    return sum(len(piece) for piece in session.stream(info, 4 << 20))

with ptpfast.connect("127.0.0.1", port=int(sys.argv[1])) as session:
    info = session.objects()[0]
    session.read_into(info, bytearray(8 << 20), size=8 << 20)
    before = peak()
    received = receive(session, info, sys.argv[2])
    print(received, peak() - before)
"""


@pytest.mark.parametrize("how", ["whole", "stream"])
def test_memory_does_not_grow_with_a_2_gigabyte_object(how: str) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("the peak is read from /proc")
    size = 2 << 30
    with subprocess.Popen(
        [sys.executable, "-c", CAMERA, str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as camera:
        assert camera.stdout is not None
        port = camera.stdout.readline().strip()
        done = subprocess.run(
            [sys.executable, "-c", READER, port, how], capture_output=True, text=True, timeout=250
        )
        camera.communicate()
    assert done.returncode == 0, done.stderr
    received, grown_kib = map(int, done.stdout.split())
    assert received == size
    assert grown_kib <= 16 << 10
