"""The process that runs fuzzed sessions under sanitizers: `FIRST COUNT SECONDS STATE`.

It starts a responder of its own, writes the seed it is at into STATE before each session, and ends
at the first finding. A session that hangs ends it too, with every thread's stack.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import ROOT, sanitizers
from .cameras import Plan
from .hurry import hurry
from .truth import Told
from .visit import FindingError, Visit
from .watch import Watch

HANG_S = 30.0  # a session lasts a fraction of a second
TWICE = 0.2  # of the sessions are followed by another of their kind into the same folder,
CALM = 0.25  # and so many by one with an honest camera
WATCH_EVERY = 500  # sessions after which memory is looked at
MOST_GROWTH = 30  # Python objects per session, beyond which something keeps them
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Responder:
    """The hostile process and the pipe to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.responder"],
            cwd=ROOT,
            env=sanitizers.plain_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **question: Any) -> Any:
        """Its answer to a line of JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


class Jail:
    """The one folder that may be written to: every call that would write elsewhere is noted."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ptpfast-fuzz-"))
        self.escapes: list[str] = []
        self._watching = True
        os.environ["PTPFAST_CONFIG"] = str(self.folder / "config")
        os.environ["PTPFAST_CACHE"] = str(self.folder / "cache")
        os.environ["PTPFAST_DATA"] = str(self.folder / "data")
        sys.addaudithook(self._watch)

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = bool(flags & _WRITING) if mode is None else not set(mode).isdisjoint("wax+")
            paths = [path] if writes else []
        elif event in ("os.rename", "os.link", "os.symlink"):
            paths = list(arguments[:2])
        elif event in ("os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.utime", "os.chmod"):
            paths = [arguments[0]]
        else:
            return
        for path in paths if self._watching else ():
            if not isinstance(path, int) and not self._contains(os.fsdecode(path)):
                self.escapes.append(f"{event} {path!r}")

    def _contains(self, path: str) -> bool:
        return os.path.realpath(path).startswith(f"{self.folder}{os.sep}")

    def fresh(self) -> Path:
        """An empty folder in it; what was kept of a camera is gone too: a seed tells all."""
        self._watching = False
        for name in ("in", "cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "in").mkdir()
        self._watching = True
        return self.folder / "in"

    def close(self) -> None:
        """Removes it."""
        self._watching = False
        shutil.rmtree(self.folder, ignore_errors=True)


def say(title: str, visit: Visit, told: Told) -> None:
    """What was done in a session, on both sides."""
    risky = f"risky: {sorted(told.risky)}{', and all ids' if told.vague else ''}"
    for line in (title, str(visit.plan), *visit.steps, *told.done, risky):
        print(line.encode(errors="backslashreplace").decode(), flush=True)


class Sessions:
    """Fuzzed sessions, one after the other."""

    def __init__(self, state: Path) -> None:
        self._state = os.open(state, os.O_RDWR | os.O_CREAT, 0o666)
        self._responder = Responder()
        self._jail, self._watch = Jail(), Watch()
        self._objects = 0
        self.done = self.compared = 0
        self.verbose = False

    def note(self, seed: int) -> None:
        """Says which seed is next, for whoever finds this process dead; -1: none."""
        state = f"{seed:<20} {self.done:<20} {self.compared:<20}"
        os.pwrite(self._state, state.encode(), 0)

    def close(self) -> None:
        """Ends the responder, removes what was written."""
        self._responder.close()
        self._jail.close()

    def one(self, seed: int) -> None:
        """The session of a seed; for some another into the same folder, and an honest one after.
        FindingError."""
        faulthandler.dump_traceback_later(HANG_S, exit=True)
        self.note(seed)
        chance = random.Random(f"session {seed}")
        folder, plan = self._jail.fresh(), Plan.of(seed)
        risky: set[int] = set()  # part files of one session go on in the next
        for number in range(2 if chance.random() < TWICE else 1):
            self._visit(Visit(seed, number, folder, plan), risky)
        if chance.random() < CALM:
            self._visit(Visit(seed, 2, folder, plan.calm, calm=True), risky)
        self.done += 1
        if self.done % WATCH_EVERY == 0:
            self._watch_memory()
        faulthandler.cancel_dump_traceback_later()

    def _visit(self, visit: Visit, risky: set[int]) -> None:
        began = self._responder.ask(begin=visit.name, plan=asdict(visit.plan))
        told: Told | None = None
        try:
            visit.run(began["port"], began["gate"])
            told = Told.of(self._responder.ask(end=True))
            visit.check(told, risky)
            self._watch.check()
            risky.update(told.risky)
            self.compared += visit.compared
            if self._jail.escapes:
                raise FindingError(f"outside of the destination: {self._jail.escapes}")
        except FindingError as error:
            told = told or Told.of(self._responder.ask(end=True))
            say(f"seed {visit.name}: {error}", visit, told)
            raise
        if self.verbose:
            say(f"seed {visit.name}", visit, told)

    def _watch_memory(self) -> None:
        """Python's objects must not become more; the sanitizer looks for all else at the end."""
        gc.collect()
        before, self._objects = self._objects, len(gc.get_objects())
        growth = (self._objects - before) / WATCH_EVERY
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"after {self.done} sessions {self._objects} objects, at most {peak} MB", flush=True)
        if before and growth > MOST_GROWTH:
            raise FindingError(f"{growth:.0f} objects more with each session")


def main() -> int:
    """Runs the sessions; 1 for a finding."""
    first, count, seconds, state = sys.argv[1:]
    sys.dont_write_bytecode = True  # else what is imported in a session counts as a stray write
    hurry()
    faulthandler.enable()
    sessions = Sessions(Path(state))
    sessions.verbose = count == "1"
    until = time.monotonic() + float(seconds)
    try:
        for seed in range(int(first), int(first) + int(count)):
            if time.monotonic() > until:
                break
            sessions.one(seed)
        sessions.note(-1)
    except FindingError:
        return 1
    finally:
        faulthandler.cancel_dump_traceback_later()
        sessions.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
