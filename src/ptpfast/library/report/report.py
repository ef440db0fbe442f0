"""The results of a `pull`, and counts of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from ...engine.text import in_text, printable
from .results import (
    ALREADY_HERE,
    FETCHED_BEFORE,
    KNOWN_BY,
    CopyStatus,
    FileResult,
    KnownBy,
    Leftover,
    Status,
    StorageFailure,
)


@dataclass(slots=True)
class Card:
    """The objects of the camera, as far as they are listed."""

    listed: bool = False
    found: int = 0
    selected: int = 0
    undated: int = 0
    unsized: int = 0
    unrated: int = 0
    unpreferred: int = 0
    storages: list[StorageFailure] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Traffic:
    """The amount of received data, and the time that it took."""

    bytes: int = 0
    seconds: float = 0.0
    elapsed: float = 0.0
    waited_s: float = 0.0
    round_trips_s: float = 0.0
    retries: int = 0


@dataclass(slots=True)
class Clearing:
    """What deletions did, in addition to the results of the objects."""

    found_gone: int = 0
    same_disk: list[Path] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)


@dataclass(slots=True)
class CameraReport:
    """The part of one camera in a run with several.

    Attributes:
        name: Its address.
        report: Its results.
        error: What ended it early; None if nothing did.
    """

    name: str
    report: Report
    error: BaseException | None = None


class Timed:
    """Add the time of a block to the seconds of a run. A generator would take longer than this."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._traffic.seconds += time.monotonic() - self._began


@dataclass(slots=True, repr=False)
class Report:
    """The result of a run, complete or not.

    Attributes:
        selection: The selected objects, in words.
        manifest: The file of checksums, if one was written.
        leftovers: Part files that no run will resume, known when the card is listed.
        verify, algorithm: How each downloaded file is verified (`transfer.verify`), and its digest
            from `hash` on.
        notes: Sentences about the history and the folders that the user must know.
        card, traffic, clearing: The values behind the properties below.
        cameras: With several cameras, the part of each; times are those of the slowest.
        out_of_time: Whether `max_duration` ended the run.
        presumed_over: Whether the run ended because the camera was gone at a moment when it may
            have had nothing left to offer, which nothing proves.
    """

    destination: Path
    files: list[FileResult] = field(default_factory=list)
    selection: str = ""
    manifest: Path | None = None
    leftovers: list[Leftover] = field(default_factory=list)
    verify: str = "size"
    algorithm: str = "sha256"
    notes: list[str] = field(default_factory=list)
    card: Card = field(default_factory=Card)
    traffic: Traffic = field(default_factory=Traffic)
    clearing: Clearing = field(default_factory=Clearing)
    cameras: list[CameraReport] = field(default_factory=list)
    out_of_time: bool = False
    presumed_over: bool = False

    def __repr__(self) -> str:
        counts = [
            f"{count:,} {word}"
            for word in ("downloaded", "skipped", "failed", "remaining")
            if (count := getattr(self, word))
        ]
        destination = printable(in_text(str(self.destination)))
        return f"<Report of {destination}: {', '.join(counts) or 'nothing to do'}>"

    @property
    def listed(self) -> bool:
        """Whether all of the camera's objects are known; until then the counts grow."""
        return self.card.listed

    @property
    def found(self) -> int:
        """How many files are on the camera."""
        return self.card.found

    @property
    def selected(self) -> int:
        """How many of them were to be taken."""
        return self.card.selected

    @property
    def undated(self) -> int:
        """Objects left out because dates were asked for and they have none."""
        return self.card.undated

    @property
    def unsized(self) -> int:
        """Objects left out because sizes were asked for and the camera cannot tell theirs."""
        return self.card.unsized

    @property
    def unrated(self) -> int:
        """Objects left out because a rating was asked for and the camera does not tell theirs."""
        return self.card.unrated

    @property
    def unpreferred(self) -> int:
        """Objects left out because `prefer` takes the other file of their pair."""
        return self.card.unpreferred

    @property
    def storages(self) -> list[StorageFailure]:
        """The storages that could not be read."""
        return self.card.storages

    @property
    def doubts(self) -> list[str]:
        """Why a card without objects may not be empty, in words."""
        return self.card.doubts

    @property
    def bytes(self) -> int:
        """Payload bytes moved in this run; a resumed file counts with what was still missing."""
        return self.traffic.bytes

    @property
    def seconds(self) -> float:
        """Time spent on fetching objects, listing not included."""
        return self.traffic.seconds

    @property
    def elapsed(self) -> float:
        """Seconds since `pull` was called, in all."""
        return self.traffic.elapsed

    @property
    def waited_s(self) -> float:
        """Seconds that the run waited for the disk to store received files."""
        return self.traffic.waited_s

    @property
    def round_trips_s(self) -> float:
        """Seconds that the run waited for the first bytes of reads, one at a time."""
        return self.traffic.round_trips_s

    @property
    def retries(self) -> int:
        """How often a lost connection was made again, or tried to be."""
        return self.traffic.retries

    @property
    def found_gone(self) -> int:
        """Objects whose deletion an earlier run had begun when it was interrupted, and which are
        no longer on the camera."""
        return self.clearing.found_gone

    @property
    def same_disk(self) -> list[Path]:
        """With `delete_verified`, folders for copies that are on the disk of the destination, which
        are then lost with it."""
        return self.clearing.same_disk

    @property
    def vanished(self) -> list[str]:
        """Names of objects that went from the camera while others were deleted, and that it was not
        asked to delete."""
        return self.clearing.vanished

    def count(self, status: Status) -> int:
        """How many objects ended so."""
        return sum(1 for result in self.files if result.status == status)

    def having(self, status: Status) -> list[FileResult]:
        """Return the results with that status, in order."""
        return [result for result in self.files if result.status == status]

    @property
    def objects(self) -> int:
        """Objects of the run: those selected, and those that could not be described."""
        return self.selected + sum(1 for result in self.files if result.object is None)

    @property
    def downloaded(self) -> int:
        """Objects that arrived in this run."""
        return self.count("downloaded")

    @property
    def skipped(self) -> int:
        """Objects left alone: here already, a different file is in the way, or of no bytes and
        refused."""
        return self.count("skipped")

    @property
    def here(self) -> int:
        """Objects whose files were here already."""
        return sum(1 for result in self.files if result.reason == ALREADY_HERE)

    @property
    def fetched_before(self) -> int:
        """Objects that were left alone, with `new`, because an earlier run has fetched them."""
        return sum(1 for result in self.files if result.reason == FETCHED_BEFORE)

    @property
    def mirrored(self) -> int:
        """Objects that were left alone because another card of the camera has the same picture."""
        return sum(1 for result in self.files if result.mirrored)

    def known(self, by: KnownBy) -> int:
        """How many files were here already and were known again by that, without being read."""
        return sum(
            result.known_by == by and not result.compared
            for result in self.files
            if result.reason == ALREADY_HERE
        )

    @property
    def unread(self) -> int:
        """Files that were here already and were not compared with the camera; `known` says by what
        they were known again."""
        return sum(
            1 for result in self.files if result.reason == ALREADY_HERE and not result.compared
        )

    @property
    def failed(self) -> int:
        """Objects that could not be had."""
        return self.count("failed")

    @property
    def deleted(self) -> int:
        """Objects deleted on the camera in this run."""
        return sum(1 for result in self.files if result.deleted)

    @property
    def left(self) -> int:
        """Objects that were to be deleted on the camera, and were not; each says why."""
        return sum(1 for result in self.files if result.left)

    @property
    def unread_copies(self) -> int:
        """Copies that were here already and were not read; `known_copies` says by what they were
        known again."""
        return sum(map(self.known_copies, KNOWN_BY))

    def known_copies(self, by: KnownBy) -> int:
        """How many copies were here already and were known again by that, without being read."""
        return sum(
            copy.status == "already here" and not copy.compared and copy.known_by == by
            for result in self.files
            for copy in result.copies
        )

    def copies(self, status: CopyStatus) -> int:
        """How many copies in further folders ended so."""
        return sum(copy.status == status for result in self.files for copy in result.copies)

    @property
    def remaining(self) -> int:
        """Objects the run did not come to, the unfinished one included."""
        return self.objects - self.downloaded - self.skipped - self.failed

    @property
    def ok(self) -> bool:
        """Whether nothing failed, no copy and no storage either, and nothing was left over but what
        a dry run planned. An object left on the camera is no failure, one that vanished from it is.
        """
        failed = self.failed or self.copies("failed") or self.storages or self.vanished
        failed = failed or any(each.error is not None for each in self.cameras)
        is_whole = not (self.out_of_time or self.presumed_over)
        is_whole = is_whole and self.remaining == self.count("planned")
        return is_whole and not failed

    @property
    def mb_per_s(self) -> float:
        """Megabytes (10^6 bytes) a second, over the whole run; 0 when nothing was moved."""
        return self.bytes / self.seconds / 1e6 if self.bytes and self.seconds > 0 else 0.0


def attach(report: Report, error: BaseException) -> None:
    """Set `error.report` to the report of the run that the error ended.

    The error may be of any class, the caller's or Python's, so no class can declare the attribute.
    """
    vars(error)["report"] = report


def report_of(error: BaseException) -> Report | None:
    """Return the report that an error carries."""
    report = getattr(error, "report", None)
    return report if isinstance(report, Report) else None
