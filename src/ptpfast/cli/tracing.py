"""The options that record a trace, of every command that talks to a camera."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from .output import Output

if TYPE_CHECKING:
    from ..trace import Trace

TRACE_OPTIONS = (
    click.option(
        "--trace-names", is_flag=True, help="Keep GUIDs, serial numbers and names in the trace."
    ),
    click.option("--trace-payload", is_flag=True, help="Keep the bytes of pictures in the trace."),
    click.option(
        "--trace",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Record the connections in a new file for Wireshark.",
    ),
)


class Wish(NamedTuple):
    """The options of a trace: its file, and what it keeps."""

    path: Path | None = None
    payload: bool = False
    names: bool = False


@contextmanager
def tracing(output: Output, wish: Wish) -> Iterator[Trace | None]:
    """Yield the open trace, or None, and say at the end where it is. UsageError, OSError."""
    if wish.path is None:
        if wish.payload or wish.names:
            raise click.UsageError("--trace-payload and --trace-names need --trace FILE")
        yield None
        return
    from ..trace import Trace

    if wish.path.is_dir():
        raise click.BadParameter(f"{wish.path} is a folder; name a file", param_hint="'--trace'")
    try:
        trace = Trace(wish.path, payload=wish.payload, names=wish.names)
    except FileExistsError as error:
        text = f"{wish.path} exists already, and is not replaced; give another name"
        raise click.BadParameter(text, param_hint="'--trace'") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.BadParameter(f"{wish.path}: {reason}", param_hint="'--trace'") from error
    try:
        with trace:
            yield trace
    finally:
        output.record("trace", path=str(wish.path), payload=wish.payload, names=wish.names)
        output.note(f"trace: {wish.path}")
