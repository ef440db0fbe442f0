"""How many public symbols have a known type, as pyright counts them. `make types` runs it.

It is not a test: pyright fetches a JavaScript program, which not every machine may do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

LEAST = 0.98
SOURCES = Path(__file__).parents[1] / "src"


def main() -> int:
    """The exit status: 1 if the score is too low."""
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(
        [*command, "--verifytypes", "ptpfast", "--ignoreexternal"],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
    )
    try:
        report = json.loads(done.stdout)["typeCompleteness"]
    except (ValueError, KeyError):
        sys.stderr.write(done.stdout + done.stderr)
        return 1
    for symbol in report["symbols"]:
        for row in symbol["diagnostics"] if symbol["isExported"] else ():
            if row["severity"] != "error":
                continue
            sys.stdout.write(f"{symbol['name']}: {row['message'].splitlines()[0]}\n")
    score = report["completenessScore"]
    sys.stdout.write(f"{score:.1%} of the public symbols have a known type; least {LEAST:.0%}\n")
    return int(score < LEAST)


if __name__ == "__main__":
    sys.exit(main())
