"""Checks of a download before it gets its final name; each level includes those before it.

size    the announced, received and stored sizes are equal
hash    the file, read back, equals the received bytes; it gets a digest (`hashing`)
disk    the same, after the system has dropped its copy of the file from memory, where it can
reread  the object, read from the camera a second time, equals the received bytes

Received bytes are compared by the 128-bit checksum that every download takes while it writes. The
slower SHA-256 is taken of the file as it is read back, so that it never holds up the camera.
"""

from __future__ import annotations

import os
from typing import Any, Literal, get_args

from ..engine.sink import CallbackSink, Checksum
from ..ownership.readback import blocks, open_regular
from ..ptp.errors import TransferError, disk_error
from .hashing import algorithm_of, digest_of, new_hash
from .part import PartFile
from .reading import ObjectReader
from .syncing import sync_folder

# Whether it can: macOS does not, so that what is read there may come from memory.
FROM_DISK = hasattr(os, "posix_fadvise")
Verify = Literal["size", "hash", "disk", "reread"]
VERIFY: tuple[Verify, ...] = get_args(Verify)
BLOCK = 1 << 20


def _read_back(part: PartFile, size: int, *hashers: Any, from_disk: bool) -> None:
    """Hash the first `size` bytes of a flushed part file. SinkError.

    from_disk: drop the system's copy in memory first.
    """
    at = 0
    try:
        if from_disk and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(part.fd, 0, 0, os.POSIX_FADV_DONTNEED)
        while at < size and (block := os.pread(part.fd, min(BLOCK, size - at), at)):
            for hasher in hashers:
                hasher.update(block)
            at += len(block)
    except OSError as error:
        raise disk_error("read back", part.path, error) from error


def check_size(part: PartFile, received: int, listed: int | None, name: str) -> None:
    """TransferError unless as much is stored as came, and as much came as was listed."""
    stored = part.length
    if stored != received or (listed is not None and received != listed):
        raise TransferError(
            f"{name}: {stored:,} bytes stored, {received:,} received, "
            f"{listed or 'an unknown number'} listed by the camera",
            received=stored,
        )


def check_received(
    part: PartFile, received: Checksum, algorithm: str, name: str, *, from_disk: bool
) -> str:
    """Return the digest of a flushed part file. TransferError unless it has the checksum of the
    received bytes."""
    found, digest = Checksum(), new_hash(algorithm)
    _read_back(part, received.size, found, digest, from_disk=from_disk)
    if found.hexdigest() != received.hexdigest():
        raise _differs(name)
    return digest_of(digest)


def check_copy(part: PartFile, size: int, digest: str, name: str) -> None:
    """Raise TransferError unless the disk has a file with that digest. It must be flushed."""
    found = new_hash(algorithm_of(digest))
    _read_back(part, size, found, from_disk=True)
    if digest_of(found) != digest:
        raise _differs(name)


def _differs(name: str) -> TransferError:
    return TransferError(
        f"{name}: the file on the disk differs from the received bytes",
        hint="check the disk, then run it again",
    )


def hash_from_disk(path: str) -> str:
    """SHA-256, in hex, of a finished file as the disk has it: file and folder are synced and the
    system's copy in memory is dropped before it is read. SinkError, also for what is no regular
    file."""
    found = new_hash("sha256")
    try:
        with open_regular(path) as held:
            fd = held.number
            os.fsync(fd)
            sync_folder(os.path.dirname(path) or ".", strict=True)
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            for block in blocks(held):
                found.update(block)
    except OSError as error:
        raise disk_error("read back", path, error) from error
    return str(found.hexdigest())


def check_camera(reader: ObjectReader, received: Checksum, name: str) -> int:
    """Raise TransferError unless the camera sends the same bytes again; return how many it sent."""
    again = Checksum()
    sink = CallbackSink(again.update)
    moved = reader.read(sink)
    sink.finish()
    if again.hexdigest() != received.hexdigest():
        raise TransferError(
            f"{name}: the camera sent different bytes when it was read again",
            hint="check the card, then run it again",
        )
    return moved
