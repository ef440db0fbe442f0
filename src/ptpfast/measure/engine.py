"""What the engine can do on this computer: reads from a simulated camera in another process.

It shows whether the camera or this computer is slow. The simulated camera and the engine share the
processors, so the engine alone can do more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..engine.sink import CallbackSink
from ..ptp.errors import PTPError
from ..transfer import ObjectReader
from ..transport.contract import Address
from ..transport.identity import Identity
from ..transport.timeouts import Timeouts
from .waits import connected

SIZE = 64_000_000  # of each object
READ_S = 1.0
START_S = 20.0  # until the camera listens, on a slow computer
TIMEOUTS = Timeouts(connect=5.0, operation=5.0, idle=5.0)
COMMAND = (
    *(sys.executable, "-m", "ptpfast", "simulate", "--json", "--port", "0"),
    *("--objects", "4", "--size", str(SIZE)),
)


def engine_speed(read_s: float = READ_S) -> float | None:
    """Return the MB/s at which the engine reads over loopback; None if it cannot be measured."""
    try:
        with _camera() as address:
            return None if address is None else _read(address, read_s)
    except (PTPError, OSError, ValueError, KeyError):
        return None


@contextmanager
def _camera() -> Iterator[Address | None]:
    """Run a simulated camera; yield its address, None if it does not start."""
    camera = subprocess.Popen(
        COMMAND,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process, which ends it
    )
    late = threading.Timer(START_S, camera.kill)
    late.start()
    try:
        address = _listening(camera)
        late.cancel()
        yield address
    finally:
        late.cancel()
        camera.kill()
        camera.wait()
        if camera.stdout is not None:
            camera.stdout.close()


def _listening(camera: subprocess.Popen[bytes]) -> Address | None:
    for line in camera.stdout or ():
        row = json.loads(line)
        if row.get("type") == "listening":
            return Address(row["host"], row["port"])
    return None


def _read(address: Address, read_s: float) -> float:
    """Return MB/s of objects that are read as `pull` does, and dropped. Raises PTPError."""
    session, _ = connected(address, Identity(), TIMEOUTS)
    with session:
        objects = session.objects()
        began, size = time.monotonic(), 0
        while time.monotonic() - began < read_s:
            for info in objects:
                sink = CallbackSink(_drop)
                ObjectReader(session.camera, info).read(sink)
                sink.finish()
                size += sink.position
        return size / (time.monotonic() - began) / 1e6


def _drop(view: memoryview) -> None:
    """Drop the bytes."""
