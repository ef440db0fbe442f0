"""`ptpfast pull --scheduler`: download the cameras of a rig on the workers of a cluster."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..engine.text import in_text
from ..library.remote.place import place_of
from .bars import live_table
from .failure import SOME_FAILED
from .options import Address, Common
from .output import Output, human_size, is_terminal, plural
from .progress import has_rich
from .selecting import Wanted

if TYPE_CHECKING:
    from ..cluster import CameraResult, RigReport

INSTALL = "pip install 'ptpfast[cluster]'"
WAITS = ("reconnecting", "waiting")
# Options of `pull` that are of one computer.
_NOT_HERE = {
    "copies": "--copies",
    "manifest": "--manifest",
    "dry_run": "--dry-run",
    "metrics": "--metrics",
    "words": "--exec",
    "exec_retries": "--exec-retries",
    "bwlimit": "--bwlimit",
    "max_duration": "--max-duration",
}


class AddressOrRig(Address):
    """A camera's address; with --scheduler the file of a rig."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        # Some versions of click have a mark in the place of a value that was not given.
        if ctx is not None and isinstance(ctx.params.get("scheduler"), str):
            return value
        return super().convert(value, param, ctx)


scheduler_option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    is_eager=True,
    help="Download the cameras of a rig on the workers of this dask scheduler.",
)


def pull_rig(
    common: Common,
    scheduler: str,
    words: tuple[Any, ...],
    dest: Path | str,
    wanted: Wanted,
    options: Mapping[str, Any],
) -> int:
    """Download a rig, and return the exit status. UsageError, ConnectFailed."""
    output = common.output
    if len(words) != 1:
        raise click.UsageError("with --scheduler give the file of the rig, and then the folder")
    for name, option in _NOT_HERE.items():
        if options[name]:
            raise click.UsageError(f"{option} does not go with --scheduler")
    if common.trace is not None:
        raise click.UsageError("--trace does not go with --scheduler")
    try:
        from .. import cluster

        place = _place(dest)
        rig = cluster.Rig.read(words[0])
        asked = {**rig.options, **_asked(wanted, options)}
        if common.waits:
            asked["timeouts"] = common.timeouts
        rig = cluster.Rig(rig.cameras, asked)
    except ImportError as error:
        raise click.UsageError(f"--scheduler needs more packages: {INSTALL}") from error
    except OSError as error:
        raise click.UsageError(f"{words[0]}: {error.strerror or error}") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    names = [camera.name for camera in rig.cameras]
    with RigDisplay(output, names) as display, _told_losses(output):
        try:
            report = cluster.pull(scheduler, rig, place, told=display.told)
        except ImportError as error:
            raise click.UsageError(f"--scheduler needs more packages: {INSTALL}") from error
        except ValueError as error:
            raise click.UsageError(f"--scheduler: {error}") from error
    _sum_up(output, report)
    return 0 if report.ok else SOME_FAILED


@contextmanager
def _told_losses(output: Output) -> Iterator[None]:
    """Note lost schedulers. dask's client would write each as a traceback."""
    ours, theirs = logging.getLogger("ptpfast"), logging.getLogger("distributed.client")
    notes = _Notes(output)
    if not output.verbose:
        ours.addHandler(notes)
        theirs.addFilter(_nothing)  # its level is set when dask is imported
    try:
        yield
    finally:
        ours.removeHandler(notes)
        theirs.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


class _Notes(logging.Handler):
    """Handler that writes warnings of `ptpfast.cluster` as notes."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        self._output.note(in_text(record.getMessage()))


def _place(dest: Path | str) -> str:
    """Return the destination as workers elsewhere understand it. ValueError for a wrong URL."""
    if isinstance(dest, str):
        place_of(dest)
        return dest
    return os.path.abspath(dest)


def _asked(wanted: Wanted, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the command line, which win over those of the file."""
    source = click.get_current_context().get_parameter_source
    here = {name: value for name, value in options.items() if name not in _NOT_HERE}
    of_words = {"formats": "format"}
    return {
        name: value
        for name, value in {**here, **wanted.options}.items()
        if source(of_words.get(name, name)) is ParameterSource.COMMANDLINE
    }


class RigDisplay:
    """How far the cameras are: a table on a terminal, else a line for each wait and each end."""

    def __init__(self, output: Output, names: list[str]) -> None:
        self._output = output
        self._rows: dict[str, Mapping[str, Any]] = {name: {} for name in names}
        self._states: dict[str, str] = {}
        self._lock = threading.Lock()
        self._stack = ExitStack()
        shows = not (output.quiet or output.verbose) and is_terminal(sys.stderr) and has_rich()
        self._live = live_table(self.rows) if shows else None

    def __enter__(self) -> RigDisplay:
        if self._live is not None:
            self._stack.enter_context(self._live)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def told(self, message: Mapping[str, Any]) -> None:
        """Take a camera's numbers, in any thread."""
        name = message["camera"]
        with self._lock:
            self._rows = {**self._rows, name: message}
            self._output.record("progress", **message)
            before, state = self._states.get(name), str(message["state"])
            self._states[name] = state
            if self._live is None and state != before and state in WAITS:
                self._output.note(f"{in_text(name)}: {state}")

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table: name, files, bytes and state of each camera."""
        return [
            (in_text(name), *_cells(row)) if row else (in_text(name), "", "", "not begun")
            for name, row in self._rows.items()
        ]


def _cells(row: Mapping[str, Any]) -> tuple[str, str, str]:
    is_done = row["of_files"] and row["files"] >= row["of_files"]
    size = f"{human_size(row['bytes'])} of {human_size(row['of_bytes'])}"
    return f"{row['files']}/{row['of_files']}", size, "done" if is_done else str(row["state"])


def _sum_up(output: Output, report: RigReport) -> None:
    for camera in report.cameras:
        output.record("camera", **_record(camera))
        parts = [f"{camera.downloaded:,} downloaded", f"{camera.skipped:,} skipped"]
        if camera.failed:
            parts.append(f"{camera.failed:,} failed")
        if camera.error:
            parts.append(in_text(camera.error))
        output.result(f"{in_text(camera.name)}: {', '.join(parts)}")
        for name, reason in camera.failures:
            output.note(f"{in_text(camera.name)}: {in_text(name)} failed: {in_text(reason)}")
    output.record(
        "summary",
        ok=report.ok,
        cameras=len(report.cameras),
        downloaded=report.downloaded,
        failed=report.failed,
        bytes=report.bytes,
    )
    files = plural(report.downloaded, "file")
    output.note(
        f"{plural(len(report.cameras), 'camera')}, {files} downloaded, {human_size(report.bytes)}"
    )


def _record(camera: CameraResult) -> dict[str, Any]:
    return {
        "name": camera.name,
        "ok": camera.ok,
        "downloaded": camera.downloaded,
        "skipped": camera.skipped,
        "failed": camera.failed,
        "bytes": camera.bytes,
        "seconds": round(camera.seconds, 3),
        "failures": [{"name": name, "reason": reason} for name, reason in camera.failures],
        "worker": camera.worker,
        "error": camera.error or None,
    }
