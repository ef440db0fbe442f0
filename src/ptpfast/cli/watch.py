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
from ..transport.contract import Address
from .destination import (
    Destination,
    Folder,
    algorithm_option,
    conflict_option,
    copies_option,
    delete_option,
    folders_option,
    name_option,
    verify_option,
)
from .exporting import exporting, metrics_option
from .failure import OUT_OF_TIME
from .file_lines import file_record, finished_line
from .hook import Hook, Ran, exec_option, retries_option, tell
from .object_record import object_record
from .only_camera import only_camera
from .options import Address as AddressType
from .options import (
    Common,
    Words,
    bwlimit_option,
    chunk_option,
    command,
    depth_option,
    duration_option,
)
from .output import Output, human_size, plural
from .pull import agree, check_order, check_url
from .selecting import Wanted, selecting
from .signals import wait_for
from .watch_line import WAITS, WatchLine

if TYPE_CHECKING:
    from ..library.report.results import FileResult
    from ..watching import ShotPreview, Watch, WatchStatus


@command(
    "watch 192.168.1.1 ~/Pictures/today",
    "watch ~/Pictures/today",
    "watch 192.168.1.1 192.168.1.2 ~/Pictures/studio",
    "watch 192.168.1.1 . --new-only --first jpeg",
    "watch 192.168.1.1 ~/Pictures/today --preview ~/Pictures/previews",
    "watch 192.168.1.1 . --exec 'rsync {} backup:shots/' --exec-retries 5",
    "watch 192.168.1.1 . --name '{date}/{nickname}_{seq:05}'",
    "watch 192.168.1.1 . --copies /media/backup/today --delete-verified",
    "watch 192.168.1.1 . --json",
)
@click.argument("hosts", type=AddressType(), metavar="[CAMERA]...", nargs=-1)
@click.argument("dest", type=Destination(path_type=Path), metavar="DEST")
@click.option(
    "--existing/--new-only",
    default=True,
    show_default=True,
    help="Download the files that are already on the card, too; new shots come first.",
)
@click.option(
    "--first",
    type=Words(KINDS),
    metavar=",".join(KINDS),
    help="Download these file types of new shots before the others.",
)
@click.option(
    "--preview",
    type=Folder(path_type=Path),
    metavar="FOLDER",
    help="Store the previews of new RAW files here, before any of these files is downloaded.",
)
@exec_option
@retries_option
@selecting(order=LISTED)
@conflict_option
@verify_option
@algorithm_option
@copies_option
@delete_option
@folders_option
@metrics_option
@name_option
@bwlimit_option
@duration_option
@chunk_option
@depth_option
def watch(
    common: Common,
    hosts: tuple[tuple[str, int], ...],
    dest: Path | str,
    wanted: Wanted,
    words: list[str] | None,
    exec_retries: int,
    metrics: Address | None,
    **options: Any,
) -> int:
    """Download each new shot as it happens, until it is stopped.

    DEST is a folder, or the URL of one, as for pull. After a lost connection, ptpfast reconnects
    without end, and downloads the shots taken in the meantime. No shot is downloaded twice. Files
    that are already on the card are downloaded in the background. Several cameras are watched at
    the same time; without CAMERA, the only camera that is found.
    """
    from ..library.pull import named_cameras
    from ..watching import watch as run

    _check(hosts, dest, options)
    given = [str(Address(*each)) for each in hosts or [only_camera(common.output)]]
    cameras = given if len(given) == 1 else list(named_cameras(given, None))
    line = WatchLine(cameras)
    with ExitStack() as stack:
        observed = stack.enter_context(exporting(common.output, metrics, given))
        note = stack.enter_context(line.shown(common.output))
        teller = Teller(common.output, cameras, line, note)
        hook = None
        if words is not None:
            hook = stack.enter_context(Hook(words, cameras[0], exec_retries, teller.ran))
        try:
            shots = run(
                given[0] if len(given) == 1 else given,
                dest,
                **wanted.options,
                **options,
                on_status=teller.status,
                on_preview=teller.preview,
                observer=observed(line),
                timeouts=common.timeouts,
                trace=common.trace,
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        stack.enter_context(shots)
        try:
            _take_all(shots, teller, hook)
        finally:
            teller.sum_up(shots.status, out_of_time=shots.out_of_time)
    return OUT_OF_TIME if shots.out_of_time else 0


def _check(hosts: tuple[tuple[str, int], ...], dest: Path | str, options: dict[str, Any]) -> None:
    """UsageError for words and options that do not go together."""
    check_order(hosts, dest, "watch")
    of_pull = {**options, "new": False, "history": True, "manifest": False}
    agree(of_pull)
    if isinstance(dest, str):
        try:
            check_url(dest, of_pull)
        except ValueError as error:
            raise click.UsageError(str(error)) from error


class Teller:
    """Say what a watch does: lines on standard error, records with `--json`. Thread-safe."""

    def __init__(
        self,
        output: Output,
        cameras: list[str],
        line: WatchLine,
        note: Callable[[str], object],
    ) -> None:
        """line: what is shown of the status. note: writes a line that stays."""
        self._output = output
        self._cameras = cameras
        self._shown = line
        self._note = note
        self._lock = threading.Lock()
        self._said: dict[str, str] = {}  # of each camera: waiting, connected or watching
        self._told_known: set[str] = set()  # cameras

    def status(self, status: WatchStatus) -> None:
        """Say that the watch does something else now."""
        camera = status.camera or self._cameras[0]
        with self._lock:
            self._shown.tell(status)
            self._output.record("status", **status_record(status, camera))
            if (text := self._line(status, camera)) is not None:
                self._note(text)

    def _line(self, status: WatchStatus, camera: str) -> str | None:
        """Return the line about a status; None if it goes without saying."""
        said = self._said.get(camera, "")
        if (words := WAITS.get(status.state)) is not None:
            self._said[camera] = "waiting"
            # Drop the name of the background operation, and the words that the line has already.
            reason = status.reason.rpartition(f"{words}: ")[2]
            return self._of_camera(f"{words}: {reason}; trying again", camera)
        if status.state == "watching":
            is_first = "watching" not in self._said.values()
            self._said[camera] = "watching"
            stop = "; press Ctrl-C to stop" if is_first else ""
            before = self._known_before(status, camera)
            return None if said == "watching" else f"watching {camera}{before}{stop}"
        self._said[camera] = "watching" if said == "watching" else "connected"
        return None if said in ("watching", "connected") else f"connected to {camera}"

    def _known_before(self, status: WatchStatus, camera: str) -> str:
        """Return, once for each camera, how many files need no download."""
        if not status.known or camera in self._told_known:
            return ""
        self._told_known.add(camera)
        return f"; downloaded before: {plural(status.known, 'file')}"

    def _of_camera(self, text: str, camera: str) -> str:
        return text if len(self._cameras) == 1 else f"{camera}: {text}"

    def result(self, result: FileResult) -> None:
        """Say that a file is finished or has failed."""
        camera = result.camera or self._cameras[0]
        with self._lock:
            self._output.record("file", **{**file_record(result), "camera": camera})
            if (text := finished_line(result)) is not None:
                self._note(self._of_camera(text, camera))

    def preview(self, preview: ShotPreview) -> None:
        """Say that the preview of a new file is stored."""
        camera = preview.camera or self._cameras[0]
        path = in_text(str(preview.path))
        with self._lock:
            of = object_record(preview.object)
            self._output.record("preview", camera=camera, file=path, object=of)
            self._note(self._of_camera(f"{in_text(preview.path.name)}  preview", camera))

    def ran(self, ran: Ran) -> None:
        """Say what came of the command for a file."""
        with self._lock:
            tell(self._output, ran, self._note)

    def sum_up(self, status: WatchStatus, *, out_of_time: bool) -> None:
        """Say what was downloaded."""
        files = plural(status.files, "file")
        text = f"{files} downloaded, {human_size(status.size)}"
        if out_of_time:
            text += "; the time of --max-duration was over"
        with self._lock:
            self._output.record(
                "summary", downloaded=status.files, bytes=status.size, out_of_time=out_of_time
            )
            self._output.last_sentence = text
            self._note(text)


def status_record(status: WatchStatus, camera: str) -> dict[str, Any]:
    """Return the JSON fields of a status."""
    return {
        "camera": camera,
        "state": status.state,
        "reason": status.reason or None,
        "since": status.since.isoformat(timespec="seconds"),
        "downloaded": status.files,
        "bytes": status.size,
        "known": status.known,
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
