"""`ptpfast bench` with several cameras: whether they slow each other down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .bench_display import Quiet
from .options import Common

if TYPE_CHECKING:
    from ..measure.sharing import Sharing

# What is measured with one camera only.
ALONE = {"html": "--html", "picture": "--picture", "save": "--save", "walk": "--walk"}
ALONE |= {"long_s": "--for", "chunks": "--chunk", "depth": "--depth"}


def refuse_alone(options: dict[str, Any]) -> None:
    """Raise UsageError for an option that takes one camera."""
    for name, option in ALONE.items():
        if options.get(name):
            raise click.UsageError(f"{option} measures one camera; name one, or leave it out")


def measure_sharing(
    common: Common, hosts: tuple[tuple[str, int], ...], budget_s: float, shown: Quiet
) -> None:
    """Measure the cameras alone and together, and write lines and records."""
    from ..measure.report import course_fields
    from ..measure.sharing import share
    from ..transport.contract import Address

    output = common.output
    try:
        found = share(
            [Address(*host) for host in dict.fromkeys(hosts)],
            budget_s / (len(hosts) + 1),
            timeouts=common.timeouts,
            watch=shown,
            recorder=common.trace,
        )
    finally:
        shown.close()
    for each in found.shares:
        output.record(
            "share",
            address=each.address,
            camera=each.camera,
            alone=course_fields(each.alone) if each.alone else None,
            together=course_fields(each.together) if each.together else None,
            problem=each.problem or None,
        )
    output.record(
        "sharing",
        cameras=len(found.shares),
        alone_mb_per_s=round(found.alone_mb_per_s, 4),
        together_mb_per_s=round(found.together_mb_per_s, 4),
        shared=found.is_shared,
    )
    for line in sharing_lines(found):
        output.result(line)


def sharing_lines(found: Sharing) -> list[str]:
    """Return the report, a line each."""
    width = max([len(share.address) for share in found.shares] + [len("all of them")])
    lines = [f"{'':<{width}}  {'alone':>12}  {'all at once':>12}"]
    for share in found.shares:
        alone = f"{share.alone.mb_per_s:.2f} MB/s" if share.alone else "–"
        together = f"{share.together.mb_per_s:.2f} MB/s" if share.together else "–"
        problem = f"  {share.problem}" if share.problem else ""
        lines.append(f"{share.address:<{width}}  {alone:>12}  {together:>12}{problem}".rstrip())
    alone_sum = f"{found.alone_mb_per_s:.2f} MB/s"
    together_sum = f"{found.together_mb_per_s:.2f} MB/s"
    lines += [f"{'all of them':<{width}}  {alone_sum:>12}  {together_sum:>12}", ""]
    if found.is_shared is None:
        lines.append("Fewer than two cameras could be read, so nothing is known.")
    elif found.is_shared:
        part = found.together_mb_per_s / found.alone_mb_per_s
        lines.append(
            f"They slow each other down: together they have {part:.0%} of what each has alone. "
            "They share a channel, or this computer's link."
        )
        lines.append("What would help: give each camera a channel of its own, or use cables.")
    else:
        lines.append("They do not slow each other down.")
    return lines
