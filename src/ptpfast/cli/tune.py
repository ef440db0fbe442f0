"""`ptpfast tune`: how a camera is best read, measured and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .options import Common, command, host_argument
from .output import human_size

if TYPE_CHECKING:
    from ..measure import Finding


@command("tune 192.168.1.1", "tune 192.168.1.1 --dry-run --json")
@host_argument
@click.option("--dry-run", is_flag=True, help="Measure, but remember nothing.")
def tune(common: Common, host: tuple[str, int], dry_run: bool) -> None:
    """Find the camera's best chunk size and depth, remember them.

    Harmless operations first, then reads of the largest of some objects, for about half a minute.
    What is found is kept for this model and firmware, and used from then on.
    """
    from .. import tuning
    from ..measure import tune as run
    from ..session import connect

    output = common.output

    def tell(finding: Finding) -> None:
        output.record(
            "finding",
            what=finding.what,
            depth=finding.depth,
            chunk=finding.chunk,
            value=round(finding.value, 3),
            unit=finding.unit,
            problem=finding.problem or None,
        )
        output.note(_line(finding))

    with connect(host[0], port=host[1], timeouts=common.timeouts, depth=1) as session:
        found = run(session, tell)
        key = tuning.model_key(session.device_info)
        file = None if dry_run else tuning.save(session.device_info, found)
    output.record(
        "tuning",
        model=key,
        depth=found.depth,
        chunk=found.chunk,
        gain=found.gain,
        file=str(file) if file else None,
    )
    kept = f"kept in {file}" if file else "not kept"
    output.result(
        f"{key}: {found.depth} requests at a time, {human_size(found.chunk or 0)} each: "
        f"{found.gain:.2f} times the rate of one at a time; {kept}"
    )


def _line(finding: Finding) -> str:
    ahead = f"depth {finding.depth}"
    if finding.problem:
        return f"{finding.what}, {ahead}: {finding.problem}"
    chunk = f" of {human_size(finding.chunk)}" if finding.chunk else ""
    return f"{finding.what}{chunk}, {ahead}: {finding.value:.1f} {finding.unit}"
