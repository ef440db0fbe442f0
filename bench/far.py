"""What stands on the camera's side of an emulated link: a simulated camera, and a raw TCP sender.

    python -m bench.far --host H --objects N --size BYTES --delay S

Prints `camera PORT raw PORT` and serves until killed. The raw sender answers a connection that says
how many bytes it wants with as many: what one TCP stream can get from this link.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import socket
import sys
import threading

import numpy as np

from ptpfast.sim import SimulatedCamera

from .content import BLOCK, PERIOD, expected

LONGEST_S = 1800
PARENT_DEATH = 1  # PR_SET_PDEATHSIG


def end_with_parent() -> None:
    """Nothing is left behind: we end with whoever started us, and after a while anyway."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
    signal.alarm(LONGEST_S)


def send(sock: socket.socket, size: int) -> None:
    """Object 1 of bench.content, `size` bytes of it."""
    block = np.tile(expected(1, 0, PERIOD), BLOCK // PERIOD).tobytes()
    view = memoryview(block)
    while size:
        part = view[: min(size, len(view))]
        sock.sendall(part)
        size -= len(part)


def serve_raw(listener: socket.socket) -> None:
    """One connection after the other; each is given the bytes it asks for."""
    while True:
        sock, _ = listener.accept()
        with sock:
            try:
                send(sock, int.from_bytes(sock.recv(8), "little"))
                sock.recv(1)  # until it has them and goes
            except OSError:
                pass


def main() -> None:
    """Serves as the options say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--objects", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    options = parser.parse_args()
    end_with_parent()
    listener = socket.create_server((options.host, 0))
    threading.Thread(target=serve_raw, args=(listener,), daemon=True).start()
    camera = SimulatedCamera(
        objects=options.objects,
        size=options.size,
        host=options.host,
        delay_s=options.delay,
        send_buffer=None,
    )
    with camera:
        print(f"camera {camera.port} raw {listener.getsockname()[1]}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
