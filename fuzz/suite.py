"""`make sanitize`: the tests that reach the compiled modules, under sanitizers."""

from __future__ import annotations

import subprocess
import sys

from . import ROOT, sanitizers

# What drives the compiled modules, and what a hostile camera does to the rest. The others measure
# time and memory, limit the address space, or look at the sources.
TESTS = [
    str(next((ROOT / "tests").rglob(f"test_{name}.py")).relative_to(ROOT))
    for name in (
        *(
            "wire",
            "datasets",
            "data_phase",
            "container_phase",
            "checksum",
            "sink",
            "engine",
            "fuzz",
            "fuzz_sessions",
        ),
        *("session", "transfer", "pipeline", "adversity", "ptpip"),
        *("hostile_peers", "hostile_names", "hostile_files", "hostile_text"),
    )
]


def run(tests: list[str]) -> int:
    """Runs these tests with the sanitized build; pytest's status."""
    sanitizers.build("asan")
    sanitizers.prove("asan")
    # Python's own leaks at its end would be those of every process a test starts.
    environment = sanitizers.environment("asan", leaks=False)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *tests], cwd=ROOT, env=environment, check=False
    ).returncode
