"""gphoto2, the command line of libgphoto2, as a contender.

    python -m bench.contenders.gphoto2 --port N --bytes N [--host H] [--dir D]

It is a program that starts, connects, lists and fetches. What counts is its `--get-all-files` less
its `--list-files` just before: that asks the camera for the same except the content, and others'
start, handshake and listing do not count against them either. Its whole run is `whole` in the
report. It does not flush files to the disk; the others do.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time

from ..peers import RUN_S
from .cost import BEGIN, END, LESS_BEGIN, LESS_END, Cost, mark


def run(program: list[str], home: str, directory: str) -> tuple[float, float, float, int]:
    """Seconds, user and system CPU seconds, and peak KiB of one run; SystemExit if it fails."""
    began = time.monotonic()
    process = subprocess.Popen(
        program,
        cwd=directory,
        env={**os.environ, "HOME": home, "LC_ALL": "C.UTF-8"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    # The peak is at least this process's own, from which it was started: some 12 MiB.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(program)} failed:\n{said}")
    return seconds, usage.ru_utime, usage.ru_stime, usage.ru_maxrss


def main() -> None:
    """Fetches the whole card and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bytes", type=int, required=True)
    parser.add_argument("--dir", default=".")
    options = parser.parse_args()
    signal.alarm(RUN_S)
    address = f"ptpip:{options.host}:{options.port}:{options.port}"
    command = ["gphoto2", "--port", address]
    with tempfile.TemporaryDirectory(prefix="ptpfast-bench-") as home:
        mark(LESS_BEGIN)
        listing = run([*command, "--list-files"], home, options.dir)
        mark(LESS_END)
        mark(BEGIN)
        began = time.monotonic()
        whole = run([*command, "--get-all-files"], home, options.dir)
        ended = time.monotonic()
        mark(END)
    cost = Cost(began=began, ended=ended)
    # Of a very short run the listing may by chance have taken longer; then it is not taken off.
    less = listing[:3] if listing[0] < whole[0] else (0.0, 0.0, 0.0)
    cost.add(*(most - least for most, least in zip(whole[:3], less, strict=True)))
    cost.report(options.bytes, peak_kib=whole[3], whole=whole[0])


if __name__ == "__main__":
    main()
