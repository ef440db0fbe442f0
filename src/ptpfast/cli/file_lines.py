"""Describe the files of a run, as lines of text and as records of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.text import in_text, printable, unescaped
from ..library.report.report import Report
from ..library.report.results import ALREADY_HERE, FETCHED_BEFORE, FileResult
from ..ptp.errors import InitFailed
from .nothing import nothing_line
from .object_record import object_record
from .output import human_seconds, human_size, plural
from .shortage import is_full

if TYPE_CHECKING:
    from ..ptp.errors import PTPError
    from ..transfer import Transfer


def plan_line(report: Report, count: int, size: int) -> str:
    """Return what a run is going to do."""
    if not report.selected and not report.failed:
        return nothing_line(report)
    here = sum(1 for result in report.files if result.reason == ALREADY_HERE)
    parts = [f"{plural(report.selected, 'file')} selected"]
    if here:
        parts.append(f"{here:,} already here")
    parts.append(f"{count:,} to download ({human_size(size)})" if count else "nothing to download")
    return ", ".join(parts)


def finished_line(result: FileResult, full: set[Path] | None = None) -> str | None:
    """Return the line about a finished file; None if it was here and nothing was done with it.

    Args:
        result: the file.
        full: folders for copies of which it was said that they are full; this line adds its own.
    """
    name = result.path.name if result.path else name_of(result)
    kept = kept_text(result, full)
    transfer = result.transfer
    if transfer is not None and result.status == "downloaded":
        return f"{name}  {_arrived(transfer)}{kept}"
    if result.status == "failed":
        return f"{name} failed: {result.reason}"
    if result.reason == ALREADY_HERE and kept:
        return f"{name} is already here{kept}"
    if result.status == "skipped" and not (
        result.mirrored or result.reason in (ALREADY_HERE, FETCHED_BEFORE)
    ):
        return f"{name} skipped: {result.reason}"
    return None  # the error that ends a run tells of unfinished files


def _arrived(transfer: Transfer) -> str:
    """Return how a file arrived. The rate is that of the received bytes."""
    rate = transfer.received / transfer.seconds / 1e6 if transfer.seconds > 0 else 0.0
    took = f"{human_seconds(transfer.seconds)} ({rate:.1f} MB/s)"
    size, fetched = human_size(transfer.size), human_size(transfer.received)
    if transfer.resumed_at:
        return f"{size}: resumed at {human_size(transfer.resumed_at)}, {fetched} in {took}"
    begun = ""
    if transfer.dropped:
        there = human_size(transfer.dropped)
        begun = f", restarted: the {there} from before could not be verified"
    more = f": {fetched} fetched" if fetched != size else ""
    return f"{size}{more} in {took}{begun}"


def kept_text(result: FileResult, full: set[Path] | None = None) -> str:
    """Return what else was done with a file, to append to its line; may be empty."""
    text = ""
    if stored := sum(copy.status == "stored" for copy in result.copies):
        text += ", " + plural(stored, "copy", "copies")
    if result.deleted:
        text += ", deleted on the camera"
    elif result.left:
        text += f", left on the camera: {result.left}"
    for copy in result.copies:
        if copy.status != "failed":
            continue
        if full is not None and is_full(copy.error):
            folder = copy.folder or copy.path.parent
            if folder in full:
                continue
            full.add(folder)
        text += f"; no copy {copy.path}: {copy.reason}"
    return text


def name_of(result: FileResult) -> str:
    """Return the object's name; its handle without one."""
    if result.object is not None and result.object.name:
        return result.object.name
    return f"object 0x{result.handle:X}"


def planned_line(result: FileResult) -> str | None:
    """Return what a dry run would do with an object; None for nothing."""
    info = result.object
    if info is None:
        return None
    copies = [f", copy {copy.path}" for copy in result.copies if copy.status == "planned"]
    more = ", replacing the file there" if result.replaces else ""
    more += "".join(copies) + (", then deleted on the camera" if result.to_delete else "")
    if result.status == "planned":
        size = human_size(info.size) + (f", {human_size(result.kept)} here" if result.kept else "")
        return printable(f"{info.path} -> {result.path} ({size}){more}")
    return printable(f"{info.path} is here as {result.path}{more}") if more else None


def planned_paths(result: FileResult) -> list[str]:
    """Return the paths in the line of `planned_line`."""
    paths = [copy.path for copy in result.copies] + [result.path] * (result.path is not None)
    return [*map(str, paths), *([result.object.path] if result.object else [])]


def is_held(error: PTPError) -> bool:
    """Return whether a camera may hold an aborted session; else its owner has to confirm."""
    return isinstance(error, InitFailed)


def waiting_line(error: PTPError) -> str:
    """Return the line about a camera that is busy, or whose owner has to do something."""
    if not is_held(error):
        return printable(error.message)
    why = "it may still hold an aborted session"
    return printable(f"{error.message}; retrying: {why}")


def file_record(result: FileResult) -> dict[str, Any]:
    """Return the JSON fields of a file."""
    fields: dict[str, Any] = {
        "status": result.status,
        "file": in_text(str(result.path)) if result.path else None,
        "reason": unescaped(result.reason) or None,
        "handle": result.handle,
    }
    if result.object is not None:
        fields |= object_record(result.object)
    if result.status in ("unfinished", "planned"):
        fields["kept"] = result.kept
    if result.status == "planned":
        fields["replaces"] = result.replaces
    if result.copies:
        fields["copies"] = [
            {
                "status": copy.status,
                "file": in_text(str(copy.path)),
                "reason": unescaped(copy.reason) or None,
                "compared": copy.compared,
                "known_by": copy.known_by,
            }
            for copy in result.copies
        ]
    if result.deleted or result.left or result.to_delete:
        fields |= {"deleted": result.deleted, "left": result.left or None}
    if result.to_delete:
        fields["to_delete"] = True
    if result.known_by is not None:
        fields["known_by"] = result.known_by
    if result.compared:
        fields["verified"] = "compared"
    transfer = result.transfer
    if transfer is not None:
        fields |= {
            "size": transfer.size,
            "received": transfer.received,
            "resumed_at": transfer.resumed_at,
            "dropped": transfer.dropped,
            "seconds": round(transfer.seconds, 6),
            "verified": transfer.verified,
            "sha256": transfer.sha256,
            "xxh3": transfer.xxh3,
            "operation": transfer.operation,
            "chunks": transfer.chunks,
        }
    return fields
