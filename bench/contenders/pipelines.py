"""What stands between the engine and a program, beside the engine alone, in one process.

    python -m bench.contenders.pipelines --port N --dir D --rounds N [--host H]

In each round, in turns: the whole card by `pull`, by `pull_iter`, by `pull` with metrics that are
served, with spans, and with all log events; then each object into memory by `Session.read_into` and
`read`, by `cat_file` of the filesystem, and by reading its open file. One connection does it all.
Prints one line of JSON: seconds and CPU seconds of each. All bytes are compared.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy

import ptpfast
from ptpfast.filesystem import PtpIpFileSystem
from ptpfast.metrics import Metrics, tracing

from ..peers import RUN_S
from .card import Card
from .cost import SETTLE_S, Cost

PIECE = 1 << 20  # of an open file at a time
Buffer = numpy.ndarray[Any, numpy.dtype[numpy.uint8]]


class Whole:
    """Ways to download the whole card."""

    def __init__(self, session: ptpfast.Session, directory: Path, metrics: Metrics) -> None:
        self._session = session
        self._directory = directory
        self._metrics = metrics

    def pull(self, **options: Any) -> None:
        assert ptpfast.pull(self._session, self._directory, history=False, **options).ok

    def pull_iter(self) -> None:
        with ptpfast.pull_iter(self._session, self._directory, history=False) as results:
            assert all(result.status == "downloaded" for result in results)

    def metrics(self) -> None:
        self.pull(observer=self._metrics.observer("camera"))

    def spans(self) -> None:
        with tracing("camera") as observer:
            self.pull(observer=observer)

    def log(self) -> None:
        with logged():
            self.pull()


@contextmanager
def logged() -> Iterator[None]:
    """Format every record, as a handler that writes lines does."""

    class Formatting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            self.format(record)

    log, handler = logging.getLogger("ptpfast"), Formatting()
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.setLevel(logging.NOTSET)
        log.removeHandler(handler)


class One:
    """Ways to read an object into memory."""

    def __init__(self, fs: PtpIpFileSystem, path: str, memory: Buffer) -> None:
        self._fs = fs
        self._path = path
        self._memory = memory
        self._info = fs.session.object_info(fs.info(path)["handle"])

    def read_into(self) -> Buffer:
        size = self._fs.session.read_into(self._info, self._memory)
        return self._memory[:size]

    def read(self) -> Buffer:
        return numpy.frombuffer(self._fs.session.read(self._info), numpy.uint8)

    def cat_file(self) -> Buffer:
        return numpy.frombuffer(self._fs.cat_file(self._path), numpy.uint8)

    def open(self) -> Buffer:
        at, view = 0, self._memory.data
        with self._fs.open(self._path) as file:
            while count := file.readinto(view[at : at + PIECE]):
                at += count
        return self._memory[:at]


def measured(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    cost = Cost()
    with cost.measured():
        result = work()
    return {"seconds": cost.seconds, "cpu": cost.user + cost.system}, result


def order(ways: list[str], number: int) -> list[str]:
    """In reverse in every other round."""
    return ways if number % 2 else ways[::-1]


def cards(
    options: argparse.Namespace, fs: PtpIpFileSystem, metrics: Metrics, card: Card
) -> list[dict[str, Any]]:
    """Every round of the whole card."""
    objects, rows = list(fs.session.objects()), []
    ways = ["pull", "pull_iter", "metrics", "spans", "log"]
    for number in range(options.rounds):
        row = {}
        for way in order(ways, number):
            folder = options.dir / f"{number}-{way}"
            row[way], _ = measured(getattr(Whole(fs.session, folder, metrics), way))
            for info in objects:
                card.check(info, folder / info.name)
            shutil.rmtree(folder)
        rows.append(row)
    return rows


def reads(options: argparse.Namespace, fs: PtpIpFileSystem, card: Card) -> list[dict[str, Any]]:
    """Every round of every object."""
    sizes = fs.find("/", detail=True)
    memory = numpy.zeros(max(each["size"] for each in sizes.values()), numpy.uint8)
    rows = []
    for number in range(options.rounds):
        for path, each in sizes.items():
            row = {}
            for way in order(["read_into", "read", "cat_file", "open"], number):
                row[way], got = measured(getattr(One(fs, path, memory), way))
                card.check(fs.session.object_info(each["handle"]), got)
            rows.append(row)
    return rows


def main() -> None:
    """Runs as the options say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    options = parser.parse_args()
    signal.alarm(RUN_S)  # nothing is left behind, even if whoever started us is killed
    with PtpIpFileSystem(host=options.host, port=options.port, index=False) as fs:
        assert fs.session.usable
        time.sleep(SETTLE_S)
        metrics, card = Metrics(), Card(options.host, list(fs.session.objects()))
        with metrics.serving(0):
            whole = cards(options, fs, metrics, card)
        print(json.dumps({"cards": whole, "reads": reads(options, fs, card)}))


if __name__ == "__main__":
    main()
