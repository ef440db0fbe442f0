"""`ptpfast bench`: measure the camera, the link and the disk, and find the bottleneck."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..engine.text import printable
from ..ownership import files
from ..ptp.errors import SinkError, disk_error
from .bars import bars
from .file_lines import waiting_line
from .only_camera import only_camera
from .options import Common, Seconds, Size, command, host_argument
from .output import Output, is_terminal

if TYPE_CHECKING:
    from ..measure.disk import Destination
    from ..measure.plan import Plan
    from ..measure.result import Result
    from ..measure.summary import Figures
    from ..ptp.errors import PTPError

LEAST_BUDGET_S = 1.0


@command(
    "bench 192.168.1.1",
    "bench 192.168.1.1 --html camera.html --into ~/Pictures",
    "bench 192.168.1.1 --depth 2 --budget 120",
    "bench 192.168.1.1 --json > today.jsonl",
    "bench 192.168.1.1 --compare yesterday.jsonl --html camera.html",
)
@host_argument
@click.option(
    "--budget",
    type=Seconds(),
    default=40.0,
    metavar="S",
    help="Seconds to spend, about.  [default: 40]",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Measure the disk of this folder.  [default: this folder]",
)
@click.option(
    "--chunk",
    "chunks",
    type=Size(1),
    multiple=True,
    metavar="BYTES",
    help="Measure this chunk size only; repeatable.  [default: 256 KiB to 8 MiB]",
)
@click.option(
    "--depth",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Measure this pipeline depth, too.  [default: tuned, else 1]",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page with plots, as one file.",
)
@click.option(
    "--compare",
    "earlier",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Compare with the --json output of an earlier run; repeatable.",
)
def bench(
    common: Common,
    host: tuple[str, int] | None,
    html: Path | None,
    earlier: tuple[Path, ...],
    into: Path | None,
    **options: Any,
) -> None:
    """Measure the camera, the link and the disk; find the bottleneck.

    Only reads. Press Ctrl-C to stop early and see what was measured so far.
    """
    from ..measure.run import Bench

    output = common.output
    before = _read_earlier(earlier)
    if html is not None and not html.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {html.parent}", param_hint="'--html'")
    plan = _plan(**options)
    host = host or only_camera(output)
    with _destination(output, into) as destination:
        shown = _display(output, plan.budget_s)
        run = Bench(
            *host,
            timeouts=common.timeouts,
            plan=plan,
            destination=destination,
            watch=shown,
            recorder=common.trace,
        )
        try:
            run.run()
        finally:
            shown.close()
            if run.result.latencies:  # the report of what there is, also when it was interrupted
                _report(output, run.result, html, before)


def _plan(*, budget: float, chunks: tuple[int, ...], depth: int | None) -> Plan:
    from ..measure.plan import Plan

    if budget < LEAST_BUDGET_S:
        raise click.BadParameter(f"at least {LEAST_BUDGET_S:g} s", param_hint="'--budget'")
    depths = None if depth is None else tuple(sorted({2, depth})) if depth > 1 else ()
    return Plan(budget, tuple(sorted(set(chunks))) or None, depths)


def _read_earlier(paths: tuple[Path, ...]) -> list[Figures]:
    """Return the runs to compare with, oldest first. UsageError for a file without a run."""
    from ..measure.summary import read_summaries

    found = []
    for path in paths:
        try:
            found += read_summaries(path)
        except OSError as error:
            raise click.UsageError(f"--compare {path}: {error.strerror}") from error
        except ValueError as error:
            raise click.UsageError(f"--compare {path}: {error}") from error
    return sorted(found, key=lambda figures: figures.about.when)


@contextmanager
def _destination(output: Output, into: Path | None) -> Iterator[Destination | None]:
    """Yield the disk to measure; none if this folder cannot be written and none was asked for."""
    from ..measure.disk import Destination

    with ExitStack() as stack:
        destination = None
        try:
            destination = stack.enter_context(Destination(into or Path.cwd()))
        except SinkError as error:
            if into is not None:
                raise
            output.note(f"the disk is not measured: {error.message}; {error.hint}")
        yield destination


class _Quiet:
    """Shows nothing of a run, and records that the camera was waited for."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def step(self, what: str) -> None:
        pass

    def found(self, what: str, value: str) -> None:
        self.say(f"{what}: {value}")

    def waiting(self, error: PTPError) -> None:
        self.say(waiting_line(error))
        self._output.record("waiting", reason=error.message)

    def say(self, line: str) -> None:
        """Write a line about the run."""

    def close(self) -> None:
        """Nothing of it stays on the screen."""


class _Lines(_Quiet):
    """A line for each finding."""

    def say(self, line: str) -> None:
        self._output.note(line)


class _Bar(_Quiet):
    """A bar over the time it takes, and what is measured just now."""

    def __init__(self, output: Output, budget: float) -> None:
        super().__init__(output)
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

        from ..measure.waits import CONNECTING

        self._connecting = CONNECTING
        self._began: float | None = None  # of the first step after connecting
        self._bar = bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TimeElapsedColumn(),
        )
        self._task = self._bar.add_task(CONNECTING, total=budget)
        self._bar.start()

    def step(self, what: str) -> None:
        if self._began is None and what != self._connecting:
            self._began = time.monotonic()
        spent = 0.0 if self._began is None else time.monotonic() - self._began
        self._bar.update(self._task, description=printable(what), completed=spent)

    def found(self, what: str, value: str) -> None:
        super().found(what, value)
        self.step(what)

    def say(self, line: str) -> None:
        self._bar.console.print(printable(line), soft_wrap=True)

    def close(self) -> None:
        self._bar.stop()


def _display(output: Output, budget: float) -> _Quiet:
    """Return what is shown on standard error during the run."""
    if output.quiet:
        return _Quiet(output)
    if output.verbose or not is_terminal(sys.stderr):
        return _Lines(output)
    try:
        return _Bar(output, budget)
    except ModuleNotFoundError:
        return _Lines(output)


def _report(output: Output, result: Result, html: Path | None, earlier: list[Figures]) -> None:
    """Write lines, records and page of a run, complete or not."""
    from ..measure import figures as all_figures
    from ..measure.report import records
    from ..measure.text import lines
    from ..measure.verdict import judge

    figures = all_figures.figures(result)
    verdict = judge(figures, result.readings)
    for type, fields in records(result, figures, verdict):
        output.record(type, **fields)
    for line in lines(result, figures, verdict, earlier):
        if output.json:
            output.note(line)
        else:
            output.result(printable(line))
    if html is not None:
        from ..measure.page import page

        _write(html, page(result, figures, verdict, earlier))
        output.note(f"the page is {html}")


def _write(path: Path, text: str) -> None:
    """Write the whole file or nothing."""
    try:
        files.write_named(path, text.encode("utf-8", errors="backslashreplace"))
    except OSError as error:
        raise disk_error("write", path, error, hint="give another file with --html") from error
