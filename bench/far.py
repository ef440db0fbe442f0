"""What stands on the camera's side of a link: a simulated camera, and a raw TCP sender.

    python -m bench.far --host H --objects N --size BYTES --delay S [--bulk 1]
        [--nagle 1] [--writes whole|apart|pieces] [--body NAME]
        [--rate B --rtt S --jitter S]

Prints `camera PORT raw PORT gate PORT` (0: the body has no gate) and serves until its input ends or
it is killed. The raw sender answers a connection that says how many bytes it wants with as many:
what one TCP stream can get from this link. For each line of input it prints, as one line of JSON,
how often each operation was asked for since the last time.

With --rate there is no link: both then hold themselves to so many bytes a second, and the camera
has its own imitation of one between its sockets.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import socket
import sys
import threading
import time

import numpy as np

from ptpfast.ptp.codes import OperationCode
from ptpfast.sim import Link, SimulatedCamera

from .content import BLOCK, PERIOD, expected

LONGEST_S = 3600
PARENT_DEATH = 1  # PR_SET_PDEATHSIG
SLICE_S = 0.01  # of the raw sender's rate, sent at once


def end_with_parent() -> None:
    """Nothing is left behind: we end with whoever started us, and after a while anyway."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
    signal.alarm(LONGEST_S)


def send(sock: socket.socket, size: int, rate: float) -> None:
    """Object 1 of bench.content, `size` bytes of it."""
    block = np.tile(expected(1, 0, PERIOD), BLOCK // PERIOD).tobytes()
    view = memoryview(block)
    most = min(len(view), max(1, int(rate * SLICE_S))) if rate else len(view)
    sent, began = 0, time.monotonic()
    while sent < size:
        at = sent % len(view)
        sent += sock.send(view[at : at + min(most, size - sent)])
        if rate:
            time.sleep(max(0.0, began + sent / rate - time.monotonic()))


def serve_raw(listener: socket.socket, rate: float) -> None:
    """One connection after the other; each is given the bytes it asks for."""
    while True:
        sock, _ = listener.accept()
        with sock:
            try:
                send(sock, int.from_bytes(sock.recv(8), "little"), rate)
                sock.recv(1)  # until it has them and goes
            except OSError:
                pass


def serve(camera: SimulatedCamera, raw_port: int) -> None:
    """Until the input ends; says what the camera was asked for whenever somebody wants to know."""
    print(f"camera {camera.port} raw {raw_port} gate {camera.gate_port or 0}", flush=True)
    for _ in sys.stdin:
        asked = dict(camera.operations)
        camera.operations.clear()
        print(json.dumps(asked), flush=True)


def main() -> None:
    """Serves as the options say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--objects", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--bulk", type=int, default=0)
    parser.add_argument("--nagle", type=int, default=0)
    parser.add_argument("--writes", default="whole")
    parser.add_argument("--body")
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--rtt", type=float, default=0.0)
    parser.add_argument("--jitter", type=float, default=0.0)
    options = parser.parse_args()
    end_with_parent()
    listener = socket.create_server((options.host, 0))
    threading.Thread(target=serve_raw, args=(listener, options.rate), daemon=True).start()
    as_it_is = options.bulk or options.body is not None
    camera = SimulatedCamera(
        body=options.body,
        objects=options.objects,
        size=options.size,
        host=options.host,
        link=Link(
            rate=options.rate or None,
            rtt=options.rtt,
            jitter=options.jitter,
            operation=options.delay,
        ),
        send_buffer=None,
        nagle=bool(options.nagle),
        writes=options.writes,
        withheld=() if as_it_is else (OperationCode.GetObjectPropList,),
    )
    with camera:
        serve(camera, listener.getsockname()[1])


if __name__ == "__main__":
    main()
