"""`ptpfast pull`: download new files, and always end with a summary."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ..library.plan.options import RETRY
from ..library.plan.selection import LISTED
from ..library.plan.template import Template, read_template
from ..library.report.report import Report, report_of
from ..ptp.errors import Cancelled
from ..session.address import are_swapped, is_camera, is_nickname
from ..transfer.hashing import new_hash
from ..transport.contract import Address
from .destination import (
    Destination,
    algorithm_option,
    conflict_option,
    copies_option,
    delete_option,
    folders_option,
    name_option,
    verify_option,
)
from .exporting import exporting, metrics_option
from .failure import (
    DISK,
    OUT_OF_TIME,
    REFUSED,
    SOME_FAILED,
    UNREACHABLE,
    VERIFICATION,
    Failure,
    OutputClosed,
    explain,
    status_of,
)
from .hook import Hook, exec_option, hooked, retries_option
from .only_camera import only_camera
from .options import (
    Common,
    bwlimit_option,
    chunk_option,
    command,
    depth_option,
    duration_option,
    index_option,
)
from .output import Output, human_size, plural
from .rig import AddressOrRig, pull_rig, scheduler_option
from .selecting import Wanted, selecting
from .summary import summary


def _tries(ctx: Any, param: Any, value: str) -> int | None:
    """Return a number; None for `forever`."""
    if value == "forever":
        return None
    if not (value.isascii() and value.isdecimal()):
        raise click.BadParameter(f"{value!r} is neither a number nor 'forever'")
    return int(value)


@command(
    "pull 192.168.1.1 ~/Pictures/today",
    "pull 192.168.1.1 . --format raw --since 2026-11-22 --manifest",
    "pull 192.168.1.1 . --include 'DSC_01*' --order newest --dry-run",
    "pull 192.168.1.1 . --prefer raw --last 20",
    "pull 192.168.1.1 . --name '{date}/{time}_{name}' --dry-run",
    "pull 192.168.1.1 . --copies /media/backup/today --delete-verified",
    "pull 192.168.1.1 192.168.1.2 ~/Pictures/today",
    "pull ~/Pictures/today",
    "pull 192.168.1.1 s3://bucket/today --verify hash",
    "pull --scheduler tcp://10.0.0.1:8786 rig.toml s3://bucket/today",
    "pull 192.168.1.1 . --json",
)
@click.argument("hosts", type=AddressOrRig(), metavar="[CAMERA]...", nargs=-1)
@click.argument("dest", type=Destination(path_type=Path), metavar="DEST")
@selecting(order=LISTED, whole=True)
@conflict_option
@verify_option
@algorithm_option
@click.option(
    "--retry",
    callback=_tries,
    default=str(RETRY),
    show_default=True,
    metavar="N",
    help="Failed reconnects in a row before giving up, or forever.",
)
@click.option(
    "--manifest",
    is_flag=True,
    help="Write SHA256SUMS into DEST; implies --verify hash.",
)
@copies_option
@delete_option
@click.option(
    "--new",
    is_flag=True,
    help="Skip files that were downloaded from this camera before, to any folder.",
)
@click.option(
    "--history/--no-history",
    default=True,
    show_default=True,
    help="Use and update the history of downloads.",
)
@folders_option
@name_option
@click.option("--dry-run", is_flag=True, help="Show what would be downloaded; download nothing.")
@exec_option
@retries_option
@bwlimit_option
@duration_option
@metrics_option
@scheduler_option
@chunk_option
@depth_option
@index_option
def pull(
    common: Common,
    hosts: tuple[tuple[str, int], ...],
    dest: Path | str,
    wanted: Wanted,
    **options: Any,
) -> int:
    """Download the files that are not in the folder yet.

    DEST is a folder, or the URL of one: s3://, sftp://, webdav://. Several cameras are read at the
    same time. Without CAMERA, the only camera that is found in 3 s is read. Files that are in the
    folder already are skipped. Downloads begin while the card is still listed, so the default order
    is the camera's; ls sorts by date. Press Ctrl-C at any time: the same command resumes.
    """
    from ..library.pull import pull as run
    from .progress import display
    from .recorder import Recorder

    output = common.output
    if (scheduler := options.pop("scheduler")) is not None:
        return pull_rig(common, scheduler, hosts, dest, wanted, options)
    check_order(hosts, dest)
    agree(options)
    where, words = options.pop("metrics"), options.pop("words")
    retries = options.pop("exec_retries")
    check_places(dest, options)
    if options["delete_verified"] and isinstance(dest, Path):  # said while nothing is deleted yet
        _warn_of_one_disk(output, dest, options["copies"])
    cameras = [str(Address(*each)) for each in hosts or [only_camera(output)]]
    place = "destination" if isinstance(dest, str) else "disk"
    hook: Hook | None = None
    try:
        with (
            exporting(output, where, cameras) as observed,
            display(output, tries=options["retry"], place=place) as shown,
            hooked(output, words, retries, cameras[0], shown) as hook,
        ):
            report = run(
                cameras[0] if len(cameras) == 1 else cameras,
                dest,
                **wanted.options,
                **options,
                observer=observed(Recorder(output, shown, hook=hook)),
                timeouts=common.timeouts,
                trace=common.trace,
            )
    except BaseException as error:  # noqa: BLE001 # its report is shown
        return _ended_early(output, error)
    if report.out_of_time and (kept := _kept(report)):
        output.note(kept)
    summary(output, report)
    return status(report) or (SOME_FAILED if hook is not None and hook.failed else 0)


def _warn_of_one_disk(output: Output, dest: Path, copies: tuple[Path, ...]) -> None:
    from ..library.plan.room import on_disk_of

    for folder in on_disk_of(dest, copies):
        output.note(f"{folder} is on the same disk as {dest}: if that disk fails, both are lost")


def check_places(dest: Path | str, options: dict[str, Any]) -> None:
    """UsageError for folders that are one, or a URL that cannot be used."""
    from ..library.plan.apart import check_different

    try:
        if isinstance(dest, str):
            check_url(dest, options)
        else:
            check_different(dest, options["copies"], mark=not options["dry_run"])
    except ValueError as error:
        is_one = "same folder" in str(error)
        advice = "; give --copies a folder on another disk" if is_one else ""
        raise click.UsageError(f"{error}{advice}") from error


def check_url(dest: str, options: dict[str, Any]) -> None:
    """ValueError, UsageError for a URL that is none, or options that need a folder."""
    from ..library.remote.opening import check
    from ..library.remote.place import place_of

    place_of(dest)
    check(dest)
    if options["copies"] or options["manifest"]:
        raise click.UsageError(
            "--copies and --manifest need a folder of this computer: leave them out with a URL"
        )
    if not options["history"]:
        raise click.UsageError(
            "files at a URL are known by the history only: leave --no-history out"
        )


def check_order(
    hosts: tuple[tuple[str, int], ...], dest: Path | str, command: str = "pull"
) -> None:
    """Raise UsageError unless the words are cameras and then a folder."""
    if not hosts:
        kind = "a camera" if is_nickname(str(dest)) else ""
        kind = kind or ("a camera's address" if is_camera(str(dest)) else "")
        if kind and not os.path.isdir(dest):
            raise click.UsageError(
                f"'{dest}' is {kind}; add the folder: ptpfast {command} {dest} FOLDER"
            )
        return
    if are_swapped(hosts[0][0], dest):
        raise click.UsageError(
            f"{hosts[0][0]!r} is a folder and '{dest}' an address: "
            "the camera comes first, then the folder"
        )
    if is_camera(str(dest)) and not os.path.isdir(dest):
        raise click.UsageError(
            f"'{dest}' is a camera's address, not a folder: the cameras come first, then the folder"
        )
    _check_spaces(hosts, dest)
    for host, _ in hosts[1:]:
        if os.path.lexists(host):  # as of a pattern that the shell has expanded
            raise click.UsageError(
                f"{host!r} is a file or folder, not a camera: the cameras come first, then one "
                "folder; put a pattern in quotes, so that the shell does not expand it"
            )
        if not ("." in host or ":" in host or _has_address(host)):
            raise click.UsageError(
                f"{host!r} is not a camera: no host and no paired camera has this name; only the "
                "last word is the folder, and a path with spaces needs quotes"
            )
    cameras = [str(Address(*each)) for each in hosts]
    if twice := next((each for each in cameras if cameras.count(each) > 1), None):
        raise click.UsageError(f"the camera {twice} is given twice")


def _has_address(host: str) -> bool:
    import socket

    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _check_spaces(hosts: tuple[tuple[str, int], ...], dest: Path | str) -> None:
    """Raise UsageError if the last words are one path with spaces, which the shell has divided."""
    words = [host for host, _ in hosts] + [str(dest)]
    for first in range(len(words) - 1):
        if os.path.isdir(path := " ".join(words[first:])):
            raise click.UsageError(f"a path with spaces needs quotes: '{path}'")
    if len(hosts) > 1 and os.path.isfile(dest):
        raise click.UsageError(
            f"'{dest}' is a file, not a folder; put a pattern in quotes, so that the shell does "
            "not expand it"
        )


def agree(options: dict[str, Any]) -> None:
    """UsageError for options that do not go together, or not here."""
    if options["delete_verified"] and options["on_conflict"] == "overwrite":
        raise click.UsageError(
            "you cannot combine --on-conflict overwrite with --delete-verified: the replaced file "
            "may be the only copy of a deleted picture"
        )
    if options["new"] and not options["history"]:
        raise click.UsageError("--new needs the history: leave --no-history out")
    if options["template"] is not None:
        _check_name(read_template(options["template"]), options)
    if options["algorithm"] is None:
        return
    by_sha256 = options["manifest"] or options["copies"] or options["delete_verified"]
    if by_sha256 and options["algorithm"] != "sha256":
        raise click.UsageError(
            "--manifest, --copies and --delete-verified need SHA-256: leave --algorithm out"
        )
    try:
        new_hash(options["algorithm"])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--algorithm'") from error


def _check_name(name: Template, options: dict[str, Any]) -> None:
    """UsageError for a template that does not go together with the other options."""
    if options["keep_folders"] and name.folders:
        raise click.UsageError(
            "you cannot combine --keep-folders with folders (/) in --name; use one of them"
        )
    if name.needs_history and not options["history"]:
        raise click.UsageError(
            "with {seq}, or without {name} and {number}, files are known again by the history "
            "only: add {name} to --name, or leave --no-history out"
        )


def _ended_early(output: Output, error: BaseException) -> int:
    """Says the error, then the summary so far; the exit status. Raises what is none of ours."""
    report = report_of(error)
    failure = explain(error)
    if report is None or failure.defect or isinstance(error, OutputClosed):
        raise error
    is_told = any(each.error is error for each in report.cameras)  # of its camera, when it ended
    hint = "; ".join(part for part in (failure.hint, _kept(report)) if part)
    if not is_told:
        output.fail(Failure(failure.message, hint, failure.status), error)
    elif kept := _kept(report):
        output.note(kept)
    summary(output, report)
    return max(failure.status, status(report))


def _kept(report: Report) -> str:
    """Return what an interrupted run leaves to the next one; empty if nothing had begun."""
    kept = [
        f"{human_size(result.kept)} of {result.path.name} kept"
        for result in report.having("unfinished")
        if result.path is not None and result.kept
    ]
    if not kept and not report.downloaded:
        return ""
    complete = plural(report.downloaded, "file") + " complete"
    return ", ".join((complete, *kept)) + "; run the same command again to continue"


def status(report: Report) -> int:
    """Return the exit status of a run that came to its end; that of the worst of its cameras."""
    found = _status_of_files(report)
    if report.cameras:
        is_told = Cancelled if report.out_of_time else ()
        found = max(
            status(each.report)
            if each.error is None or isinstance(each.error, is_told)
            else explain(each.error).status
            for each in report.cameras
        )
    if report.presumed_over:
        found = found or UNREACHABLE
    return found or (OUT_OF_TIME if report.out_of_time else 0)


def _status_of_files(report: Report) -> int:
    kinds = {
        status_of(result.error) if result.error else SOME_FAILED
        for result in report.having("failed")
    }
    of_copies = {
        status_of(copy.error) if copy.error else SOME_FAILED
        for result in report.files
        for copy in result.copies
        if copy.status == "failed"
    }
    kinds |= of_copies
    if report.vanished or report.storages:
        kinds.add(SOME_FAILED)
    if not kinds:
        return 0
    if VERIFICATION in kinds:
        return VERIFICATION
    if kinds == of_copies == {DISK}:
        return DISK
    # Not one object could be had, and each time it was the camera that said no, or the disk.
    if not report.downloaded and not report.skipped and kinds in ({REFUSED}, {DISK}):
        return kinds.pop()
    return SOME_FAILED
