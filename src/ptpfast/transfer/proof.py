"""The proof that bytes of a part file are those that were received.

The journal has the checksum of the first bytes as received. Another process reads them again and
compares, at every level of verification. A disk can lose pages, and another program can write into
the file.

A retry in the same process need not read the file. When a download ends early, the part file gets a
modification time in the past. Every later write changes it. So an unchanged time proves the
content.
"""

from __future__ import annotations

import logging
import os
import time
from typing import NamedTuple

from ..engine.sink import Checksum
from ..link.camera import Camera
from ..ownership.names import PART_SUFFIX
from ..ownership.readback import open_regular
from ..ptp.objects import ObjectInfo
from .ends import may_end_elsewhere
from .hashing import digest_of
from .journal import Found, Identity, Journal, Stamp
from .reading import ObjectReader

log: logging.Logger = logging.getLogger("ptpfast")

SEAL_S = 60.0  # so far back is the time that marks a part file as untouched
# A file that was changed so recently could be changed again without another time: filesystems count
# in steps of up to two seconds.
SETTLED_S = 3.0
LONGER = 16 << 32  # than described modulo 4 GiB; no more of a part file is read


class Proof(NamedTuple):
    """The checksum of bytes at the start of a part file that are as they were received.

    own: this process received all of them.
    """

    checksum: Checksum
    own: bool

    @property
    def size(self) -> int:
        """How many."""
        return self.checksum.size


# By path, what was proven before a download, so that it is not read twice.
_proven: dict[str, tuple[Stamp, Found, Proof]] = {}


def prove(path: str, descriptor: int, journal: Journal, most: int) -> Proof | None:
    """Return which bytes of the part file of `path` are certain; None if none are.

    Args:
        path: the final name.
        descriptor: the part file, open for reading.
        journal: the journal beside it.
        most: the size of the object.
    """
    if (found := journal.read()) is None:
        return None
    try:
        stamp = Stamp.of(descriptor)
    except OSError as error:
        log.debug("%s%s: %s", path, PART_SUFFIX, error)
        return None
    if (known := journal.left(stamp)) is not None:
        left, own = known
        return Proof(left.checksum.copy(), own)
    before = _proven.get(path)
    if before is not None and before[:2] == (stamp, found):
        proof = before[2]
    elif (read := _read(descriptor, min(stamp.size, most), found)) is not None:
        proof = read
    else:
        return None
    changed_s = max(stamp.modified_ns, stamp.changed_ns) / 1e9
    if time.time() - changed_s > SETTLED_S:
        _proven[path] = stamp, found, proof
    return Proof(proof.checksum.copy(), journal.is_own(digest_of(proof.checksum)))


def counted(camera: Camera, info: ObjectInfo, path: str | os.PathLike[str]) -> int:
    """Of the part file of `path`, how many bytes a download of that object goes on from, unless the
    camera's object is another one. It reads them. 0 if the camera reads nothing in parts."""
    if ObjectReader(camera, info).partial() is None:
        return 0
    path, identity = os.fspath(path), Identity.of(camera.link.device_info.body, info)
    # A download looks where such an object ends; it may be longer than described.
    most = (info.size or 0) + (LONGER if may_end_elsewhere(info) else 0)
    try:
        with open_regular(path + PART_SUFFIX) as held:
            proof = prove(path, held.number, Journal(path, identity), most)
    except OSError:
        return 0
    return proof.size if proof is not None and may_continue(proof, identity) else 0


def may_continue(proof: Proof, identity: Identity) -> bool:
    """Whether the bytes can be of that object, as far as can be told without the camera: one that
    says nothing of itself may be any, so only this process's own bytes count."""
    return proof.size > 0 and bool(identity.camera.strip() or proof.own)


def forget(path: str) -> None:
    """Drop the proof of a file that is about to change."""
    _proven.pop(path, None)


def seal(descriptor: int) -> Stamp | None:
    """Mark an open, flushed part file as untouched; None if its dates cannot be set."""
    past = time.time_ns() - int(SEAL_S * 1e9) - int.from_bytes(os.urandom(8), "little") % 10**9
    try:
        os.utime(descriptor, ns=(past, past))
        stamp = Stamp.of(descriptor)
    except OSError:
        return None
    # Some filesystems say yes and keep their own time.
    return stamp if abs(stamp.modified_ns - past) < SEAL_S / 2 * 1e9 else None


def _read(descriptor: int, most: int, found: Found) -> Proof | None:
    """Read the noted bytes, the smaller note first; the larger one that agrees counts."""
    if hasattr(os, "posix_fadvise"):  # what the disk has, not what the system remembers of it
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    checksum = Checksum()
    proof = None
    try:
        for size, digest in sorted(_usable(found, most)):
            checksum.read(descriptor, size)
            if digest_of(checksum) == digest:
                proof = Proof(checksum.copy(), False)
    except OSError as error:
        log.debug("the part file cannot be read back: %s", error)
    return proof


def _usable(found: Found, most: int) -> set[tuple[int, str]]:
    return {
        (size, digest)
        for size, digest in (found.kept, *found.arrived)
        if 0 < size <= most and digest is not None
    }
