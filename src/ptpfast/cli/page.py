"""What `pick` and `live` have in common: a page on this computer, its port and its address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..pick.serving import Serving
    from .output import Output

    Page = TypeVar("Page", bound=Serving)

port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port of the page on this computer; 0: any.  [default: 0]",
)


@contextmanager
def page_at(port: int, make: Callable[[int], Page]) -> Iterator[Page]:
    """Serve a page. UsageError if the port cannot be used.

    Args:
        port: the port; 0 for any.
        make: returns the page at a port, or raises OSError.
    """
    try:
        made = make(port)
    except OSError as error:
        raise click.UsageError(f"no page at port {port}: {error.strerror}") from None
    with made as page:
        yield page


def tell_address(output: Output, address: str, **fields: Any) -> None:
    """Say where the page is.

    Args:
        output: of the command.
        address: of the page.
        fields: what the record has besides.
    """
    output.record("page", address=address, **fields)
    output.result(address, whole=True)
    output.note("open this address in a browser on this computer; Ctrl-C ends it")
