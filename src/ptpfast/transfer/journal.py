"""The note beside a part file that says whose bytes are in it.

The part file's length tells how much is there; the journal tells of which object of which camera,
so that another run continues it only when that is certain. It is read back as untrusted input:
anything odd about it means "start anew".
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

from ..objects import ObjectInfo

SCHEMA = 1
PART_SUFFIX = ".part"
MAX_JOURNAL_SIZE = 1 << 16


@dataclass(frozen=True)
class Identity:
    """What must be equal for bytes to be of the same object: camera, place on the card, size,
    date."""

    camera: str  # manufacturer, model and serial number
    handle: int
    path: str
    size: int | None
    captured: str

    @classmethod
    def of(cls, camera: str, info: ObjectInfo) -> Identity:
        """The identity of a listed object."""
        captured = info.captured.isoformat() if info.captured else ""
        return cls(camera, info.handle, info.path, info.size, captured)


def part_path(path: Path) -> Path:
    """Where the bytes of `path` gather until they are all there."""
    return path.with_name(path.name + PART_SUFFIX)


def journal_path(path: Path) -> Path:
    """The journal of `path`'s part file."""
    return path.with_name(path.name + ".part.json")


@dataclass(frozen=True)
class Proof:
    """The first `size` bytes of the part file have this SHA-256: that of what arrived, not of what
    was found on the disk later."""

    size: int
    sha256: str


def write(path: Path, identity: Identity, proof: Proof | None = None) -> None:
    """Puts the journal beside the part file of `path`, whole or not at all. OSError."""
    target = journal_path(path)
    temporary = target.with_name(target.name + ".new")
    known = {field.name: getattr(identity, field.name) for field in fields(identity)}
    proven = None if proof is None else {"size": proof.size, "sha256": proof.sha256}
    entry = json.dumps({"schema": SCHEMA, "object": known, "proof": proven}).encode()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC  # never through a link
    try:
        fd = os.open(temporary, flags, 0o666)
    except FileExistsError:
        temporary.unlink()
        fd = os.open(temporary, flags, 0o666)
    try:
        if os.write(fd, entry) != len(entry):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(fd)
    os.replace(temporary, target)


def read(path: Path) -> tuple[Identity | None, Proof | None]:
    """What the journal of `path`'s part file says; None for what cannot be trusted."""
    try:
        with journal_path(path).open("rb") as file:
            entry = json.loads(file.read(MAX_JOURNAL_SIZE))
        if not isinstance(entry, dict) or entry.get("schema") != SCHEMA:
            return None, None
        proof = entry.get("proof")
        return Identity(**entry["object"]), Proof(**proof) if proof else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None, None


def forget(path: Path) -> None:
    """Removes the journal; missing is fine."""
    journal_path(path).unlink(missing_ok=True)
