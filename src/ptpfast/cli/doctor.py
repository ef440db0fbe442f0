"""`ptpfast doctor`: find out why a camera cannot be used, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .failure import DISK, PROTOCOL, REFUSED, UNREACHABLE
from .options import Address, Common, Seconds, command
from .output import Output

if TYPE_CHECKING:
    from ..doctor import Cause, Diagnosis, Step

WRONG, BETTER = "What is wrong", "What could be better"
MARKS = {"ok": "ok", "bad": "BAD", "slow": "note", "unknown": "-"}
# Exit statuses of causes; all others mean that the camera cannot be reached.
STATUSES = {
    **dict.fromkeys(
        ("busy", "not-paired", "rejected", "refused", "wrong-mode", "no-card", "asleep"), REFUSED
    ),
    **dict.fromkeys(("not-ptpip", "broken-protocol"), PROTOCOL),
    "this-computer": DISK,
}


@command("doctor 192.168.1.1", "doctor", "doctor studio --json")
@click.argument("host", type=Address(), metavar="[CAMERA]", required=False)
@click.option(
    "--seconds",
    type=Seconds(),
    default=5.0,
    show_default=True,
    metavar="S",
    help="How long to search, without CAMERA.",
)
@click.option(
    "--interface",
    "interfaces",
    multiple=True,
    metavar="ADDRESS",
    help="Search only the network in which this computer has this address; repeatable.",
)
def doctor(
    common: Common,
    host: tuple[str, int] | None,
    seconds: float,
    interfaces: tuple[str, ...],
) -> int:
    """Find out why a camera cannot be used, or is slow.

    Looks at the name, the route, the port, the answer, the session, the card, the speed, the radio
    and the disk of the current folder, and ends with what to do. Without CAMERA it searches for one
    first. Nothing is written to the camera.

    The exit status is 0 if the camera can be used.
    """
    from ..doctor import examine, search_and_examine
    from ..session.connecting import own_identity

    output = common.output
    options: dict[str, Any] = {"told": lambda step: _show(output, step)}
    if common.waits:
        options["timeouts"] = common.timeouts
    if common.trace is not None:
        options["identity"] = own_identity()._replace(recorder=common.trace)
    if host is not None:
        found = examine(host[0], port=host[1], **options)
    else:
        try:
            found = search_and_examine(seconds=seconds, interfaces=interfaces or None, **options)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    return _conclude(output, found)


def _show(output: Output, step: Step) -> None:
    output.record("step", name=step.name, state=step.state, text=step.text, facts=dict(step.facts))
    output.result(f"{MARKS[step.state]:<5} {step.name:<12} {step.text}")


def _conclude(output: Output, found: Diagnosis) -> int:
    """Write the causes, the first one in full; return the exit status."""
    first = found.first
    for cause in _sorted(found):
        output.record(
            "cause", code=cause.code, text=cause.text, remedy=cause.remedy, blocks=cause.blocks
        )
    output.record(
        "diagnosis",
        address=found.address or None,
        camera=found.camera or None,
        usable=found.is_usable,
        cause=first.code if first else None,
    )
    output.result("")
    if first is None:
        output.sentence(f"Nothing is wrong: {found.camera or 'the camera'} can be used.")
        return 0
    for number, cause in enumerate(_sorted(found)):
        title = "Also" if number else WRONG if cause.blocks else BETTER
        output.sentence(f"{title}: {cause.text}.")
        output.sentence(f"What to do: {cause.remedy}.")
    return 0 if found.is_usable else STATUSES.get(first.code, UNREACHABLE)


def _sorted(found: Diagnosis) -> list[Cause]:
    """Return the causes, the one to mend first at the head."""
    return sorted(found.causes, key=lambda cause: not cause.blocks)
