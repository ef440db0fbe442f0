"""A session used directly and through `ptpfast.aio`, in turns, in one process with one connection.

    python -m bench.contenders.tasks --port N --way asyncio|trio --dir D --calls N
        [--host H] [--rounds N]

Each object of the camera is downloaded both ways, `rounds` times; then small calls are made both
ways, `calls` of them for each object. Prints one line of JSON: seconds, CPU seconds and seconds of
waiting for a processor of each download, seconds of each call. The files are compared after each
download.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio

import ptpfast
import ptpfast.aio

from ..peers import RUN_S
from .card import Card
from .cost import SETTLE_S, Cost

WAYS = ("direct", "aio")


def waited(thread: int) -> float:
    """Return the seconds in which a thread of this process was ready and had no processor.

    0 where the kernel does not count them.
    """
    try:
        counted = Path(f"/proc/self/task/{thread}/schedstat").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(counted.split()[1]) / 1e9


async def download(
    session: ptpfast.aio.Session, info: ptpfast.ObjectInfo, way: str, directory: Path, card: Card
) -> dict[str, Any]:
    """One object into a file, which is compared and removed."""
    cost, path = Cost(), directory / info.name
    thread = threading.get_native_id()
    if way == "aio":
        thread = await session.worker.do(threading.get_native_id)
    before = waited(thread)
    with cost.measured():
        if way == "aio":
            await session.download(info, path)
        else:
            session.sync.download(info, path)
    ready = waited(thread) - before
    card.check(info, path)
    path.unlink()
    return {"seconds": cost.seconds, "cpu": cost.user + cost.system, "waited": ready}


async def call(session: ptpfast.aio.Session, way: str, count: int) -> float:
    """Ask for the storages so many times; how long one call took."""
    wanted = session.sync.storage_ids()
    began = time.perf_counter()
    for _ in range(count):
        found = await session.storage_ids() if way == "aio" else session.sync.storage_ids()
        assert found == wanted
    return (time.perf_counter() - began) / count


async def in_turns(rounds: int, once: Callable[[int, str], Awaitable[Any]]) -> list[dict[str, Any]]:
    """Both ways in each round, in reverse order in every other one."""
    rows = []
    for number in range(rounds):
        order = WAYS if number % 2 else WAYS[::-1]
        rows.append({way: await once(number, way) for way in order})
    return rows


async def measure(options: argparse.Namespace) -> None:
    """Do all of it, and print the report."""
    async with ptpfast.aio.connect(options.host, port=options.port, index=False) as session:
        objects = list(await session.objects())
        card = Card(options.host, objects)
        time.sleep(SETTLE_S)
        downloads = await in_turns(
            options.rounds * len(objects),
            lambda n, way: download(session, objects[n % len(objects)], way, options.dir, card),
        )
        calls = await in_turns(len(objects), lambda _, way: call(session, way, options.calls))
    print(json.dumps({"downloads": downloads, "calls": calls}))


def main() -> None:
    """Runs as the options say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--way", choices=["asyncio", "trio"], required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    signal.alarm(RUN_S)  # nothing is left behind, even if whoever started us is killed
    anyio.run(measure, options, backend=options.way)


if __name__ == "__main__":
    main()
