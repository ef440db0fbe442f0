"""`python -m bench`: runs the benchmarks, prints what came out, saves it if asked.

Fails only if bytes are wrong or something breaks; a number that falls short is printed as such.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from . import (
    bench_busy,
    bench_download,
    bench_listing,
    bench_memory,
    bench_resident,
    bench_startup,
    bench_wifi,
)
from .harness import machine

BENCHES = {
    "download": bench_download.run,
    "memory": bench_memory.run,
    "resident": bench_resident.run,
    "busy": bench_busy.run,
    "startup": bench_startup.run,
    "wifi": bench_wifi.run,
    "listing": bench_listing.run,
}


def main() -> int:
    """The exit status: 0, or 1 when a benchmark could not be run or bytes were wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="small and once: for correctness")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save every run")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    # An orderly end, so that processes and files go away however we are told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()), flush=True)
    began = time.monotonic()
    cases: list[dict[str, Any]] = []
    short = 0
    try:
        for name in options.names or BENCHES:
            for case in BENCHES[name](options.quick):
                case.show()
                cases.append({"bench": name, **case.json()})
                short += sum(not claim.holds for claim in case.claims)
    except KeyboardInterrupt:
        return 130
    seconds = time.monotonic() - began
    caution = "; with --quick the ratios mean little" if options.quick else ""
    print(f"\n{len(cases)} cases in {seconds:.0f} s, {short} numbers short{caution}")
    if options.json is not None:
        document = {"machine": about, "quick": options.quick, "cases": cases}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
