"""The note beside a part file that says whose bytes are in it.

The part file's length tells how much is there; the journal tells of which object of which camera,
so that another run continues it only when that is certain. It is read back as untrusted input:
anything odd about it means "start anew".
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ..objects import ObjectInfo

SCHEMA = 1
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
    return path.with_name(path.name + ".part")


def journal_path(path: Path) -> Path:
    """The journal of `path`'s part file."""
    return path.with_name(path.name + ".part.json")


def write(path: Path, identity: Identity) -> None:
    """Puts the journal beside the part file of `path`, whole or not at all. OSError."""
    target = journal_path(path)
    temporary = target.with_name(target.name + ".new")
    temporary.write_text(json.dumps({"schema": SCHEMA, **asdict(identity)}), encoding="utf-8")
    os.replace(temporary, target)


def read(path: Path) -> Identity | None:
    """The identity in the journal of `path`'s part file; None without one that can be trusted."""
    try:
        with journal_path(path).open("rb") as file:
            fields = json.loads(file.read(MAX_JOURNAL_SIZE))
        if not isinstance(fields, dict) or fields.pop("schema", None) != SCHEMA:
            return None
        return Identity(**fields)
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def forget(path: Path) -> None:
    """Removes the journal; missing is fine."""
    journal_path(path).unlink(missing_ok=True)
