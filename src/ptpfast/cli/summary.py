"""Summarise a run of `pull`: its last line, in JSON or for people."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.text import in_text
from ..library.remote.place import is_url
from ..library.report.results import FETCHED_BEFORE, KNOWN_BY
from ..ptp.objects import card_name
from ..transfer.verify import FROM_DISK
from .file_lines import finished_line
from .output import Output, human_seconds, human_size, plural, say

if TYPE_CHECKING:
    from ..library.report.report import Report
    from ..library.report.results import KnownBy, Leftover

# What the summary says of the files downloaded, by `--verify`.
_CHECKED = {
    "size": "only sizes checked",
    "hash": "read back; {digest} equals the received bytes",
    "disk": "read back from {disk}; {digest} equals the received bytes",
    "reread": "read back from {disk} and again from the camera; {digest} equal",
}
# The same of files at a URL.
_CHECKED_THERE = {
    "size": "only sizes checked",
    "hash": "{digest} or ETag there equals the received bytes",
    "disk": "read back from there; {digest} equals the received bytes",
    "reread": "read back from there and again from the camera; {digest} equal",
}
# A wait is said for runs of so many seconds, if it was such a part of them.
LONG_S, WORTH_SAYING = 5.0, 0.1
# By what a copy was known again.
_KNOWN: dict[KnownBy, str] = {
    "catalog": "by the history",
    "date": "by name, size and date",
    "name and size": "by name and size alone",
}
_DIGESTS = {"sha256": "SHA-256", "xxh3": "XXH3"}


def summary(output: Output, report: Report) -> None:
    """Write the summary; with `--quiet` only the failures."""
    full: set[Path] = set()
    for result in report.files:
        failed = result.status == "failed" or any(c.status == "failed" for c in result.copies)
        if output.quiet and failed:  # an error is said all the same
            say(finished_line(result, full) or "")
    for left in report.leftovers:
        output.note(leftover_line(left))
    for failure in report.storages:  # an error is said all the same
        (say if output.quiet else output.note)(str(failure))
    for doubt in (*report.doubts, *report.notes):
        output.note(doubt)
    _record(output, report)
    if not output.quiet:
        for each in report.cameras:
            early = "" if each.error is None else "; ended early"
            output.note(f"{each.name}: {summary_line(each.report)}{early}")
        output.sentence(summary_line(report))
        if advice := advice_line(report):
            output.note(advice)


def _record(output: Output, report: Report) -> None:
    output.record(
        "summary",
        objects=report.objects,
        bytes=report.bytes,
        seconds=round(report.seconds, 6),
        elapsed=round(report.elapsed, 6),
        skipped=report.skipped,
        failed=report.failed,
        found=report.found,
        storages=[
            {"id": each.storage_id, "name": each.name, "reason": each.reason}
            for each in report.storages
        ],
        doubts=report.doubts,
        retries=report.retries,
        downloaded=report.downloaded,
        remaining=report.remaining,
        undated=report.undated,
        unsized=report.unsized,
        unrated=report.unrated,
        unpreferred=report.unpreferred,
        mb_per_s=round(report.mb_per_s, 3),
        manifest=in_text(str(report.manifest)) if report.manifest else None,
        copied=report.copies("stored"),
        copies_failed=report.copies("failed"),
        copies_here=report.copies("already here"),
        copies_unread=report.unread_copies,
        copies_known_by={by: report.known_copies(by) for by in KNOWN_BY},
        deleted=report.deleted,
        left=report.left,
        found_gone=report.found_gone,
        same_disk=[in_text(str(folder)) for folder in report.same_disk],
        vanished=report.vanished,
        verified=report.verify if report.downloaded else None,
        digest=report.algorithm if report.downloaded and report.verify != "size" else None,
        disk_wait_s=round(report.waited_s, 3),
        round_trips_s=round(report.round_trips_s, 3),
        unread=report.unread,
        here=report.here,
        known_by={by: report.known(by) for by in KNOWN_BY},
        fetched_before=report.fetched_before,
        mirrored=report.mirrored,
        notes=[in_text(note) for note in report.notes],
        leftovers=[_leftover_record(left) for left in report.leftovers],
        **_cameras_record(report),
        out_of_time=report.out_of_time,
        presumed_over=report.presumed_over,
        ok=report.ok,
    )


def _cameras_record(report: Report) -> dict[str, object]:
    """Return the JSON field with the part of each camera, if there are several."""
    if not report.cameras:
        return {}
    return {
        "cameras": [
            {
                "camera": each.name,
                "downloaded": each.report.downloaded,
                "skipped": each.report.skipped,
                "failed": each.report.failed,
                "bytes": each.report.bytes,
                "error": None if each.error is None else str(each.error),
            }
            for each in report.cameras
        ]
    }


def _leftover_record(left: Leftover) -> dict[str, object]:
    return {"file": in_text(str(left.path)), "bytes": left.size, "reason": left.reason}


def advice_line(report: Report) -> str:
    """Return what held up a long run and what would help; '' if nothing did."""
    took = report.seconds
    if took < LONG_S:
        return ""
    if report.waited_s > WORTH_SAYING * took:
        share = report.waited_s / took
        if is_url(report.destination):
            return f"the destination was waited for in {share:.0%} of the time"
        return f"the disk was waited for in {share:.0%} of the time; a faster disk would help"
    if (waited := report.round_trips_s) > WORTH_SAYING * took:
        share, gain = waited / took, took / max(took - waited, took / 10)
        return (
            f"{share:.0%} of the time was spent waiting for round trips; "
            f"ptpfast tune may make downloads up to {gain:.1f} times as fast"
        )
    return ""


def summary_line(report: Report) -> str:
    """Return the summary in one line."""
    from .nothing import nothing_line

    planned = report.having("planned")
    if report.listed and not (report.objects or report.storages or report.found_gone):
        text = nothing_line(report)
    elif planned:
        kept = sum(result.kept for result in planned)
        size = sum(result.size or 0 for result in planned) - kept
        text = f"{plural(len(planned), 'file')} to download, {human_size(size)}"
        text += f" ({human_size(kept)} more are here)" if kept else ""
    elif _is_up_to_date(report):
        return f"Up to date: {_here(report)}{_kept_safe(report)}"
    else:
        text = f"{plural(report.downloaded, 'file')} downloaded"
    if report.bytes:
        took = human_seconds(report.seconds)
        # Part of it may be in no file that is fetched.
        verb = " received" if report.remaining or report.failed else ""
        verb = verb or (" read again" if not report.downloaded and report.here else "")
        text += f", {human_size(report.bytes)}{verb} in {took} ({report.mb_per_s:.1f} MB/s)"
        if (whole := human_seconds(report.elapsed)) != took:
            text += f", {whole} in total"
    for failure in report.storages:
        text += f"; {failure.name} not available"
    if report.here:
        text += f"; {report.here:,} already here{_known_by(report)}"
    if report.fetched_before:
        text += f"; {report.fetched_before:,} downloaded before"
    text += _mirrored(report)
    if others := report.skipped - report.here - report.fetched_before - report.mirrored:
        text += f"; {others:,} skipped"
    if report.failed:
        text += f"; {report.failed:,} failed"
    if not planned and report.remaining:
        text += f"; {report.remaining:,} remaining"
        if kept := sum(result.kept for result in report.having("unfinished")):
            text += f" ({human_size(kept)} kept)"
    if report.out_of_time:
        text += "; the time of --max-duration was over"
    if report.presumed_over:
        text += "; it is not known whether the camera had more"
    text += left_out_text(report)
    return text + _checked(report) + _kept_safe(report)


def _is_up_to_date(report: Report) -> bool:
    """Return whether every selected file was here, and none had to be read."""
    here = report.having("skipped")
    return (
        report.listed  # a run that ended before has not seen every object
        and report.ok
        and bool(here)
        and len(here) == len(report.files)
        and report.here + report.fetched_before + report.mirrored == len(here)
        and report.mirrored < len(here)
        and report.unread == report.here
        and not (report.bytes or report.storages)
        and not (report.undated or report.unsized or report.unrated)
    )


def left_out_text(report: Report) -> str:
    """Return how many objects are left out that the selection cannot judge, or that are one of a
    pair."""
    ways = (
        (report.undated, "without a date left out"),
        (report.unsized, "of unknown size left out"),
        (report.unrated, "of unknown rating left out"),
        (report.unpreferred, "left out for the other file of the pair"),
    )
    return "".join(f"; {count:,} {way}" for count, way in ways if count)


def _checked(report: Report) -> str:
    """Return how the downloaded files were verified."""
    text = ""
    if report.downloaded:
        disk = "the disk" if FROM_DISK else "the disk or from memory"
        words = {"digest": _DIGESTS[report.algorithm], "disk": disk}
        checked = _CHECKED_THERE if is_url(report.destination) else _CHECKED
        text += f"; {checked[report.verify].format(**words)}"
    return text


def _here(report: Report) -> str:
    """Return where the files of an up-to-date run are."""
    before, total = report.fetched_before, report.here + report.fetched_before
    if before == total:
        files = "the file was" if before == 1 else f"all {before:,} files were"
        where = "; 'ptpfast history' shows where"
        return f"{files} downloaded before{where}{_mirrored(report)}"
    files = "the file is" if total == 1 else f"all {total:,} files are"
    if before:
        files = f"{report.here:,} of {total:,} files are"
    rest = f"; {before:,} downloaded before" if before else ""
    return f"{files} already here{_known_by(report)}{rest}{_mirrored(report)}"


def _mirrored(report: Report) -> str:
    """Return how many objects are left alone on cards that mirror others."""
    count = report.mirrored
    cards = {
        card_name(result.object.storage_id)
        for result in report.files
        if result.mirrored and result.object is not None
    }
    return f"; {count:,} on {', '.join(sorted(cards))} are mirrored" if count else ""


def _known_by(report: Report) -> str:
    """Return by what the files were known that were here already, in brackets; '' for the history,
    which is sure of it."""
    ways = {
        "compared with the camera": report.here - report.unread,
        "by name, size and date": report.known("date"),
        "by name and size alone, without a date": report.known("name and size"),
    }
    parts = [
        way if count == report.here else f"{count:,} {way}" for way, count in ways.items() if count
    ]
    return f" ({'; '.join(parts)})" if parts else ""


def _is_plan(report: Report) -> bool:
    """Whether it is a dry run's, with anything to do."""
    return any(result.status == "planned" or result.to_delete for result in report.files)


def leftover_line(left: Leftover) -> str:
    """Return the line about a partial file that stays, and what to do about it."""
    return (
        f"{left.path}: {human_size(left.size)} of an earlier run are kept and cannot be resumed "
        f"({left.reason}); delete it and {left.note.name} if you do not want them"
    )


def _kept_safe(report: Report) -> str:
    """Return the part about copies, deletions and leftover files."""
    parts = []
    for status, word in (("planned", "to store"), ("stored", "stored"), ("failed", "failed")):
        if count := sum(c.status == status for result in report.files for c in result.copies):
            parts.append(f"{plural(count, 'copy', 'copies')} {word}")
    read = report.copies("already here") - report.unread_copies
    ways = [(read, "read and compared")]
    ways += [(report.known_copies(by), f"known {way}, not read") for by, way in _KNOWN.items()]
    for count, way in () if _is_plan(report) else ways:
        if count:
            parts.append(f"{plural(count, 'copy', 'copies')} already there, {way}")
    if to_delete := sum(result.to_delete for result in report.files):
        parts.append(f"{to_delete:,} to delete on the camera")
    if report.deleted:
        parts.append(f"{report.deleted:,} deleted on the camera")
    if report.left:
        reasons = Counter(result.left for result in report.files if result.left)
        each = [
            f"{reason} ({count:,})" if len(reasons) > 1 else reason
            for reason, count in reasons.most_common()
        ]
        advice = " (to have them compared and deleted, leave --new out)"
        asked = advice if FETCHED_BEFORE in reasons else ""
        parts.append(f"{report.left:,} left on the camera: {', '.join(each)}{asked}")
    if report.found_gone:
        parts.append(f"{report.found_gone:,} of an interrupted deletion gone from the camera")
    if report.vanished:
        names = ", ".join(report.vanished[:10]) + (", ..." if len(report.vanished) > 10 else "")
        parts.append(
            f"{len(report.vanished):,} vanished from the camera, not deleted by ptpfast: {names}"
        )
    parts += [f"{path} is on the same disk as {report.destination}" for path in report.same_disk]
    if report.leftovers:
        size = human_size(sum(left.size for left in report.leftovers))
        parts.append(f"{plural(len(report.leftovers), 'part file')} left over ({size})")
    return "".join(f"; {part}" for part in parts)
