"""`ptpfast bench`: measure the camera, the link and the disk, and find the bottleneck."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..ptp.errors import SinkError
from .bench_display import display
from .bench_report import Files, report
from .bench_sharing import measure_sharing, refuse_alone
from .only_camera import only_camera
from .options import Address, Common, Duration, Seconds, Size, command
from .output import Output
from .spots import asked_spots

if TYPE_CHECKING:
    from ..measure.disk import Destination
    from ..measure.plan import Plan
    from ..measure.summary import Figures

LEAST_BUDGET_S = 1.0


@command(
    "bench 192.168.1.1",
    "bench 192.168.1.1 --html camera.html --into ~/Pictures",
    "bench 192.168.1.1 --depth 2 --budget 120",
    "bench 192.168.1.1 --json > today.jsonl",
    "bench 192.168.1.1 --compare yesterday.jsonl --html camera.html",
    "bench 192.168.1.1 --for 1h --picture hour.svg",
    "bench 192.168.1.1 --walk --html walk.html",
    "bench 192.168.1.1 192.168.1.2",
)
@click.argument("hosts", type=Address(), metavar="[CAMERA]...", nargs=-1)
@click.option(
    "--budget",
    type=Seconds(),
    metavar="S",
    help="Approximate duration in seconds.  [default: 40; 15 with --walk]",
)
@click.option(
    "--for",
    "long_s",
    type=Duration(),
    metavar="TIME",
    help="Then read for that long: 90s, 30m, 2h.",
)
@click.option(
    "--walk",
    is_flag=True,
    help="Then ask for spots, and read for 10 s at each.",
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
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write one drawing: .svg, or .png (needs resvg-py).",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the results to show to others: without place and time.",
)
@click.option(
    "--compare",
    "earlier",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Compare with the --json or --save file of an earlier run; repeatable.",
)
def bench(
    common: Common,
    hosts: tuple[tuple[str, int], ...],
    earlier: tuple[Path, ...],
    into: Path | None,
    **options: Any,
) -> None:
    """Measure the camera, the link and the disk; find the bottleneck.

    Only reads. Press Ctrl-C to stop early and see what was measured so far. With several cameras it
    measures each alone and all at once: whether they slow each other down.
    """
    from ..measure.run import Bench

    output = common.output
    before = _read_earlier(earlier)
    files = Files(options.pop("html"), options.pop("picture"), options.pop("save"))
    files.check()
    plan, walk = _plan(**options)
    if len(set(hosts)) > 1:
        refuse_alone(options | {"html": files.html, "picture": files.picture, "save": files.save})
        measure_sharing(common, hosts, plan.budget_s, display(output, plan))
        return
    host = hosts[0] if hosts else only_camera(output)
    with _destination(output, into) as destination:
        shown = display(output, plan)
        if walk:
            plan = dataclasses.replace(plan, spots=asked_spots(shown), spot_s=spot_seconds())
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
                report(output, run.result, files, before)


def _plan(
    *,
    budget: float | None,
    chunks: tuple[int, ...],
    depth: int | None,
    long_s: float | None,
    walk: bool,
) -> tuple[Plan, bool]:
    from ..measure.plan import BUDGET_S, WALK_BUDGET_S, Plan

    if budget is None:
        budget = WALK_BUDGET_S if walk else BUDGET_S
    if budget < LEAST_BUDGET_S:
        raise click.BadParameter(f"at least {LEAST_BUDGET_S:g} s", param_hint="'--budget'")
    depths = None if depth is None else tuple(sorted({2, depth})) if depth > 1 else ()
    chosen = tuple(sorted(set(chunks))) or None
    return Plan(budget, chosen, depths, long_s=long_s or 0.0, engine=True), walk


def spot_seconds() -> float:
    """Return how long each spot of a walk is measured."""
    from ..measure.plan import SPOT_S

    return SPOT_S


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
