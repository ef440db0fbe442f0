"""`ptpfast tune`: find, remember, show and forget the settings of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..engine.text import in_text, printable
from .only_camera import only_camera
from .options import Address, Common, command
from .output import Output, human_chunk, human_size, plural
from .waiting import showing

if TYPE_CHECKING:
    from ..measure import Finding
    from ..vendors import Tuning


@command(
    "tune 192.168.1.1",
    "tune 192.168.1.1 --dry-run --json",
    "tune --show",
    "tune --forget 'Maker Model 1.0'",
)
@click.argument("host", type=Address(), metavar="[CAMERA]", required=False)
@click.option("--dry-run", is_flag=True, help="Measure only; do not save the result.")
@click.option("--show", is_flag=True, help="List the remembered models.")
@click.option("--forget", metavar="MODEL", help="Forget a model, named as in --show.")
def tune(
    common: Common, host: tuple[str, int] | None, dry_run: bool, show: bool, forget: str | None
) -> None:
    """Find the fastest settings for this camera and remember them.

    Tests pipeline depths, chunk sizes and one whole object. Takes about half a minute and only
    reads. The result applies to this model and firmware.
    """
    if (show, forget) == (False, None):
        _measure(common, host or only_camera(common.output), dry_run)
    elif host is not None or dry_run or (show and forget is not None):
        raise click.UsageError("--show and --forget do not measure: leave CAMERA out")
    elif forget is None:
        _show(common.output)
    else:
        _forget(common.output, forget)


def _measure(common: Common, host: tuple[str, int], dry_run: bool) -> None:
    from ..measure import tune as run
    from ..session.connecting import connect
    from ..state import tuning

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
            skipped=finding.skipped or None,
        )
        output.note(_line(finding))

    if not dry_run:
        tuning.check()  # before half a minute of measuring
    with connect(
        host[0],
        port=host[1],
        timeouts=common.timeouts,
        depth=1,
        waiting=showing(output),
        trace=common.trace,
    ) as session:
        found = run(session, tell)
        key = tuning.model_key(session.device_info)
        file = None if dry_run else tuning.save(session.device_info, found)
    output.record("tuning", **_record(key, found, file))
    output.result(f"{_found(key, found)}; " + (f"kept in {file}" if file else "not kept"))


def _show(output: Output) -> None:
    from ..state import tuning

    entries = tuning.entries()
    for key, found in entries.items():
        if found is None:
            output.record("unusable", model=key, file=in_text(str(tuning.path())))
            output.result(f"{key}: the entry is damaged and not used")
        else:
            output.record("tuning", **_record(key, found, tuning.path()))
            output.result(_found(key, found) + (f"; {found.note}" if found.note else ""))
    if not entries:
        output.note("no models are remembered")
    else:
        output.note(f"{plural(len(entries), 'model')} in {tuning.path()}")


def _forget(output: Output, model: str) -> None:
    from ..state import tuning

    # As a terminal shows it, or as it is.
    found = [key for key in tuning.entries() if model in (key, printable(key))]
    if not found:
        text = f"{model!r} is not remembered; --show lists the models"
        raise click.BadParameter(text, param_hint="'--forget'")
    for key in found:
        file = tuning.forget(key)
        output.record("forgotten", model=key, file=in_text(str(file)))
        output.result(f"{key}: forgotten")


def _record(key: str, found: Tuning, file: Any) -> dict[str, Any]:
    return {
        "model": key,
        "depth": found.depth,
        "chunk": found.chunk,
        "gain": found.gain,
        "whole": found.whole,
        "whole_mb_per_s": found.whole_mb_per_s,
        "whole_size": found.whole_size,
        "note": found.note or None,
        "file": in_text(str(file)) if file else None,
    }


def _found(key: str, found: Tuning) -> str:
    return (
        f"{key}: {plural(found.depth, 'request')} at a time{_each(found)}: "
        f"{found.gain:.2f} times the rate of 1 MiB one at a time; {_whole(found)}"
    )


def _each(found: Tuning) -> str:
    if found.chunk == 0:
        most = f" up to {human_size(found.whole_size)}" if found.whole_size else ""
        return f", whole objects{most}"
    return f", {human_chunk(found.chunk)} each" if found.chunk else ""


def _whole(found: Tuning) -> str:
    if not found.whole:
        return "whole objects were not tried" if found.whole is None else "no whole objects"
    rate = found.whole_mb_per_s
    return "whole objects work" + (f", at {rate:.1f} MB/s" if rate is not None else "")


def _line(finding: Finding) -> str:
    what = f"{finding.what} of {human_chunk(finding.chunk)}" if finding.chunk else finding.what
    value = finding.problem or finding.skipped or f"{finding.value:.1f} {finding.unit}"
    return f"{what}, depth {finding.depth}: {value}"
