"""Where and with what a run was measured."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

import ptpfast

from . import contenders, peers


def commit() -> str:
    """The commit that is measured, `+` behind it if files differ; unknown outside a repository."""
    if shutil.which("git") is None or not (peers.ROOT / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(peers.ROOT), "describe", "--always", "--dirty=+"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def machine() -> dict[str, str | int | float]:
    """What does not change from run to run here."""
    cpu = platform.processor()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions() -> dict[str, str]:
    """Of everything that has a part in the figures."""
    compiler = "none"
    if (cc := peers.compiler()) is not None:
        done = subprocess.run([cc, "--version"], capture_output=True, text=True, check=True)
        compiler = done.stdout.splitlines()[0]
    return {
        "ptpfast": ptpfast.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "compiler": compiler,
        **contenders.versions(),
    }


def about() -> dict[str, object]:
    """The head of a run's results."""
    return {
        "commit": commit(),
        "date": time.strftime("%Y-%m-%dT%H:%M", time.gmtime()),
        "machine": machine(),
        "versions": versions(),
    }
