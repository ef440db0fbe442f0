"""What is checked of a download before it gets its final name, each level with all before it.

size    announced, counted and stored bytes are as many
hash    the file, read back, has the digest (`hashing`) of what arrived
disk    the same, after the system has dropped its copy of the file in memory, where it can
reread  the camera's object, read a second time, has that digest too
"""

from __future__ import annotations

import os
from typing import Any

from ..engine.sink import CallbackSink
from ..ownership.readback import blocks, open_regular
from ..ptp.errors import TransferError, disk_error
from .hashing import algorithm_of, digest_of, new_hash
from .part import PartFile
from .reading import ObjectReader
from .syncing import sync_folder

# Whether it can: macOS does not, so that what is read there may come from memory.
FROM_DISK = hasattr(os, "posix_fadvise")
VERIFY = ("size", "hash", "disk", "reread")
BLOCK = 1 << 20


def hash_file(part: PartFile, size: int, hasher: Any) -> None:
    """Hash the first `size` bytes of a part file. SinkError."""
    at = 0
    try:
        while at < size and (block := os.pread(part.fd, min(BLOCK, size - at), at)):
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


def check_file(part: PartFile, size: int, arrived: str, name: str, *, from_disk: bool) -> None:
    """TransferError unless the file has the digest `arrived`; from_disk: and not only the system's
    copy of it in memory. Its data must have been synced."""
    if from_disk and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(part.fd, 0, 0, os.POSIX_FADV_DONTNEED)
    found = new_hash(algorithm_of(arrived))
    hash_file(part, size, found)
    if digest_of(found) != arrived:
        raise TransferError(
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


def check_camera(reader: ObjectReader, arrived: str, name: str) -> int:
    """TransferError unless the camera sends the same once more; how many bytes that moved."""
    again = new_hash(algorithm_of(arrived))
    sink = CallbackSink(again.update)
    moved = reader.read(sink)
    sink.finish()
    if digest_of(again) != arrived:
        raise TransferError(
            f"{name}: the camera sent different bytes when it was read again",
            hint="check the card, then run it again",
        )
    return moved
