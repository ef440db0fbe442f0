"""The chunk sizes that earlier sessions have found, by camera model and firmware.

They are in a small JSON file in the user's cache folder. The file is untrusted input. It may be
deleted at any time: the next session then finds the size again. A failure to write it is logged.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from ..ownership import files, folders
from ..ownership.names import CHUNKS_NAME
from ..ownership.readback import read_back
from ..ptp.datasets import DeviceInfo
from .tuning import model_key

log: logging.Logger = logging.getLogger("ptpfast")

MAX_FILE_SIZE = 1 << 16
MAX_MODELS = 256
LEAST, MOST = 1 << 16, 1 << 30  # bytes of a chunk


class Settled(NamedTuple):
    """The chunk size of a model.

    Attributes:
        chunk: Bytes of the first chunk.
        refused: The smallest size that the camera refused; 0 if none.
    """

    chunk: int
    refused: int = 0


def load(info: DeviceInfo) -> Settled | None:
    """Return the chunk size of this model and firmware; None if it is unknown."""
    return _sane(_read().get(model_key(info)))


def save(info: DeviceInfo, settled: Settled) -> None:
    """Remember the chunk size of this model and firmware. Never raises."""
    known = _read()
    key = model_key(info)
    if _sane(known.get(key)) == settled:
        return
    known.pop(key, None)
    known[key] = list(settled)  # the newest last
    while len(known) > MAX_MODELS:
        known.pop(next(iter(known)))
    try:
        path = _path()
        folders.make(path.parent, 0o700)
        key = f"{os.getpid()}-{threading.get_ident()}"
        with files.replacing(path, _holds_chunks, key=key) as new:
            os.write(new, (json.dumps(known) + "\n").encode())
    except (OSError, RuntimeError) as error:
        log.debug("the chunk size is not remembered: %s", error)


def _path() -> Path:
    """RuntimeError for a user without a home."""
    from .index import folder  # not at once: it would be a good part of `import ptpfast`

    return folder() / CHUNKS_NAME


def _read() -> dict[str, Any]:
    try:
        content = json.loads(read_back(_path(), MAX_FILE_SIZE))
    except (OSError, RuntimeError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _sane(entry: Any) -> Settled | None:
    if not isinstance(entry, list) or len(entry) != 2:
        return None
    if not all(type(number) is int for number in entry):
        return None
    chunk, refused = entry
    is_sane = LEAST <= chunk <= MOST and (not refused or LEAST < refused <= MOST)
    return Settled(chunk, refused) if is_sane else None


def _holds_chunks(fd: int) -> bool:
    """Return whether the file is one of these, or what a killed process has left of one."""
    return b"{".startswith(os.pread(fd, 1, 0).rstrip(b"\0"))
