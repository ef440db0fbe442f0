"""Prove files on the disk by their SHA-256, before the camera's objects are deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...ptp.errors import TransferError
from ...transfer.verify import hash_from_disk

if TYPE_CHECKING:
    from pathlib import Path


def check_found(path: Path, sent: str) -> None:
    """Check a file that was here already.

    It may be of another camera: two bodies of one model can take pictures of one name and size in
    the same second.
    """
    if hash_from_disk(os.fspath(path)) != sent:
        raise TransferError(
            f"{path} has the name, size and date of this object but different content: it is from "
            "another camera, or damaged",
            hint="move the file away, then run it again; the camera keeps the object",
        )


def check_kept(path: Path, sent: str) -> None:
    """Check a file or copy that was written in this run.

    Raises:
        TransferError: it does not have that SHA-256 on the disk.
        SinkError: it cannot be read.
    """
    if hash_from_disk(os.fspath(path)) != sent:
        raise TransferError(
            f"{path} differs from the bytes that the camera sent; the object stays on the camera",
            hint="check the disk, move the file away, then fetch it again",
        )
