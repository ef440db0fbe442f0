"""The command line of the soak: `python -m soak COMMAND --help`."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from ptpfast.ptp.codes import OperationCode

from . import drops, plan, report, rig, run, week


def main() -> int:
    """Runs a command; 0 when all that is asked holds."""
    arguments = _arguments()
    # A shell's `&` makes it ignored, here and in all that is started; but it is to end runs.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    # First of all: whatever happens, it can be had again.
    print(f"seed {arguments.seed}", flush=True)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        print("stopped; nothing is left behind")
        return 130


def _arguments() -> argparse.Namespace:
    top = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    commands = top.add_subparsers(required=True)

    command = commands.add_parser("all", help="a card through thousands of faults and kills")
    _add_common(command)
    command.add_argument("--seconds", type=float, default=900, help="at most; then it is short")
    command.add_argument("--faults", type=int, default=run.Size.faults)
    command.add_argument("--kills", type=int, default=run.Size.kills)
    command.add_argument("--small", type=int, default=run.Size.small, help="objects, all lanes")
    command.add_argument("--large", type=int, default=run.Size.large, help="objects, all lanes")
    command.add_argument("--lanes", type=int, default=run.Size.lanes, help="side by side")
    command.set_defaults(run=_all)

    command = commands.add_parser("drops", help="an object of 6 GiB through 50 lost connections")
    _add_common(command)
    command.set_defaults(run=_drops)

    command = commands.add_parser("week", help="a watch through shots, drops and other cards")
    _add_common(command)
    for name in ("shots", "drops", "sleeps", "cards"):
        command.add_argument(f"--{name}", type=int, default=getattr(week.Week, name))
    command.set_defaults(run=_week)

    command = commands.add_parser("rig", help="a rig of cameras on a cluster that loses workers")
    _add_common(command)
    command.add_argument("--seconds", type=float, default=1800, help="at most")
    for name in ("cameras", "files", "size", "workers", "threads", "kills", "schedulers"):
        command.add_argument(f"--{name}", type=int, default=getattr(rig.Rig, name))
    command.set_defaults(run=_rig)

    command = commands.add_parser("plan", help="print the faults of a seed")
    _add_common(command)
    command.add_argument("--count", type=int, default=100)
    command.set_defaults(run=_plan)
    return top.parse_args()


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int, default=secrets.randbits(31), help="default: any")
    command.add_argument("--json", type=Path, metavar="FILE", help="keep what has come of it")
    command.add_argument("--into", type=_folder, help="where the files go (default: the system's)")


def _folder(text: str) -> Path:
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: no such folder; make it first")
    return folder


def _all(arguments: argparse.Namespace) -> int:
    size = run.Size(
        faults=arguments.faults,
        kills=arguments.kills,
        small=arguments.small,
        large=arguments.large,
        lanes=arguments.lanes,
    )
    soak = run.run(arguments.seed, size, arguments.seconds, arguments.into, _say)
    print(report.table(soak))
    _keep(arguments, soak.result())
    return 1 if soak.failures() else 0


def _drops(arguments: argparse.Namespace) -> int:
    into = arguments.into or Path(tempfile.gettempdir())
    done = drops.run(arguments.seed, into)
    print(report.drops_table(done))
    _keep(arguments, done.result())
    return 0 if done.ok else 1


def _week(arguments: argparse.Namespace) -> int:
    wanted = week.Week(arguments.shots, arguments.drops, arguments.sleeps, arguments.cards)
    with tempfile.TemporaryDirectory(dir=arguments.into) as folder:
        done = week.Run(wanted, Path(folder) / "in", _say).go()
    result = done.result()
    print(json.dumps(result, indent=1))
    _keep(arguments, result)
    return 1 if done.findings else 0


def _rig(arguments: argparse.Namespace) -> int:
    names = ("cameras", "files", "size", "workers", "threads", "kills", "schedulers")
    wanted = rig.Rig(**{name: getattr(arguments, name) for name in names})
    done = rig.Run(arguments.seed, wanted, arguments.seconds, _say).go(arguments.into)
    print(report.rig_table(done))
    _keep(arguments, done.result())
    return 1 if done.findings else 0


def _plan(arguments: argparse.Namespace) -> int:
    rows = plan.faults(str(arguments.seed), arguments.count, 8, OperationCode.GetPartialObject)
    for reads, fault in rows:
        print(f"{reads:4} {fault}")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _keep(arguments: argparse.Namespace, result: dict[str, Any]) -> None:
    if arguments.json is not None:
        kept = {"command": report.command(), **report.origin(), **result}
        arguments.json.write_text(json.dumps(kept, indent=1, default=dict) + "\n")


if __name__ == "__main__":
    sys.exit(main())
