"""The deletion of objects on the camera, each only after its files are proven.

The file and every copy, read from the disk, must have the SHA-256 of the bytes that the camera sent
in this run. The object must end where the file does. `proven` is noted on the disk. The handle must
still be this object's, and not protected. Then DeleteObject is sent. The handle must be gone, and
`aftermath` checks the other objects. `deleted`, or the reason why it was left, is noted.

A file of an earlier run is known by name, size and date only. This proves nothing, so the camera's
object is read again. After a lost connection no deletion is repeated without a check that the
object still exists.
"""

from __future__ import annotations

import logging
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from ...engine.sink import CallbackSink
from ...engine.text import in_text
from ...link.patience import BUSY_S, Patience
from ...listing import describe_one
from ...ownership.sameness import are_same
from ...ptp.errors import (
    DeviceBusy,
    InvalidObjectHandle,
    ObjectWriteProtected,
    ProtocolError,
    PTPError,
    ResponseError,
    SinkError,
    TransferError,
    Unreadable,
    Unsupported,
)
from ...ptp.words import meaning_of
from ...transfer import ObjectReader
from ...transfer.hashing import new_hash
from ...transfer.journal import Identity
from ..report.results import ALREADY_HERE
from .aftermath import STILL_THERE, Aftermath
from .deletion_journal import DeletionJournal
from .endings import why_not_the_end
from .on_disk import check_found, check_kept
from .volatile import Lasting

if TYPE_CHECKING:
    from pathlib import Path

    from ...listing import Listing
    from ...ptp.objects import ObjectInfo
    from ...session.persistence import Persistence
    from ..report.report import Report
    from ..report.results import FileResult
    from .deletion_journal import What

log: logging.Logger = logging.getLogger("ptpfast")

PROTECTED = "protected on the camera"
GONE = "no longer on the camera"
CHANGED = "its handle belongs to another object now"
INTERRUPTED = "interrupted; the next run checks whether it is gone"
UNSEEN = "the camera confirmed the deletion but cannot be asked; the next run checks"
NOT_AS_ASKED = "not deleted as asked"  # what the camera has done is not known
LATE_S = 1.0  # some bodies answer before they have deleted
COPY_MISSING = "not every copy is proven"
UNNOTED = "the deletion cannot be logged"
SIZE_UNKNOWN = "its size is unknown, so it may be incomplete"

# Nothing, and to DeleteObject everything there is (ISO 15740).
_NO_OBJECT = (0, 0xFFFFFFFF)


class Deletion:
    """The deletions of a run. A connection that stays lost ends the run (NetworkError). If the
    journal cannot be written, nothing more is deleted, and `check` raises the error."""

    def __init__(
        self, persistence: Persistence, listing: Listing, report: Report, chunk: int | None
    ) -> None:
        """Take the listing of the run."""
        session = persistence.session
        self._session = session
        self._persistence = persistence
        self._listing = listing
        self._journal = self._new_journal(report.destination)
        self._report = report
        self._chunk = chunk
        self._whole: set[int] = set()  # handles of what was read as a whole, which has an end
        self._asked: set[int] = set()  # handles whose objects may be gone
        self._aftermath = Aftermath(session, persistence)
        self._camera = session.device_info.body
        self._lasting = Lasting()
        self._unnoted: SinkError | None = None
        try:
            self._journal.check()
        except SinkError as error:
            self._unnoted = error

    def _new_journal(self, destination: Path) -> DeletionJournal:
        return DeletionJournal(destination)

    def _size_of(self, path: Path) -> int:
        """Return the size of a file now. OSError."""
        return path.stat().st_size

    def exempt(self, info: ObjectInfo) -> str:
        """Return why an object must not be deleted even if it is proven; '' if it may be."""
        if self._unnoted is not None:
            return UNNOTED
        if self._aftermath.stopped:
            return self._aftermath.stopped
        # What is remembered may be of before the button was pressed.
        if info.protected and (not info.remembered or self._is_protected(info)):
            return PROTECTED
        if not info.size:  # some bodies say 0 for what is large
            return SIZE_UNKNOWN
        if info.handle in _NO_OBJECT:
            return "its handle stands for more than one object"
        if not self._session.link.dialect.deletes:
            return "the camera does not offer to delete"
        return self._session.link.dialect.undeletable(info.handle)

    def _is_protected(self, info: ObjectInfo) -> bool:
        def look() -> bool:
            return describe_one(self._session.link, info.handle).protection != 0

        try:
            return self._persistence.run(look, lambda: 0)
        except (ResponseError, TransferError):
            return True

    def read_again(self, info: ObjectInfo) -> str:
        """Return the SHA-256 of the object as the camera sends it now.

        Raises:
            ResponseError, TransferError: it cannot be read.
        """

        def read() -> str:
            self._session.camera.compare(info)
            reader = ObjectReader(self._session.camera, info, chunk=self._chunk)
            reader.find_end()
            found = new_hash("sha256")
            sink = CallbackSink(found.update)
            began = time.monotonic()
            with self._session.link.dialect.reading(info):
                try:
                    reader.read(sink)
                finally:
                    self._report.traffic.bytes += sink.position
                    self._report.traffic.seconds += time.monotonic() - began
                sink.finish()
                reader.confirm_end()
            if not reader.chunks:
                self._whole.add(info.handle)
            return str(found.hexdigest())

        return self._persistence.read(read, lambda: 0)

    def delete(self, result: FileResult, sent: str) -> None:
        """Delete the object of a result if its file and copies on the disk have the SHA-256 `sent`.

        The outcome is added to the result.
        """
        info = result.object
        assert info is not None
        if not self._proven(result, sent):
            return
        parts = result.transfer.chunks if result.transfer is not None else ()
        in_parts = bool(parts) or (result.transfer is None and info.handle not in self._whole)
        assert result.path is not None
        paths, session = [result.path, *(copy.path for copy in result.copies)], self._session
        result.left = (
            self._aftermath.stopped
            or self._lasting.why_not(paths)
            or why_not_the_end(
                session,
                self._persistence,
                info,
                partial(self._size_of, result.path),
                in_parts=in_parts,
            )
        )
        if result.left:
            return
        identity = Identity.of(self._camera, info)
        copies = [in_text(os.path.abspath(copy.path)) for copy in result.copies]
        file = in_text(os.fspath(result.path.relative_to(self._report.destination)))
        more = {"sha256": sent, "file": file, "copies": copies, "storage": info.storage_id}
        if not self._note("proven", identity, **more):
            result.left = UNNOTED
            return
        result.left = INTERRUPTED  # until it is known better
        result.left = self._ask(info)
        result.deleted = not result.left
        if result.deleted:
            self._note("deleted", identity)
        elif result.left not in (INTERRUPTED, UNSEEN):
            self._note("left", identity, reason=result.left)
        if result.left in ("", STILL_THERE) or result.left.startswith(NOT_AS_ASKED):
            self._tell_vanished(self._aftermath.after(result.left, self._is_folder))

    def _note(self, what: What, identity: Identity, **more: Any) -> bool:
        """Write an entry to the disk; return whether that succeeded."""
        if self._unnoted is None:
            try:
                self._journal.note(what, identity, **more)
            except SinkError as error:
                self._unnoted = error
        return self._unnoted is None

    def check(self) -> None:
        """Raise SinkError if an entry of this run could not be written."""
        if self._unnoted is not None:
            raise self._unnoted

    def _is_folder(self, handle: int) -> bool:
        """Return whether it was a folder: some bodies remove a folder with its last picture."""
        known = self._listing.known(handle)
        return known is not None and known.is_folder

    def _tell_vanished(self, handles: list[int]) -> None:
        for handle in handles:
            known = self._listing.known(handle)
            name = f"object 0x{handle:X}" if known is None else known.name
            log.warning("%s vanished from the camera, which was not asked to delete it", name)
            self._report.vanished.append(name)
        self._asked.update(handles)  # what is kept of the camera does not have them, either

    def look_after(self) -> None:
        """Find objects that vanished unasked, and complete the log of interrupted deletions.

        Objects that still exist wait until they are proven again.
        """
        self._tell_vanished(self._aftermath.compare(self._is_folder))
        seen = {
            Identity.of(self._camera, result.object)
            for result in self._report.files
            if result.object is not None and not (result.deleted or result.object.remembered)
        }
        for identity, storage_id in self._journal.pending_here(self._camera):
            if identity in seen:
                continue
            try:
                gone = self._persistence.run(partial(self._is_gone, identity, storage_id))
            except (ResponseError, ProtocolError) as error:
                if not self._session.usable:
                    raise
                log.debug("whether %s is deleted cannot be told: %s", identity.name, error)
                continue
            if gone and self._note("gone", identity):
                log.info("%s is gone; an earlier run had begun to delete it", identity.name)
                self._report.clearing.found_gone += 1

    def _forget_index(self, doomed: int) -> None:
        """Delete the index before the first deletion.

        Otherwise a new picture with the handle of a deleted one would be taken for it.
        """
        is_first = not self._asked
        self._asked.add(doomed)
        if is_first:
            self._listing.withdraw()

    def renew_index(self) -> None:
        """Store the index again, without the deleted objects. Takes a few requests."""
        index = self._session.index
        if index is None or not self._asked:
            return
        try:
            self._listing.restore(without=self._asked)
            for _ in self._session.listing().pieces():
                pass
        except PTPError as error:
            log.debug("what is kept of the camera is forgotten, after: %s", error)
            index.forget()

    def _is_gone(self, identity: Identity, storage_id: int | None) -> bool:
        try:
            info = self._session.object_info(identity.handle)
        except InvalidObjectHandle:
            return self._has_storage(storage_id)
        return Identity.of(self._camera, info) != identity

    def _has_storage(self, storage_id: int | None) -> bool:
        """Whether the camera lists that storage, or any where it is not known which: without its
        card every object seems to be gone."""
        try:
            found = self._session.storage_ids()
        except (ResponseError, ProtocolError) as error:
            if not self._session.usable:
                raise
            log.debug("which cards there are cannot be told: %s", error)
            return False
        return bool(found) if storage_id is None else storage_id in found

    def holds(self, result: FileResult, sent: str) -> bool:
        """Return whether a result's file has that SHA-256 on the disk; else mark it failed."""
        assert result.path is not None
        try:
            if result.reason == ALREADY_HERE:
                check_found(result.path, sent)
            else:
                check_kept(result.path, sent)
        except (PTPError, OSError) as error:
            result.status, result.reason, result.error = "failed", str(error), error
            result.left = "the file here is not proven"
            return False
        return True

    def _proven(self, result: FileResult, sent: str) -> bool:
        """Return whether the file and all copies are separate files with that SHA-256."""
        assert result.path is not None
        if not self.holds(result, sent):
            return False
        others = [result.path]
        for copy in result.copies:
            if copy.status == "failed":
                result.left = COPY_MISSING
                continue
            try:
                check_kept(copy.path, sent)
                if any(are_same(copy.path, other.stat) for other in others):
                    raise TransferError(f"{copy.path} is one file with another copy")
                others.append(copy.path)
            except (PTPError, OSError) as error:
                copy.status, copy.reason, copy.error = "failed", str(error), error
                result.left = COPY_MISSING
        return not result.left

    def _ask(self, info: ObjectInfo) -> str:
        """Delete the object; return '' or the reason why it was left."""
        asked = answered = False

        def look() -> str | None:
            """Why it is not to be deleted, '' when it already is, None when it can be."""
            try:
                now = describe_one(self._session.link, info.handle)
            except InvalidObjectHandle:
                if not asked:
                    return GONE
                # Without an answer it may be gone all the same, or its card not to be seen yet.
                unseen = UNSEEN if answered else INTERRUPTED
                return "" if self._has_storage(info.storage_id) else unseen
            if answered:
                return STILL_THERE if now.agrees_with(info) else ""
            if not now.agrees_with(info):
                return f"{CHANGED}; whether it was deleted is not known" if asked else CHANGED
            return PROTECTED if now.protection else None

        def attempt() -> str:
            nonlocal asked, answered
            if not answered:
                if (outcome := look()) is not None:
                    return outcome
                self._aftermath.before(info.handle)
                asked = True
                self._forget_index(info.handle)
                self._session.delete(info.handle, busy_s=0)
                answered = True
            patience = Patience(LATE_S)
            while (outcome := look()) == STILL_THERE and not patience.is_used_up:
                patience.wait(TransferError(STILL_THERE))
            return outcome or ""

        def patiently() -> str:
            """Ask a busy camera again, and check the object before each attempt."""
            patience = self._session.link.patience(BUSY_S)
            while True:
                try:
                    return attempt()
                except DeviceBusy as error:
                    patience.wait(error)

        try:
            try:
                return self._persistence.delete(patiently)
            except Unreadable as error:  # the session has reconnected
                outcome = self._persistence.run(look)
                return error.message if outcome is None else outcome
        except ObjectWriteProtected:
            return PROTECTED
        except ResponseError as error:
            return UNSEEN if answered else f"the camera refused: {meaning_of(error.code)}"
        except (ProtocolError, TransferError, Unsupported) as error:
            if not self._session.usable:
                raise
            if isinstance(error, TransferError):  # it was asked, and has not done this
                return f"{NOT_AS_ASKED}: {error.message}"
            return UNSEEN if answered else error.message
