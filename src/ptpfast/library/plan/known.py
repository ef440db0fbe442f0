"""Known files and objects: what the catalog says about them, for the camera body of one run.

These rules apply in order:

1. The catalog has this object at this file, and the file is unchanged: the object is here.
2. The catalog has another object at this file: the file is a different one.
3. Otherwise name, size and date decide. `folder` compares them.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...ownership.names import same_name
from ...ptp.errors import SinkError
from ...ptp.kinds import kind_of
from ...state.catalog import REBUILD, Catalog
from ...state.fetched import (
    UNKNOWN_BODY,
    Fetched,
    Stored,
    body_identity,
    fetched_of,
    is_weak,
    model_of,
    wall_clock,
)
from ...transfer.ends import FOUR_GIB
from ...transfer.part import capture_time
from .dates import is_same_clock, is_same_time
from .naming import local_name, root_name

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ...session.session import Session
    from ..report.results import FileResult, KnownBy
    from .entry import Entry

log: logging.Logger = logging.getLogger("ptpfast")

PICTURES = {"raw", "jpeg", "heif", "video"}  # kinds that have the capture time of their shot
# Records wait for a transaction of their own: one for each small file would slow the camera down.
FLUSH_S, FLUSH_COUNT = 0.2, 64
REPAIR = "repair the folder, set PTPFAST_DATA to another one, or leave --new out"
Key = tuple[int, str, int | None, str]


class Known:
    """What the catalog says about the objects of one body. Without a catalog it knows nothing.

    Attributes:
        notes: what the user must know at the end of the run, in sentences.
    """

    def __init__(
        self,
        catalog: Catalog | None,
        identity: str,
        needs_record: Callable[[], bool] = lambda: False,
    ) -> None:
        """needs_record: whether name and size are too little to know an object without a date."""
        self._catalog = catalog
        self._identity = identity
        self._needs_record = needs_record
        self._present: set[int] = set()  # storages of which an object is listed
        self._listed: set[Key] = set()
        self._dateless: set[Path] = set()
        self._real: dict[Path, str] = {}
        self._pending: list[tuple[Fetched, Stored]] = []
        self._unwritten: list[tuple[Fetched, Stored]] = []  # another process had the catalog
        self._flushed = 0.0
        self._flushing = threading.Lock()  # copies are stored on another thread
        self.notes: list[str] = []

    @classmethod
    def of(cls, session: Session, *, history: bool) -> Known:
        """Return what is known of the body of a session; nothing without `history`."""
        identity = body_identity(session.device_info, session.link.connection.guid)
        catalog = Catalog() if history else None
        return cls(catalog, identity, lambda: session.link.dialect.offers_one)

    def require(self) -> None:
        """Raise SinkError if the catalog cannot tell which objects were fetched from this body."""
        if self._catalog is None or not self._catalog.prepare():
            why, hint = "history=False", "leave --new out"
            if self._catalog is not None:
                why, hint = self._catalog.why, REPAIR
            if self._catalog is not None and not why:  # another one is made next time
                why = "it was damaged and is renamed"
                hint = f"run '{REBUILD}' for each folder with your files, or leave --new out"
            raise SinkError(
                f"new files cannot be told from old ones: the history cannot be used: {why}",
                errno=errno.ENOTSUP,
                hint=hint,
            )
        if is_weak(self._identity):
            raise SinkError(
                "new files cannot be told from old ones: the camera reports neither a serial "
                "number nor a GUID",
                errno=errno.ENOTSUP,
                hint="leave --new out",
            )

    @property
    def can_record(self) -> bool:
        """Whether there is a catalog that can be used."""
        return self._catalog is not None and not self._catalog.why

    def prepare(self) -> None:
        """Make the catalog if there is none. Never raises."""
        if self._catalog is not None:
            self._catalog.prepare()

    def close(self) -> None:
        """Write the waiting records, and close the catalog. Never raises."""
        if self._catalog is not None:
            self._pending = self._unwritten + self._pending
            self._flush(self._catalog)
            self._catalog.close()

    def all_notes(self) -> list[str]:
        """Return the notes, with those about the catalog itself first."""
        return [*(self._catalog.notes if self._catalog is not None else []), *self.notes]

    def see(self, objects: Iterable[ObjectInfo], storage_ids: Iterable[int]) -> None:
        """Remember the listed objects of a camera with these storages."""
        self._present.update(storage_ids)
        if len(self._present) > 1:
            self._listed.update(_key(info) for info in objects)

    def at(self, folder: str, name: str) -> tuple[Fetched, Stored] | None:
        """Return the record of a stored file. `folder` must have no symbolic links."""
        return self._catalog.at(folder, name) if self._catalog is not None else None

    def files_of(self, info: ObjectInfo, root: str) -> Iterator[tuple[list[str], str]]:
        """Yield the places of an object's stored files in or below a folder.

        Args:
            info: the object.
            root: the folder, without symbolic links.

        Yields:
            The folders below `root`, and the name.
        """
        if self._catalog is None:
            return
        for path in _endings(info.path):
            for file in self._catalog.files_of(self._identity, path):
                if file.folder == root:
                    yield [], file.name
                elif file.folder.startswith(below := root.rstrip("/") + "/"):
                    yield file.folder.removeprefix(below).split("/"), file.name

    def renamed_in(self, folder: str) -> dict[str, list[str]]:
        """Return the files of a folder whose names are no forms of the names on the card.

        Args:
            folder: the folder, without symbolic links.

        Returns:
            Their names, by the paths of the objects.
        """
        found: dict[str, list[str]] = {}
        for item, name in (
            () if self._catalog is None else self._catalog.names_in(self._identity, folder)
        ):
            plain = local_name(item.rpartition("/")[2])
            if same_name(root_name(name)) != same_name(root_name(plain)):
                found.setdefault(item, []).append(name)
        return found

    def verdict(
        self, found: tuple[Fetched, Stored], entry: Entry, info: ObjectInfo, *, complete: bool
    ) -> bool | None:
        """Return whether a file is an object: True, False, or None if the catalog cannot tell.

        Args:
            found: what the catalog has of the file.
            entry: the file.
            info: the object.
            complete: whether all objects are listed.
        """
        item, stored = found
        if item.identity == UNKNOWN_BODY or not _is_as_stored(stored, entry):
            return None
        if not _is_described(info):
            return None
        weak = is_weak(item.identity) or is_weak(self._identity)
        if item.identity != self._identity and not (
            weak and model_of(item.identity) == model_of(self._identity)
        ):
            return False
        if not is_object(item, info):
            return False
        if item.storage != info.storage_id and item.storage in self._present:
            # Another card of this camera may hold it, with the same description.
            return complete and (item.storage, *_key(info)[1:]) not in self._listed
        # Bodies without a number cannot be told apart: the date decides if it can.
        return True if not weak else None

    def suffices(self, by: KnownBy | None) -> bool:
        """Return whether a likeness without a record in the catalog makes a file the object.

        A camera that is told "it is here" by mistake does not offer the object again.
        """
        return by is not None and not (by == "name and size" and self._needs_record())

    def was_stored_here(
        self, found: tuple[Fetched, Stored], entry: Entry, info: ObjectInfo
    ) -> bool:
        """Return whether the object was stored as this file by a body that may be this one."""
        item, stored = found
        return (
            model_of(item.identity) == model_of(self._identity)
            and _is_described(info)
            and _is_as_stored(stored, entry)
            and is_object(item, info)
        )

    def is_of_another_shot(
        self, found: tuple[Fetched, Stored], entry: Entry, info: ObjectInfo
    ) -> bool:
        """Return whether a file is a picture of another shot than the object.

        That is a picture from another body, or one that was taken at another time.
        """
        item, stored = found
        if not {kind_of(item.path), info.kind} <= PICTURES:  # a sound is recorded later
            return False
        if item.identity == UNKNOWN_BODY or not _is_as_stored(stored, entry):
            return False
        if model_of(item.identity) != model_of(self._identity):
            return True
        weak = is_weak(item.identity) or is_weak(self._identity)
        if item.identity != self._identity and not weak:
            return True
        captured = wall_clock(info.captured)
        return bool(item.captured and captured) and item.captured[:19] != captured[:19]

    def was_fetched(self, info: ObjectInfo) -> bool:
        """Return whether the object was fetched from this body before, wherever its file is now.

        An object without a date counts as new, because another one may have the same name and size.
        """
        if self._catalog is None or not (info.captured or info.modified):
            return False
        for path in _endings(info.path):
            for item in self._catalog.seen(self._identity, path):
                elsewhere = item.storage != info.storage_id and item.storage in self._present
                if is_object(item, info) and not elsewhere:
                    return True
        name = root_name(local_name(info.name))
        moment = capture_time(info)
        return any(
            item.size == info.size and moment is not None and _is_then(item, moment)
            for item in self._catalog.seen(UNKNOWN_BODY, name)
        )

    def stored(self, result: FileResult) -> None:
        """Record a file that has been fetched. Never raises."""
        info, path, transfer = result.object, result.path, result.transfer
        if result.status == "downloaded" and info and path and transfer:
            self.stored_at(info, path, transfer.sha256)

    def stored_at(self, info: ObjectInfo, path: Path, sha256: str | None) -> None:
        """Record a file of an object. Never raises."""
        try:
            status = os.lstat(path)
            parent = path.parent
            if (folder := self._real.get(parent)) is None:
                folder = self._real[parent] = os.path.realpath(parent)
        except OSError as error:
            log.debug("%s is not recorded: %s", path, error)
            return
        self._check_date(info, parent, status.st_mtime)
        self.record(info, Stored(folder, path.name, status.st_size, status.st_mtime_ns), sha256)

    def record(self, info: ObjectInfo, file: Stored, sha256: str | None) -> None:
        """Record a file of an object as it is stored. Never raises."""
        if self._catalog is not None:
            item = fetched_of(self._identity, info, sha256, int(time.time()))
            if not item.size:  # it may have been recorded still: more of it is another size
                item = replace(item, size=file.size)
            with self._flushing:
                self._pending.append((item, file))
                is_due = time.monotonic() - self._flushed >= FLUSH_S
            if is_due or len(self._pending) >= FLUSH_COUNT:
                self._flush(self._catalog)

    def _flush(self, catalog: Catalog) -> None:
        with self._flushing:
            pending, self._pending = self._pending, []
            self._flushed = time.monotonic()
        if pending and not catalog.store(pending):
            self._unwritten += pending

    def _check_date(self, info: ObjectInfo, folder: Path, modified: float) -> None:
        moment = capture_time(info)
        undated = moment is not None and not is_same_time(moment, modified)
        if undated and folder not in self._dateless:
            self._dateless.add(folder)
            self.notes.append(
                f"{folder} does not keep the dates of pictures. The files there are known again "
                "only by the history on this computer."
            )


def is_object(item: Fetched, info: ObjectInfo) -> bool:
    """Return whether a record has the path, size and date of an object."""
    # A camera may have failed to describe some of the folders: then the path lacks its beginning.
    one, other = item.path.strip("/"), info.path.strip("/")
    if not f"/{one}".endswith(f"/{other}") and not f"/{other}".endswith(f"/{one}"):
        return False
    if item.path.rpartition("/")[2] != info.path.rpartition("/")[2]:
        return False
    if item.size and info.size and (item.size - info.size) % FOUR_GIB:
        return False
    captured = wall_clock(info.captured)
    if item.captured or captured:
        return item.captured == captured
    return item.modified == wall_clock(info.modified)


def _endings(path: str) -> Iterator[str]:
    """Yield a path, and it without its first folders: those may not have been described."""
    while path:
        yield path
        path = path.partition("/")[2]


def _is_described(info: ObjectInfo) -> bool:
    """Return whether more than its name tells an object from another one."""
    return bool(info.size or info.captured or info.modified)


def _is_as_stored(stored: Stored, entry: Entry) -> bool:
    return stored.size == entry.size and stored.is_time(is_same_clock, entry.modified)


def _is_then(item: Fetched, moment: float) -> bool:
    # Not by whole quarter hours, as a file in the folder is known: another picture with the same
    # name and size may be that far away, and would never be fetched.
    try:
        return is_same_time(datetime.fromisoformat(item.captured).timestamp(), moment)
    except (ValueError, OverflowError, OSError):
        return False


def _key(info: ObjectInfo) -> Key:
    return info.storage_id, info.path, info.size, wall_clock(info.captured)
