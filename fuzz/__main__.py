"""The command line of the fuzzers: `python -m fuzz COMMAND --help`."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from pathlib import Path
from typing import Any

from bench.machine import about

from . import parsers, sessions, suite
from .targets import TARGETS


def main() -> int:
    """Runs a command; 0 when nothing was found."""
    arguments = _arguments()
    arguments.result = {}
    status = int(arguments.run(arguments))
    if getattr(arguments, "json", None) is not None:
        kept = {"command": _command(), **about(), "seed": arguments.seed, **arguments.result}
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n")
    return status


def _command() -> str:
    """What was run, as it can be run again."""
    words = sys.argv[1:]
    if "--json" in words:
        at = words.index("--json")
        del words[at : at + 2]
    return " ".join(["python -m fuzz", *words])


def _arguments() -> argparse.Namespace:
    top = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    commands = top.add_subparsers(required=True)

    command = commands.add_parser("all", help="parsers and sessions, half of the time each")
    _add_time_and_seed(command)
    _add_jobs(command)
    command.set_defaults(run=_all, target=None, runs=None, only=None, unguided=False)
    command.set_defaults(count=sessions.APART, plain=False)

    command = commands.add_parser("parsers", help="fuzz what reads a camera's bytes")
    _add_time_and_seed(command)
    _add_target(command)
    command.add_argument("--runs", type=int, help="at most so many of each target")
    command.add_argument("--unguided", action="store_true", help="by chance, many times faster")
    command.set_defaults(run=_parsers)

    command = commands.add_parser("sessions", help="fuzz whole sessions with a camera that lies")
    _add_time_and_seed(command)
    _add_jobs(command)
    command.add_argument("--count", type=int, default=sessions.APART, help="for each process")
    command.add_argument("--only", type=int, metavar="NUMBER", help="this session and no other")
    command.add_argument("--plain", action="store_true", help="without sanitizers")
    command.set_defaults(run=_sessions)

    command = commands.add_parser("replay", help="run one input again, without sanitizers")
    command.add_argument("target", choices=TARGETS)
    command.add_argument("input", type=Path)
    command.set_defaults(run=_replay)

    command = commands.add_parser("keep", help="make the kept corpus anew, of all that was found")
    _add_target(command)
    command.set_defaults(run=_keep)

    command = commands.add_parser("sanitize", help="run tests under sanitizers")
    command.add_argument("tests", nargs="*", default=suite.TESTS, metavar="TEST")
    command.set_defaults(run=_sanitize)
    return top.parse_args()


def _add_time_and_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seconds", type=float, default=60)
    command.add_argument("--seed", type=int, default=secrets.randbits(31), help="default: any")
    command.add_argument("--json", type=Path, metavar="FILE", help="keep what has come of it")


def _add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument("--jobs", type=int, default=4, help="processes of sessions, which wait")


def _add_target(command: argparse.ArgumentParser) -> None:
    command.add_argument("--target", action="append", choices=TARGETS, help="default: all")


def _all(arguments: argparse.Namespace) -> int:
    arguments.seconds /= 2
    return max(_parsers(arguments), _sessions(arguments))


def _parsers(arguments: argparse.Namespace) -> int:
    print(f"parsers, seed {arguments.seed}", flush=True)
    targets = arguments.target or list(TARGETS)
    guided = not arguments.unguided
    runs = parsers.fuzz(targets, arguments.seconds, arguments.seed, arguments.runs, guided)
    findings = sum(run.finding is not None for run in runs)
    total = sum(run.executions for run in runs)
    executions: dict[str, Any] = {run.target: run.executions for run in runs}
    arguments.result["parsers"] = {
        "executions": executions,
        "total": total,
        "findings": findings,
        "guided": all(run.guided for run in runs),
    }
    print(f"{total:,} executions of parsers under sanitizers, {findings} findings", flush=True)
    return 1 if findings else 0


def _sessions(arguments: argparse.Namespace) -> int:
    print(f"sessions, seed {arguments.seed}", flush=True)
    workers = sessions.fuzz(
        arguments.seconds,
        arguments.seed,
        arguments.jobs,
        count=arguments.count,
        only=arguments.only,
        kind="plain" if arguments.plain else "asan",
    )
    done, compared = (sum(getattr(w, name) for w in workers) for name in ("done", "compared"))
    findings = sum(len(worker.findings) for worker in workers)
    found = {"sessions": done, "objects_compared": compared, "findings": findings}
    arguments.result["sessions"] = {**found, "sanitizers": not arguments.plain}
    how = "without" if arguments.plain else "under"
    print(f"{done:,} sessions {how} sanitizers, {compared:,} objects compared, {findings} findings")
    return 1 if findings else 0


def _replay(arguments: argparse.Namespace) -> int:
    TARGETS[arguments.target].run(arguments.input.read_bytes())
    print("nothing found")
    return 0


def _keep(arguments: argparse.Namespace) -> int:
    parsers.keep(arguments.target or list(TARGETS))
    return 0


def _sanitize(arguments: argparse.Namespace) -> int:
    return suite.run(arguments.tests)


if __name__ == "__main__":
    sys.exit(main())
