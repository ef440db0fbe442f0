"""What came of one object, one copy, one storage, one part file; and which folder is too small."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...ptp.errors import DeviceBusy, ResponseError, SessionNotOpen, StoreNotAvailable
from ...ptp.objects import card_name

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ...transfer import Transfer

ALREADY_HERE = "already here"  # as the reason why an object was skipped

FETCHED_BEFORE = "downloaded before"  # likewise, with `new`

# By what a file was known again: the catalog; name, size and date; or name and size alone.
KnownBy = Literal["catalog", "date", "name and size"]
KNOWN_BY: tuple[KnownBy, ...] = ("catalog", "date", "name and size")

# unfinished: under way when the run ended; what is kept of it is in its part file.
Status = Literal["downloaded", "skipped", "failed", "planned", "unfinished"]


CopyStatus = Literal["stored", "already here", "failed", "planned"]


@dataclass(slots=True)
class Copy:
    """The copy of a file in one further folder.

    status: `stored` in this run and verified by reading it back; `already here` from before;
        `failed`, with `reason` and `error`; or `planned`.
    compared: its bytes were read in this run and have the right SHA-256.
    known_by: how a copy that is `already here`, and was not compared, was recognised.
    folder: the further folder; the copy is in it or below it.
    """

    path: Path
    status: CopyStatus
    reason: str = ""
    error: Exception | None = None
    compared: bool = False
    known_by: KnownBy | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Leftover:
    """A part file of this camera's, of `size` bytes, that no run will go on with, and the reason.
    Delete it and the journal beside it if you do not want it."""

    path: Path
    size: int
    reason: str

    @property
    def note(self) -> Path:
        """What says whose bytes they are."""
        return self.path.with_name(f"{self.path.name}.json")


@dataclass(frozen=True, slots=True)
class StorageFailure:
    """A storage that could not be read, from the beginning or from some moment on, and why. An id
    of 0 stands for those that the camera's list of storages, which was cut, does not name."""

    storage_id: int
    reason: str
    error: Exception | None = None
    camera: str = ""  # of several

    @property
    def name(self) -> str:
        """`card 2`, with the camera's name if there are several."""
        name = card_name(self.storage_id) if self.storage_id else "a further card"
        return f"{name} of {self.camera}" if self.camera else name

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Shortage:
    """A folder that is too small: of `count` files `fit` do, `size` bytes of them, with `free`
    bytes of room there."""

    folder: Path
    free: int
    fit: int
    count: int
    size: int


@dataclass(slots=True)
class FileResult:
    """The result of one object.

    Attributes:
        object: None if the camera could not describe it.
        path: None if there is no file.
        reason: Why it was skipped or failed.
        error: The exception behind a failure.
        kept: Bytes of an unfinished object that the next run need not fetch again, or bytes of a
            planned one that are probably here.
        copies: One result for each further folder.
        deleted: Whether the object was deleted on the camera.
        left: Why it was not deleted.
        to_delete: Whether a dry run would delete it.
        compared: Whether an existing file equals the object as sent in this run.
        known_by: How an existing file was recognised.
        mirrored: Whether it was skipped because another card of the camera has the same picture.
        replaces: Whether a planned file replaces another file of that name.
        camera: The address of its camera, if the run has several.
    """

    handle: int
    object: ObjectInfo | None
    path: Path | None
    status: Status
    reason: str = ""
    error: Exception | None = None
    transfer: Transfer | None = None
    kept: int = 0
    copies: list[Copy] = field(default_factory=list)
    deleted: bool = False
    left: str = ""
    to_delete: bool = False
    compared: bool = False
    known_by: KnownBy | None = None
    mirrored: bool = False
    replaces: bool = False
    camera: str = ""

    @property
    def size(self) -> int | None:
        """Bytes of the object; None when unknown."""
        if self.transfer is not None:
            return self.transfer.size
        return self.object.size if self.object is not None else None


# Answers that say something of the camera, and nothing of the object.
_PASSING = (DeviceBusy, SessionNotOpen, StoreNotAvailable)


def failed_result(info: ObjectInfo, error: Exception) -> FileResult:
    """Return the result of an object that did not arrive.

    Some bodies never send an object of 0 bytes. That is no failure, but no proof of an empty file
    either: some bodies report 0 for a large one.
    """
    of_object = not isinstance(error, _PASSING)
    if info.size == 0 and isinstance(error, ResponseError) and of_object:
        reason = f"the camera reports 0 bytes and does not send it: {error.message}"
        return FileResult(info.handle, info, None, "skipped", reason)
    return FileResult(info.handle, info, None, "failed", str(error), error)
