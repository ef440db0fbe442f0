"""`ptpfast watch`: download each new shot as it happens, until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..engine.text import in_text
from ..library.plan.selection import LISTED
from ..ptp.kinds import KINDS
from ..session.address import are_swapped
from ..transport.contract import Address
from .destination import (
    Folder,
    algorithm_option,
    conflict_option,
    copies_option,
    delete_option,
    folders_option,
    name_option,
    verify_option,
)
from .file_lines import file_record, finished_line
from .hook import Hook, Ran, words_of
from .only_camera import only_camera
from .options import (
    Common,
    Words,
    bwlimit_option,
    chunk_option,
    command,
    depth_option,
    host_argument,
)
from .output import Output, human_size, plural
from .pull import agree
from .selecting import Wanted, selecting
from .signals import wait_for
from .watch_line import WAITS, WatchLine

if TYPE_CHECKING:
    from ..library.report.results import FileResult
    from ..watching import Watch, WatchStatus


def _words(ctx: Any, param: Any, value: str | None) -> list[str] | None:
    if value is None:
        return None
    try:
        return words_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@command(
    "watch 192.168.1.1 ~/Pictures/today",
    "watch 192.168.1.1 . --new-only --first jpeg",
    "watch 192.168.1.1 . --exec 'rsync {} backup:shots/' --exec-retries 5",
    "watch 192.168.1.1 . --name '{date}/{nickname}_{seq:05}'",
    "watch 192.168.1.1 . --copies /media/backup/today --delete-verified",
    "watch 192.168.1.1 . --json",
)
@host_argument
@click.argument("dest", type=Folder(path_type=Path), metavar="DEST")
@click.option(
    "--existing/--new-only",
    default=True,
    show_default=True,
    help="Download what is on the card already, too; it gives way to new shots.",
)
@click.option(
    "--first",
    type=Words(KINDS),
    metavar=",".join(KINDS),
    help="Of new shots, download these file types before the others.",
)
@click.option(
    "--exec",
    "words",
    callback=_words,
    metavar="COMMAND",
    help="Run this for each file, without a shell; {} is its path.",
)
@click.option(
    "--exec-retries",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="How often to run a failed command again for its file.",
)
@selecting(order=LISTED)
@conflict_option
@verify_option
@algorithm_option
@copies_option
@delete_option
@folders_option
@name_option
@bwlimit_option
@chunk_option
@depth_option
def watch(
    common: Common,
    host: tuple[str, int] | None,
    dest: Path,
    wanted: Wanted,
    words: list[str] | None,
    exec_retries: int,
    **options: Any,
) -> int:
    """Download each new shot as it happens, until it is stopped.

    If the connection is lost, it is made again without end, and what was shot meanwhile is
    downloaded. No shot is downloaded twice. Files that are already on the card are downloaded in
    the background.
    """
    from ..watching import watch as run

    if host is not None and are_swapped(host[0], dest):
        raise click.UsageError(
            f"{host[0]!r} is a folder and '{dest}' an address: "
            "the camera comes first, then the folder"
        )
    agree({**options, "new": False, "history": True, "manifest": False})
    camera = str(Address(*(host or only_camera(common.output))))
    line = WatchLine(camera)
    with ExitStack() as stack:
        note = stack.enter_context(line.shown(common.output))
        teller = Teller(common.output, camera, line, note)
        hook = None
        if words is not None:
            hook = stack.enter_context(Hook(words, camera, exec_retries, teller.ran))
        try:
            shots = run(
                camera,
                dest,
                **wanted.options,
                **options,
                on_status=teller.status,
                observer=line,
                timeouts=common.timeouts,
                trace=common.trace,
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        stack.enter_context(shots)
        try:
            _take_all(shots, teller, hook)
        finally:
            teller.sum_up(shots.status)
    return 0


class Teller:
    """Say what a watch does: lines on standard error, records with `--json`. Thread-safe."""

    def __init__(
        self, output: Output, camera: str, line: WatchLine, note: Callable[[str], object]
    ) -> None:
        """line: what is shown of the status. note: writes a line that stays."""
        self._output = output
        self._camera = camera
        self._shown = line
        self._note = note
        self._lock = threading.Lock()
        self._said = ""  # waiting, connected or watching

    def status(self, status: WatchStatus) -> None:
        """Say that the watch does something else now."""
        with self._lock:
            self._shown.status = status
            self._output.record("status", **status_record(status, self._camera))
            if (text := self._line(status)) is not None:
                self._note(text)

    def _line(self, status: WatchStatus) -> str | None:
        """Return the line about a status; None if it goes without saying."""
        said = self._said
        if (words := WAITS.get(status.state)) is not None:
            self._said = "waiting"
            return f"{words}: {status.reason}; trying again"
        if status.state == "watching":
            self._said = "watching"
            is_told = said == "watching"
            return None if is_told else f"watching {self._camera}; press Ctrl-C to stop"
        self._said = "watching" if said == "watching" else "connected"
        return None if said in ("watching", "connected") else f"connected to {self._camera}"

    def result(self, result: FileResult) -> None:
        """Say that a file is finished or has failed."""
        with self._lock:
            self._output.record("file", camera=self._camera, **file_record(result))
            if (text := finished_line(result)) is not None:
                self._note(text)

    def ran(self, ran: Ran) -> None:
        """Say what came of the command for a file."""
        with self._lock:
            file = in_text(ran.path)
            self._output.record("exec", file=file, tries=ran.tries, error=ran.error or None)
            if ran.error:
                tries = f" ({plural(ran.tries, 'try', 'tries')})" if ran.tries > 1 else ""
                self._note(f"--exec failed for {file}: {in_text(ran.error)}{tries}")

    def sum_up(self, status: WatchStatus) -> None:
        """Say what was downloaded."""
        with self._lock:
            self._output.record("summary", downloaded=status.files, bytes=status.size)
            files = plural(status.files, "file")
            self._note(f"{files} downloaded, {human_size(status.size)}")


def status_record(status: WatchStatus, camera: str) -> dict[str, Any]:
    """Return the JSON fields of a status."""
    return {
        "camera": camera,
        "state": status.state,
        "reason": status.reason or None,
        "since": status.since.isoformat(timespec="seconds"),
        "downloaded": status.files,
        "bytes": status.size,
    }


def _take_all(shots: Watch, teller: Teller, hook: Hook | None) -> None:
    """Take the results until the watch ends. On Ctrl-C stop it, and take the rest.

    A Ctrl-C reaches the main thread only, so that no result is lost to it in another one.
    """
    errors: list[BaseException] = []
    done = threading.Event()

    def take() -> None:
        try:
            for shot in shots:
                teller.result(shot)
                if hook is not None and shot.status == "downloaded":
                    hook.add(shot)
        except BaseException as error:  # noqa: BLE001 # raised below
            errors.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=take, name="ptpfast results", daemon=True)
    thread.start()
    try:
        wait_for(done)
    except KeyboardInterrupt:
        shots.stop()
        wait_for(done)
        raise
    finally:
        thread.join()
    if errors:
        raise errors[0]
