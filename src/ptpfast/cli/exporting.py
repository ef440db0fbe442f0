"""`pull --metrics PORT`: show metrics of the run at an HTTP port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ..session.address import parse_address
from ..transport.contract import Address
from .output import Output

if TYPE_CHECKING:
    from ..library.report.observer import Observer

LOOPBACK = "127.0.0.1"
MOST_PORT = 0xFFFF
INSTALL = "pip install 'ptpfast[metrics]'"


def _where(ctx: Any, param: Any, value: str | None) -> Address | None:
    """Return the address of `PORT` or `ADDRESS:PORT`. BadParameter."""
    if value is None:
        return None
    text = f"{LOOPBACK}:{value}" if value.isascii() and value.isdecimal() else value
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdecimal()):
        raise click.BadParameter(f"{value!r} is not a port; write 9180 or 0.0.0.0:9180")
    if int(port) > MOST_PORT:
        raise click.BadParameter(f"{port} is not a port: the largest is {MOST_PORT}")
    try:
        host = parse_address(host).host
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return Address(host, int(port))


metrics_option = click.option(
    "--metrics",
    callback=_where,
    metavar="[ADDRESS:]PORT",
    help="Show metrics for Prometheus at this port, on this computer only by default.",
)


@contextmanager
def exporting(
    output: Output, where: Address | None, cameras: list[str]
) -> Iterator[Callable[[Observer], Observer]]:
    """Show metrics during a block; yields a function that returns a counting observer for another.

    Args:
        output: gets the URL.
        where: the address to listen at; None for no metrics.
        cameras: the addresses of the cameras.

    Raises:
        click.UsageError: a package is missing, or the address cannot be listened at.
    """
    if where is None:
        yield lambda observer: observer
        return
    try:
        from ..metrics import Metrics
    except ImportError as error:
        raise click.UsageError(f"--metrics needs more packages: {INSTALL}") from error
    metrics = Metrics()
    with ExitStack() as stack:
        try:
            port = stack.enter_context(metrics.serving(where.port, where.host))
        except OSError as error:
            reason = error.strerror or str(error)
            raise click.UsageError(f"--metrics cannot listen at {where}: {reason}") from error
        url = f"http://{Address(where.host, port)}/metrics"
        output.record("metrics", url=url)
        output.note(f"metrics at {url}")
        yield partial(metrics.observer, cameras[0] if len(cameras) == 1 else "")
