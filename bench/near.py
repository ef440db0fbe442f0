"""What runs on the computer's side of an emulated link, in a fresh process for each run.

    python -m bench.near raw|listing|small|chunks|pull HOST PORT [options]

What is no contender's business (contenders/ has those): a raw stream, and many small objects.
Prints one line of JSON as the contenders do. The clock covers the transfer alone, not the
connecting.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import time
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

import ptpfast
from ptpfast import vendors
from ptpfast.engine.phase import Phase
from ptpfast.engine.sink import MemorySink
from ptpfast.library.report.observer import Observer
from ptpfast.link.pipelining import Request
from ptpfast.ptp.codes import OperationCode
from ptpfast.ptp.errors import PTPError
from ptpfast.sim import Store, check
from ptpfast.transfer import ObjectReader
from ptpfast.transport import handshake
from ptpfast.vendors import Vendor
from ptpfast.vendors.panasonic import panasonic

from .contenders.cost import SETTLE_S, Cost
from .contenders.session import reads
from .content import WrongContent, check_buffer
from .peers import RUN_S

Options = argparse.Namespace


def raw(options: Options, cost: Cost) -> int:
    """One TCP stream into memory: recv_into and nothing else."""
    buffer = np.empty(options.bytes, np.uint8)
    buffer[::4096] = 1
    view = buffer.data
    with socket.create_connection((options.host, options.port)) as sock:
        time.sleep(SETTLE_S)
        at = 0
        with cost.measured():
            sock.sendall(options.bytes.to_bytes(8, "little"))
            while at < options.bytes and (got := sock.recv_into(view[at:])):
                at += got
                cost.reads += 1
    if at < options.bytes:
        raise WrongContent(f"only {at:,} of {options.bytes:,} bytes came")
    check_buffer(1, buffer)
    return at


def listing(session: ptpfast.Session, options: Options, cost: Cost) -> int:
    """Every object's description; `bytes` is how many there are."""
    with cost.measured(lambda: reads(session)):
        found = list(session.objects())
    there = {(o.handle, o.name, o.size) for o in _card(options).files()}
    if {(info.handle, info.name, info.size) for info in found} != there:
        raise WrongContent("the listing is not that of the card")
    return len(found)


def small(session: ptpfast.Session, options: Options, cost: Cost) -> int:
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

    def done(request: Request, phase: Phase, error: PTPError | None) -> None:
        if error is not None:
            raise error
        if phase.received != options.size:
            raise WrongContent(f"object {request.about} has {phase.received:,} bytes")

    with cost.measured(lambda: reads(session)):
        session.link.run(following, done)
    for handle in handles:
        whole = b"".join(bytes(span) for span in store.expected(handle).spans(0, options.size))
        if came[handle] != whole:
            raise WrongContent(f"object {handle} differs")
    return len(handles) * int(options.size)


def chunks(session: ptpfast.Session, options: Options, cost: Cost) -> int:
    """Every object's content in chunks of one size, one request at a time, into memory."""
    store, total = _card(options), 0
    for info in list(session.objects()):
        array = np.empty(options.size, np.uint8)
        sink = MemorySink(array)
        with cost.measured(lambda: reads(session)):
            ObjectReader(session.camera, info, chunk=options.chunk).read(sink, 0, options.size)
        if not check(store.expected(info.handle), array):
            raise WrongContent(f"object {info.handle} differs")
        total += options.size
    return total


class FromPlanned(Observer):
    """Begins to measure when the listing is done and what is to be fetched is known."""

    def __init__(self, measuring: AbstractContextManager[None]) -> None:
        self._measuring = measuring

    def planned(self, report: ptpfast.Report, count: int, size: int) -> None:
        """Is told at the right moment: once, when the whole card is listed before."""
        self._measuring.__enter__()


def pull(session: ptpfast.Session, options: Options, cost: Cost) -> int:
    """The whole card into files, as `ptpfast pull` does it, from the end of the listing on; whoever
    started us compares them."""
    measuring = cost.measured(lambda: reads(session))
    report = ptpfast.pull(session, options.dir, order="oldest", observer=FromPlanned(measuring))
    measuring.__exit__(None, None, None)
    if not report.ok:
        raise WrongContent(f"not all of it came: {report}")
    return report.bytes


def _card(options: Options) -> Store:
    """The same card as the camera's."""
    return Store.synthetic(options.objects, options.size)


def spoken(options: Options) -> Vendor | None:
    """The vendor of a body, with the ports of its gate; or the standard, held to a chunk."""
    if options.max_chunk:
        quirks = replace(vendors.STANDARD.quirks, max_chunk=options.max_chunk)
        return replace(vendors.STANDARD, quirks=quirks)
    if options.body is None:
        return None
    if options.gate:
        return panasonic(description_port=options.gate, access_port=options.gate)
    return vendors.named(vendors.BODIES[options.body])


SESSIONS = {"listing": listing, "small": small, "chunks": chunks, "pull": pull}


def main() -> None:
    """Runs as the options say and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["raw", *SESSIONS])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--bytes", type=int, default=0)
    parser.add_argument("--dir", default=".")
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--objects", type=int, default=0)
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--chunk", type=int)
    parser.add_argument("--body")
    parser.add_argument("--gate", type=int, default=0)
    parser.add_argument("--max-chunk", type=int, default=0)
    parser.add_argument("--quick-acks", type=int, default=1)
    parser.add_argument("--cache", help="where listings are remembered; by default nowhere")
    options = parser.parse_args()
    signal.alarm(RUN_S)
    handshake.QUICK_ACKS = bool(options.quick_acks)
    cost = Cost()
    if options.cache is not None:
        os.environ["PTPFAST_CACHE"] = options.cache
    if options.what == "raw":
        size = raw(options, cost)
    else:
        known = {
            "depth": options.depth,
            "index": options.cache is not None,
            "vendor": spoken(options),
        }
        with ptpfast.connect(options.host, port=options.port, **known) as session:
            time.sleep(SETTLE_S)
            size = SESSIONS[options.what](session, options, cost)
    cost.report(size)


if __name__ == "__main__":
    main()
