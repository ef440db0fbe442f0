"""`python -m fuzz parsers`: every target of `targets` for some seconds, each in its own process.

Guided by coverage where clang and atheris are at hand, by chance alone where they are not.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from . import ROOT, sanitizers
from .targets import TARGETS

KEPT = ROOT / "fuzz" / "corpus"  # a file for each target, an input a line in hexadecimal
LARGEST_KEPT = 1500  # bytes; what is longer is found again from the seeds
WORK = ROOT / "build" / "fuzz"
FINDINGS = WORK / "findings"
TOO_LONG_S = 20  # for one input
MOST_MEMORY_MB = 3000
# What one process may take beyond its time before it counts as hanging.
SPARE_S = 120


@dataclass
class Run:
    """What came of one target: how often it ran, and what was found (None: nothing)."""

    target: str
    executions: int
    seconds: float
    guided: bool
    finding: str | None = None


def known(target: str) -> list[bytes]:
    """The inputs a target begins with: what its seeds are made of, and what was found and kept."""
    kept = KEPT / f"{target}.hex"
    lines = kept.read_text(encoding="ascii").splitlines() if kept.exists() else []
    return [*TARGETS[target].seeds(), *map(bytes.fromhex, lines)]


def choose_build(guided: bool = True) -> str:
    """`fuzzer` where it is wanted and can be had, else `asan`; built."""
    try:
        if not guided:
            sanitizers.build("asan")
            return "asan"
        sanitizers.build("fuzzer")
    except sanitizers.UnavailableError as error:
        print(f"not guided by coverage: {error}", file=sys.stderr)
        sanitizers.build("asan")
        return "asan"
    return "fuzzer"


def fuzz(
    targets: list[str], seconds: float, seed: int, most: int | None = None, guided: bool = True
) -> list[Run]:
    """Runs the targets one after the other, so many seconds together; each at most `most` times,
    which leaves the others more of the time."""
    kind = choose_build(guided)
    sanitizers.prove(kind)
    runs, until = [], time.monotonic() + seconds
    for number, target in enumerate(targets):
        share = (until - time.monotonic()) / (len(targets) - number)
        run = _fuzz_one(kind, target, share, seed + number, most)
        outcome = run.finding or "nothing found"
        print(f"{target:<12} {run.executions:>12,} executions  {outcome}", flush=True)
        runs.append(run)
    return runs


def _fuzz_one(kind: str, target: str, seconds: float, seed: int, most: int | None) -> Run:
    corpus, seeds = WORK / "corpus" / target, _write_known(target)
    corpus.mkdir(parents=True, exist_ok=True)
    FINDINGS.mkdir(parents=True, exist_ok=True)
    arguments = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-runs={-1 if most is None else most}",
        f"-seed={seed & 0x7FFFFFFF or 1}",
        f"-max_len={TARGETS[target].max_length}",
        f"-artifact_prefix={FINDINGS / target}-",
        f"-timeout={TOO_LONG_S}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        "-print_final_stats=1",
        "-detect_leaks=0",  # Python's caches look like leaks; sessions are watched for real ones
        str(corpus),
        str(seeds),
    ]
    log = WORK / f"{target}.log"
    began = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.target_process", target, kind, *arguments],
            cwd=ROOT,
            env=sanitizers.environment(kind),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            status = process.wait(seconds + SPARE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    text = log.read_text(errors="replace")
    run = Run(target, _executions(text), time.monotonic() - began, kind == "fuzzer")
    if status:
        kept_log = FINDINGS / f"{target}-{time.strftime('%Y%m%d-%H%M%S')}.log"
        kept_log.write_text(text)
        run.finding = f"FOUND: see {os.path.relpath(kept_log, ROOT)}"
    return run


def _executions(text: str) -> int:
    counts = re.findall(r"number_of_executed_units: (\d+)|^#(\d+)\s", text, re.MULTILINE)
    return max((int(total or so_far) for total, so_far in counts), default=0)


def _write_known(target: str) -> Path:
    folder = WORK / "known" / target
    folder.mkdir(parents=True, exist_ok=True)
    for data in known(target):
        (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)
    return folder


def keep(targets: list[str]) -> None:
    """Makes the kept corpus anew: of all that is known and was found here, the fewest and shortest
    inputs that reach everything."""
    sanitizers.build("fuzzer")
    for target in targets:
        merged = WORK / "merged" / target
        shutil.rmtree(merged, ignore_errors=True)
        merged.mkdir(parents=True)
        folders = [merged, _write_known(target), WORK / "corpus" / target]
        words = [target, "fuzzer", "-merge=1", f"-max_len={TARGETS[target].max_length}"]
        subprocess.run(
            [sys.executable, "-m", "fuzz.target_process", *words, *map(str, folders)],
            cwd=ROOT,
            env=sanitizers.environment("fuzzer"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        found = {path.read_bytes() for path in merged.iterdir()} - {*TARGETS[target].seeds()}
        inputs = sorted((data for data in found if len(data) <= LARGEST_KEPT), key=_short_first)
        KEPT.mkdir(exist_ok=True)
        text = "".join(f"{data.hex()}\n" for data in inputs)
        (KEPT / f"{target}.hex").write_text(text, encoding="ascii")
        print(f"{target:<12} {len(inputs)} inputs kept")


def _short_first(data: bytes) -> tuple[int, bytes]:
    return len(data), data
