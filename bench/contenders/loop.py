"""Several cameras in one event loop: one process, a task and a `ptpfast.aio.Session` for each.

    python -m bench.contenders.loop --ports N,N,… --way asyncio|trio --dir D

Like `cameras`, with tasks instead of threads: each camera's card goes into a directory of D named
by the camera's number. It prints `ready` when all are listed, and goes on when a line comes.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import anyio

import ptpfast
import ptpfast.aio

from ..peers import RUN_S
from .cost import SETTLE_S, Cost, memory_kib
from .session import forget_peak, warm_up

Card = list[ptpfast.ObjectInfo]


async def download(session: ptpfast.aio.Session, card: Card, directory: Path) -> None:
    """One camera's card, in its task."""
    for info in card:
        await session.download(info, directory / info.name, chunk=0)


async def measure(options: argparse.Namespace) -> None:
    """Do all of it, and print the report."""
    ports = [int(port) for port in options.ports.split(",")]
    cost = Cost()
    resident = memory_kib("VmRSS")
    forget_peak()
    async with AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(ptpfast.aio.connect("127.0.0.1", port=port))
            for port in ports
        ]
        cards = [list(await session.objects()) for session in sessions]
        sizes = [sum(info.size or 0 for info in card) for card in cards]
        directories = [options.dir / str(number) for number in range(len(ports))]
        for directory, size in zip(directories, sizes, strict=True):
            warm_up(directory, size)
        time.sleep(SETTLE_S)
        print("ready", flush=True)
        sys.stdin.readline()
        with cost.measured():
            async with anyio.create_task_group() as tasks:
                for job in zip(sessions, cards, directories, strict=True):
                    tasks.start_soon(download, *job)
        peak = memory_kib("VmHWM")
    cost.report(sum(sizes), peak_kib=peak, resident_kib=resident)


def main() -> None:
    """Runs as the options say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", required=True)
    parser.add_argument("--way", choices=["asyncio", "trio"], required=True)
    parser.add_argument("--dir", type=Path, required=True)
    options = parser.parse_args()
    signal.alarm(RUN_S)
    anyio.run(measure, options, backend=options.way)


if __name__ == "__main__":
    main()
