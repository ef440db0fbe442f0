"""`ptpfast discover`: the cameras in the networks of this computer, as they are found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..engine.text import printable
from .failure import UNREACHABLE
from .options import Common, Seconds, command
from .output import Output, is_terminal, plural

if TYPE_CHECKING:
    from rich.table import Table

    from ..discovery import Found

COLUMNS = ("ADDRESS", "VENDOR", "MODEL", "NAME", "SERIAL", "FOUND BY")
ADVICE = (
    "join the camera's network, start its remote or 'connect to PC' mode, or search longer: "
    "--seconds 10; some cameras cannot be found: use the address that the camera shows; "
    "'ptpfast doctor ADDRESS' finds out why it does not answer"
)
LONGEST_S = 3600


@command(
    "discover",
    "discover --seconds 10 --json",
    "discover --interface 192.168.1.20 --try 192.168.1.40",
    "discover --no-try",
    far=False,
)
@click.option(
    "--seconds",
    type=Seconds(),
    default=3.0,
    show_default=True,
    metavar="S",
    help="How long to search.",
)
@click.option(
    "--interface",
    "interfaces",
    multiple=True,
    metavar="ADDRESS",
    help="Search only the network in which this computer has this address; repeatable.",
)
@click.option(
    "--try",
    "addresses",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Try this address, not those of known cameras; repeatable.",
)
@click.option("--no-try", is_flag=True, help="Try no addresses: only listen and ask.")
def discover(
    common: Common,
    seconds: float,
    interfaces: tuple[str, ...],
    addresses: tuple[str, ...],
    no_try: bool,
) -> int:
    """Find the cameras in the networks of this computer.

    Asks by mDNS and SSDP, and listens to cameras that call. Opens a TCP connection to the gateway
    and to the known addresses of cameras, if they are in a network of this computer, and closes it
    at once.

    On a terminal the table fills while the search goes on. Otherwise, and with --json, each camera
    is written when it is found, and once more when more is known about it.
    """
    from ..discovery import stream
    from ..discovery.found import learn

    if no_try and addresses:
        raise click.UsageError("--no-try and --try exclude each other; use one of them")
    tried: tuple[str, ...] | None = () if no_try else addresses or None
    try:
        found = stream(min(seconds, LONGEST_S), interfaces=interfaces or None, addresses=tried)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    cameras: list[Found] = []
    with _display(common.output, seconds) as shown:
        for each in found:
            learn(cameras, each)
            shown.show(each, cameras)
        shown.end(cameras)
    if not cameras:
        common.output.note(f"ptpfast: no camera was found in {seconds:g} s; {ADVICE}")
        return UNREACHABLE
    common.output.note(f"{plural(len(cameras), 'camera')}; next: ptpfast info {cameras[0].address}")
    return 0


class Lines:
    """A line for each camera, at once: for programs."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def show(self, camera: Found, _: list[Found]) -> None:
        """Write a camera."""
        self._output.record("camera", **_record(camera))
        self._output.result("\t".join(cells(camera)))

    def end(self, _: list[Found]) -> None:
        """End the search."""


class TableAtEnd:
    """A table when the search is over; with rich it fills before."""

    def __init__(self, output: Output, live: Any = None) -> None:
        self._output, self._live = output, live

    def show(self, _: Found, cameras: list[Found]) -> None:
        """Draw the table again."""
        if self._live is not None:
            self._live.update(_rich_table(cameras))

    def end(self, cameras: list[Found]) -> None:
        """Write the table for good."""
        if self._live is not None:
            self._live.stop()
        rows = [COLUMNS, *map(cells, cameras)] if cameras else []
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            padded = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            self._output.result("  ".join(padded).rstrip())


def cells(camera: Found) -> tuple[str, ...]:
    """Return a camera as the cells of a row."""
    texts = (camera.vendor or "", camera.model, camera.name, camera.serial_number)
    return camera.address, *(printable(text) or "-" for text in texts), ",".join(camera.found_by)


def _record(camera: Found) -> dict[str, Any]:
    return {
        "host": camera.host,
        "port": camera.port,
        "address": camera.address,
        "vendor": camera.vendor,
        "model": camera.model or None,
        "name": camera.name or None,
        "serial_number": camera.serial_number or None,
        "guid": camera.guid or None,
        "found_by": list(camera.found_by),
    }


@contextmanager
def _display(output: Output, seconds: float) -> Iterator[Lines | TableAtEnd]:
    if not output.for_terminal:
        yield Lines(output)
        return
    if output.quiet or output.verbose or output.plain or not is_terminal(sys.stderr):
        yield TableAtEnd(output)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    title = f"searching for {seconds:g} s"
    with Live(title, console=console, transient=True, refresh_per_second=8) as live:
        yield TableAtEnd(output, live)


def _rich_table(cameras: list[Found]) -> Table:
    from rich.table import Table

    table = Table(*COLUMNS, box=None, pad_edge=False)
    for camera in cameras:
        table.add_row(*cells(camera))
    return table
