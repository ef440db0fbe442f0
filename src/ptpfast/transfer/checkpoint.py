"""The safe part of a part file: on the disk, and recorded in its journal.

Received bytes are recorded often and without the disk: a killed process loses the bytes since. From
time to time they are flushed and then recorded, on another thread: a power cut loses the bytes
since. Each record has the checksum of the bytes as received. Bytes of an earlier run count only if
they still have it.
"""

from __future__ import annotations

import logging
import time
from functools import partial

from ..engine.sink import Checksum, FileSink
from ..ownership.sameness import stands_for
from ..ptp.errors import SinkError
from .flushing import Flush
from .hashing import digest_of
from .journal import NOTHING_KEPT, Journal, Kept, Left
from .part import PartFile
from .proof import Proof, seal

log: logging.Logger = logging.getLogger("ptpfast")

# How often what is there is flushed, if not in the middle of a partial read.
KEEP_S = 10.0
# The checksum is noted at the next progress after so many bytes and seconds, or later: this share
# of the time is what it may take.
NOTE_SIZE, NOTE_S, NOTE_SHARE = 1 << 18, 0.001, 1 / 100


class Checkpoint:
    """The checksum of one download, and what its journal says."""

    def __init__(self, part: PartFile, journal: Journal) -> None:
        self._part = part
        self._journal = journal
        self.checksum: Checksum = Checksum()  # of the received bytes
        self._sink: FileSink | None = None
        self._kept, self._kept_at = NOTHING_KEPT, 0.0  # what the journal says is on the disk
        self._noted, self._note_due, self._note_took = 0, 0.0, 0.0
        self._flush: Flush | None = None  # under way

    def go_on_from(self, proof: Proof) -> None:
        """Continue from bytes that an earlier run has left."""
        self.checksum = proof.checksum
        self._journal.goes_on_from(own=proof.own)
        known = self._journal.read()
        if known is not None and known.kept.size <= proof.size:
            self._kept = known.kept

    def open(self, size: int | None) -> FileSink:
        """Return a sink that continues the part file, of `size` bytes in the end. SinkError."""
        offset = self.checksum.size
        sink = self._sink = FileSink(
            self._part.path,
            descriptor=self._part.fd,
            offset=offset,
            size=size,
            checksum=self.checksum,
            before=self.keep if offset else None,
        )
        self._noted = offset
        self._kept_at = time.monotonic()
        sink.mark()
        return sink

    @property
    def sink(self) -> FileSink:
        """The sink that was opened."""
        assert self._sink is not None
        return self._sink

    def mark(self) -> None:
        """Have what comes from here on be taken back, if need be: a read has ended."""
        self.sink.mark()

    def update(self, *, can_keep: bool) -> None:
        """Note what has arrived, or begin to flush it, if that is due. can_keep: what is there may
        be flushed now. SinkError, also of the last flush."""
        now = time.monotonic()
        if self._flush is not None and self._flush.is_done:
            self.settle()
        if can_keep and self._flush is None and now - self._kept_at >= KEEP_S:
            kept = Kept(self.sink.position, digest_of(self.checksum))
            self._kept_at = now
            self._flush = Flush(partial(self._flush_and_note, kept))
            self._flush.start()
        elif now >= self._note_due and self.checksum.size - self._noted >= NOTE_SIZE:
            self._note_arrived()
            took = time.monotonic() - now
            usual = min(took, self._note_took or took)  # one that takes long may be a hiccup
            self._note_took = took
            self._note_due = now + took + max(NOTE_S, usual / NOTE_SHARE)

    def note(self) -> None:
        """Note what has arrived, without a flush. Never raises."""
        if self.checksum.size > self._noted:
            self._note_arrived()

    def keep(self) -> None:
        """Flush what is there, and then have the journal say so. SinkError."""
        self.settle()
        if self.sink.position:
            self._flush_and_note(Kept(self.sink.position, digest_of(self.checksum)))
        self._kept_at = time.monotonic()

    def settle(self) -> None:
        """Wait for a flush under way. SinkError if it has failed."""
        if (flush := self._flush) is not None:
            flush.wait()
            self._flush = None  # its error is raised once
            flush.settle()

    def wait(self) -> None:
        """Wait for a flush under way, before the file is closed or cut. It may have failed."""
        if self._flush is not None:
            self._flush.wait()

    def _flush_and_note(self, kept: Kept) -> None:
        """Flush the file, of which `kept` had arrived before, and then have the journal say so."""
        self._part.sync()
        self._kept = kept
        try:
            if stands_for(self._part.path, self._part.fd):
                # Else the folder was moved: in another one it would speak of no bytes.
                self._journal.renew(kept)
        except OSError as error:
            log.debug("the journal cannot be written: %s", error)

    def keep_if_possible(self) -> None:
        """Keep what there is after a failed download; take back what the disk has lost."""
        try:
            self.settle()
            if not self._part.lost:
                self.keep()
                self._leave(self.checksum)
        except SinkError as error:
            log.debug("%s", error)
        if self._part.lost:
            self.take_back_lost()

    def take_back_lost(self) -> None:
        """Drop what a failed flush may have lost."""
        self.wait()
        self.take_back(self._kept.size)

    def take_back(self, trusted: int) -> None:
        """Drop what a broken read has left behind the first `trusted` bytes; from the journal
        first, which must not speak of what is gone. With the checksum of the rest, the next run
        can go on there."""
        self.wait()
        size, checksum = self.sink.marked or (0, None)
        taken_back = self._kept.size > trusted
        if taken_back:
            self._kept = NOTHING_KEPT
        known = checksum if size == trusted else None
        arrived = None if known is None else Kept(trusted, digest_of(known))
        self._write(arrived, sync=taken_back)
        self._part.cut(trusted)
        if known is not None and not self._part.lost:
            self._part.sync()
            self._leave(known)

    def doubt(self) -> None:
        """Have the journal say whose the bytes are, and that none of them counts."""
        self.wait()
        try:
            self._journal.write(sync=True)
        except OSError as error:
            log.debug("the journal cannot be written: %s", error)
            self._part.cut(0)

    def _note_arrived(self) -> None:
        """In the journal and without the disk: after a power cut what is kept still counts."""
        self._noted = self.checksum.size
        try:
            self._journal.note(Kept(self._noted, digest_of(self.checksum)))
        except OSError as error:
            log.debug("the journal cannot be written: %s", error)

    def _write(self, arrived: Kept | None = None, *, sync: bool) -> None:
        """Write the journal again."""
        try:
            if not stands_for(self._part.path, self._part.fd):
                return  # the folder was moved: in another one it would speak of no bytes
            self._journal.write(self._kept, arrived, sync=sync)
            self._noted = self._kept.size if arrived is None else arrived.size
        except OSError as error:
            log.debug("the journal cannot be written: %s", error)

    def _leave(self, checksum: Checksum) -> None:
        """Leave a seal: a retry in this process then need not read the part file again."""
        if (stamp := seal(self._part.fd)) is not None and stamp.size == checksum.size:
            self._journal.leave(Left(stamp, checksum))
