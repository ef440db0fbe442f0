"""`ptpfast live`: the camera's live view as a page on this computer, or into a file."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import click

from ..pick.loopback import HERE
from ..transport.contract import Address
from .failure import OutputClosed
from .get import session_for
from .options import Common, Seconds, command, host_argument
from .output import Output, plural
from .page import page_at, port_option, tell_address

if TYPE_CHECKING:
    from ..engine.sink import Descriptor
    from ..session.live import Frame


@command(
    "live 192.168.1.1",
    "live 192.168.1.1 --port 8080",
    "live 192.168.1.1 --to - | ffplay -f mjpeg -",
    "live 192.168.1.1 --to view.mjpeg --seconds 60",
)
@host_argument
@port_option
@click.option(
    "--to",
    metavar="FILE|-",
    help="Write the frames, one JPEG after the other, instead of a page.",
)
@click.option("--seconds", type=Seconds(), metavar="S", help="Stop after so many seconds.")
@click.option("--frames", type=click.IntRange(1), metavar="N", help="Stop after so many frames.")
def live(
    common: Common,
    host: Address | None,
    port: int,
    to: str | None,
    seconds: float | None,
    frames: int | None,
) -> None:
    """Show what the camera sees, until Ctrl-C."""
    output = common.output
    if to == "-" and output.json:
        raise click.UsageError("--json and --to - both write to standard output")
    with (
        session_for(common, host, remote=True) as session,
        contextlib.closing(session.live_view()) as view,
        _target(output, to, port) as target,
    ):
        began, count = time.monotonic(), 0
        try:
            for frame in view:
                target(frame)
                count += 1
                took = time.monotonic() - began
                if count == frames or (seconds is not None and took >= seconds):
                    break
        finally:
            took = time.monotonic() - began
            output.record("live", frames=count, seconds=round(took, 3))
            rate = f", {count / took:.1f} a second" if took else ""
            output.note(f"{plural(count, 'frame')}{rate}")


@contextlib.contextmanager
def _target(output: Output, to: str | None, port: int) -> Iterator[Callable[[Frame], object]]:
    """Yield what takes the frames: a file, standard output, or a page on this computer."""
    if to == "-":
        if sys.stdout is None:
            raise click.UsageError("standard output is closed")
        yield partial(_write, sys.stdout.buffer)
    elif to is not None:
        with _new_file(to) as held:
            yield partial(_write_all, held.number)
    else:
        from .live_page import LivePage

        with page_at(port, partial(LivePage, HERE)) as page:
            tell_address(output, page.address)
            yield page.show


def _new_file(path: str) -> Descriptor:
    """Return a new file. UsageError if there is one, SinkError if there can be none."""
    from ..ownership.files import create
    from ..ptp.errors import disk_error

    try:
        return create(path)
    except FileExistsError:
        raise click.UsageError(f"{path} exists; name a new file") from None
    except OSError as error:
        raise disk_error("create", path, error) from error


def _write_all(descriptor: int, frame: Frame) -> None:
    from ..ptp.errors import disk_error

    rest = memoryview(frame)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        raise disk_error("write", "the frames", error) from error


def _write(stream: BinaryIO, frame: Frame) -> None:
    from ..ptp.errors import disk_error

    try:
        stream.write(frame)
        stream.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise disk_error("write", "the frames", error) from error
