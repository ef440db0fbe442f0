"""`python -m bench`: runs the benchmarks, prints what came out, keeps it if asked.

Fails only if bytes are wrong or something breaks; a number that falls short is printed as such.
`python -m bench check` compares the kept runs, `python -m bench page` draws them.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import (
    bench_aio,
    bench_busy,
    bench_cameras,
    bench_chunks,
    bench_contenders,
    bench_disk,
    bench_download,
    bench_listing,
    bench_loop,
    bench_memory,
    bench_micro,
    bench_nagle,
    bench_pipelines,
    bench_resident,
    bench_small,
    bench_startup,
    bench_trace,
    bench_vendors,
    bench_verify,
    bench_wifi,
    check,
    history,
    page,
)
from .harness import Case
from .machine import about

BENCHES: dict[str, Callable[[bool], Iterator[Case]]] = {
    "contenders": bench_contenders.run,
    "download": bench_download.run,
    "cameras": bench_cameras.run,
    "aio": bench_aio.run,
    "loop": bench_loop.run,
    "pipelines": bench_pipelines.run,
    "verify": bench_verify.run,
    "trace": bench_trace.run,
    "disk": bench_disk.run,
    "memory": bench_memory.run,
    "resident": bench_resident.run,
    "busy": bench_busy.run,
    "startup": bench_startup.run,
    "micro": bench_micro.run,
    "chunks": bench_chunks.run,
    "wifi": bench_wifi.run,
    "vendors": bench_vendors.run,
    "listing": bench_listing.run,
    "small": bench_small.run,
    "nagle": bench_nagle.run,
}


COMMANDS: dict[str, Callable[[], int]] = {"check": check.main, "page": page.main}


def _said(head: dict[str, Any]) -> str:
    """Where and with what, in a line."""
    plain = {**head["machine"], **head["versions"]}
    words = [f"{key} {value}" for key, value in plain.items()]
    return f"commit {head['commit']}, {head['date']}, " + ", ".join(words)


def _options() -> argparse.Namespace:
    """What is asked for; ends with a message if it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = f"of {', '.join(BENCHES)}; or alone: {', '.join(COMMANDS)}"
    parser.add_argument("names", nargs="*", metavar="name", help=names)
    parser.add_argument("--quick", action="store_true", help="small and once: for correctness")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save every single run")
    parser.add_argument(
        "--append",
        action="store_true",
        help="keep the numbers in bench/results, also of some benchmarks alone; not with --quick",
    )
    parser.add_argument(
        "--budget",
        type=float,
        default=40.0,
        metavar="MINUTES",
        help="what the wifi benchmark may take (40); with less it has fewer rounds, then links",
    )
    options = parser.parse_args()
    alone = len(options.names) == 1 and options.names[0] in COMMANDS
    if not alone and (unknown := set(options.names) - set(BENCHES)):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if options.append and options.quick:
        parser.error("--append keeps what means something: not with --quick")
    return options


def _cases(options: argparse.Namespace) -> Iterator[tuple[str, Case]]:
    """Every case with its benchmark's name, as they come."""
    for name in options.names or BENCHES:
        if name == "wifi":
            cases = bench_wifi.run(options.quick, 60 * options.budget)
        else:
            cases = BENCHES[name](options.quick)
        for case in cases:
            yield name, case


def main() -> int:
    """The exit status: 0, or 1 when a benchmark could not be run or bytes were wrong."""
    options = _options()
    if options.names and options.names[0] in COMMANDS:
        return COMMANDS[options.names[0]]()
    # An orderly end, so that processes and files go away however we are told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    head = about()
    print(_said(head), flush=True)
    began = time.monotonic()
    cases: list[tuple[str, Case]] = []
    try:
        for name, case in _cases(options):
            case.show()
            cases.append((name, case))
    except KeyboardInterrupt:
        return 130
    seconds = time.monotonic() - began
    short = sum(not claim.holds for _, case in cases for claim in case.claims)
    caution = "; with --quick the ratios mean little" if options.quick else ""
    print(f"\n{len(cases)} cases in {seconds:.0f} s, {short} numbers short{caution}")
    if options.json is not None:
        runs = [{"bench": name, **case.json()} for name, case in cases]
        document = {**head, "quick": options.quick, "cases": runs}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if options.append:
        print(f"kept in {history.Run.of(head, seconds, cases).write()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
