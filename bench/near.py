"""What runs on the computer's side of an emulated link, in a fresh process for each run.

    python -m bench.near raw|download|listing|small HOST PORT [options]

Prints one line of JSON as bench.contender does. The clock covers the transfer alone, not the
connecting.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import ptpfast
from ptpfast._engine import DataPhase
from ptpfast._sink import MemorySink
from ptpfast.codes import OperationCode
from ptpfast.connection import Request
from ptpfast.errors import PTPError
from ptpfast.sim import Store

from .contender import SETTLE_S, Cost, memory_kib
from .content import WrongContent, check_buffer

RUN_S = 300

Options = argparse.Namespace


def raw(options: Options) -> dict[str, Any]:
    """One TCP stream into memory: recv_into and nothing else."""
    buffer = np.empty(options.bytes, np.uint8)
    buffer[::4096] = 1
    view = buffer.data
    with socket.create_connection((options.host, options.port)) as sock:
        time.sleep(SETTLE_S)
        began, cpu = time.monotonic(), time.process_time()
        sock.sendall(options.bytes.to_bytes(8, "little"))
        at = reads = 0
        while at < options.bytes and (got := sock.recv_into(view[at:])):
            at += got
            reads += 1
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    if at < options.bytes:
        raise WrongContent(f"only {at:,} of {options.bytes:,} bytes came")
    check_buffer(1, buffer)
    return {"bytes": at, "seconds": seconds, "user": cpu, "system": 0.0, "reads": reads}


def measured(session: ptpfast.Session, work: Callable[[], int]) -> dict[str, Any]:
    """The report of a piece of work, which says how many bytes it brought."""
    time.sleep(SETTLE_S)
    cost = Cost()
    before = Cost.now(session)
    size = work()
    cost.add(before, Cost.now(session))
    return {
        "bytes": size,
        "seconds": cost.seconds,
        "user": cost.user,
        "system": cost.system,
        "reads": cost.reads,
        "chunk": session.chunks.chunk,
    }


def download(session: ptpfast.Session, options: Options) -> dict[str, Any]:
    """The whole card into files; whoever started us compares them."""
    objects = list(session.objects())

    def work() -> int:
        for info in objects:
            session.download(info, Path(options.dir) / info.name, chunk=options.chunk)
        return sum(info.size or 0 for info in objects)

    return measured(session, work)


def listing(session: ptpfast.Session, options: Options) -> dict[str, Any]:
    """Every object's description; `bytes` is how many there are."""
    found: list[ptpfast.ObjectInfo] = []

    def work() -> int:
        found.extend(session.objects())
        return len(found)

    report = measured(session, work)
    there = {(o.handle, o.name, o.size) for o in _card(options).files()}
    if {(info.handle, info.name, info.size) for info in found} != there:
        raise WrongContent("the listing is not that of the card")
    return report


def small(session: ptpfast.Session, options: Options) -> dict[str, Any]:
    """Small objects, thumbnails say, of which the handles are known: one operation for each."""
    store = _card(options)
    handles = [stored.handle for stored in store.files()]
    came = {handle: bytearray(options.size) for handle in handles}
    to_ask = iter(handles)

    def following() -> Request | None:
        if (handle := next(to_ask, None)) is None:
            return None
        sink = MemorySink(came[handle])
        return Request(OperationCode.GetObject, (handle,), sink, limit=options.size, about=handle)

    def done(request: Request, phase: DataPhase, error: PTPError | None) -> None:
        if error is not None:
            raise error
        if phase.received != options.size:
            raise WrongContent(f"object {request.about} has {phase.received:,} bytes")

    def work() -> int:
        session.pipeline(following, done)
        return len(handles) * int(options.size)

    report = measured(session, work)
    for handle in handles:
        whole = b"".join(bytes(span) for span in store.expected(handle).spans(0, options.size))
        if came[handle] != whole:
            raise WrongContent(f"object {handle} differs")
    return report


def _card(options: Options) -> Store:
    """The same card as the camera's."""
    return Store.synthetic(options.objects, options.size)


SESSIONS = {"download": download, "listing": listing, "small": small}


def main() -> None:
    """Runs as the options say and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["raw", *SESSIONS])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--bytes", type=int, default=0)
    parser.add_argument("--dir", default=".")
    parser.add_argument("--chunk", type=int)
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--objects", type=int, default=0)
    parser.add_argument("--size", type=int, default=0)
    options = parser.parse_args()
    signal.alarm(RUN_S)
    # What `ptpfast tune` has found here must not decide: a folder that cannot be.
    os.environ["PTPFAST_CONFIG"] = f"{os.devnull}/none"
    if options.what == "raw":
        report = raw(options)
    else:
        with ptpfast.connect(options.host, port=options.port, depth=options.depth) as session:
            report = SESSIONS[options.what](session, options)
    print(json.dumps({**report, "peak_kib": memory_kib("VmHWM")}))


if __name__ == "__main__":
    main()
