"""What do `import ptpfast` and `ptpfast --help` cost?

Fresh processes in turn; the import is measured as the difference to a process that only imports
numpy, taken within a round.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec

from . import peers
from .harness import Case, Range

COMMANDS = {
    "nothing": ["-c", "pass"],
    "numpy": ["-c", "import numpy"],
    "numpy, ptpfast": ["-c", "import numpy, ptpfast"],
    "ptpfast": ["-c", "import ptpfast"],
    "--help": ["-m", "ptpfast", "--help"],
}


def milliseconds(arguments: list[str]) -> float:
    """How long a Python process with these arguments takes."""
    began = time.monotonic()
    subprocess.run(
        [*peers.PYTHON, *arguments],
        check=True,
        env=peers.environment(),
        stdout=subprocess.DEVNULL,
        timeout=peers.RUN_S,
    )
    return 1000 * (time.monotonic() - began)


def run(quick: bool) -> Iterator[Case]:
    """The one case of this benchmark."""
    commands = dict(COMMANDS)
    if find_spec("click") is None:
        del commands["--help"]  # the command line is an extra
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(3 if quick else 16):
        for name, arguments in commands.items():
            took = milliseconds(arguments)
            if number:  # the first round fills the page cache and writes the .pyc files
                times[name].append(took)
    case = Case("start of a process")
    beyond = [a - b for a, b in zip(times["numpy, ptpfast"], times["numpy"], strict=True)]
    value = Range.of(beyond)
    case.claim("import ptpfast beyond numpy", value, 100, at_least=False, unit="ms")
    if "--help" in times:
        value = Range.of(times["--help"])
        case.claim("ptpfast --help", value, 250, at_least=False, unit="ms")
    for name in ("nothing", "numpy", "ptpfast"):
        case.notes.append(f"for scale, {name}: {Range.of(times[name]).text(0)} ms")
    yield case
