"""The measured settings of camera models: pipeline depth and chunk size.

They are in a readable file in the user's configuration folder, one entry for each model and
firmware. The file is untrusted input: malformed entries are ignored. A file that cannot be read is
never replaced, because a user may have written it by hand. `measure.tuner` measures; a vendor's
file has settings for all users.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..ownership import files
from ..ownership.folders import make
from ..ownership.names import TUNINGS_NAME
from ..ownership.readback import read_back
from ..ptp.datasets import DeviceInfo
from ..ptp.errors import SinkError
from ..vendors import Tuning
from .places import user_folder

log: logging.Logger = logging.getLogger("ptpfast")

MAX_FILE_SIZE = 1 << 20
DISTRUSTED = "cannot handle pipelined requests"  # how the note of such a model begins


def path() -> Path:
    """Return the path of `cameras.json`, below PTPFAST_CONFIG or the configuration folder."""
    mac = "Library/Application Support"
    return user_folder("PTPFAST_CONFIG", mac, "XDG_CONFIG_HOME", ".config") / TUNINGS_NAME


def model_key(info: DeviceInfo) -> str:
    """Return the key of an entry: maker, model and firmware."""
    return f"{info.manufacturer} {info.model} {info.device_version}".strip()


def load(info: DeviceInfo) -> Tuning | None:
    """Return the entry of this model and firmware; None without one."""
    return entries().get(model_key(info))


def entries() -> dict[str, Tuning | None]:
    """Return all entries by `model_key`; None for an entry that cannot be used."""
    return {key: _sane(entry) for key, entry in _read().items()}


def _sane(entry: Any) -> Tuning | None:
    try:
        tuning = Tuning(**entry)
    except TypeError:
        return None
    return tuning if tuning.is_sane() else None


def save(info: DeviceInfo, tuning: Tuning) -> Path:
    """Add or replace the entry of this model, and return the path of the file.

    Raises:
        OSError: the file cannot be written, or its content cannot be read and would be lost.
    """
    return _write({**_kept(), model_key(info): asdict(tuning)})


def check() -> None:
    """Look whether `save` could add an entry to what is there. OSError."""
    _kept()


def forget(key: str) -> Path:
    """Delete an entry, if there is one, and return the path of the file. OSError."""
    kept = _kept()
    kept.pop(key, None)
    return _write(kept)


def _write(kept: dict[str, Any]) -> Path:
    try:
        file = path()
    except RuntimeError as error:  # a user without a home folder
        raise OSError(str(error)) from error
    make(file.parent)
    text = json.dumps(kept, indent=2, sort_keys=True) + "\n"  # in ASCII: models are the camera's
    try:
        with files.open_ours(os.fspath(file)) as held:
            mode = os.fstat(held.number).st_mode & 0o777
    except FileNotFoundError:
        mode = None
    with files.replacing(file, _holds_tunings, key=str(os.getpid())) as new:
        if mode is not None:
            files.permit(new, mode)
        with open(new, "w", encoding="ascii", closefd=False) as stream:
            stream.write(text)
    return file


def _holds_tunings(fd: int) -> bool:
    """Whether the file is what a killed process of this number has left of one."""
    return b"{\n".startswith(os.pread(fd, 2, 0).rstrip(b"\0"))


def distrust(info: DeviceInfo, known: Tuning, why: str) -> None:
    """Remember that a model cannot handle pipelined requests. Never raises."""
    if known.depth == 1 and known.note.startswith(DISTRUSTED):
        return  # already; the user has asked for this depth all the same
    gain = known.gain if known.depth == 1 else 1.0  # it is that of the chunk, or of both
    try:
        note = f"{DISTRUSTED}: {why}"
        file = save(info, replace(known, depth=1, gain=gain, note=note))
    except OSError as error:
        log.warning("cannot remember it: %s", error)
    else:
        log.info("%s: %s; remembered in %s", model_key(info), DISTRUSTED, file)


def _read() -> dict[str, Any]:
    """All that is kept; nothing when it cannot be read."""
    try:
        return _kept()
    except OSError:
        return {}


def _kept() -> dict[str, Any]:
    """All that is kept. OSError when there is a file, and it is not what this module writes."""
    try:
        file = path()
    except RuntimeError as error:  # a user without a home folder
        raise OSError(str(error)) from error
    try:
        content = read_back(file, MAX_FILE_SIZE + 1)
    except FileNotFoundError:
        return {}
    if len(content) > MAX_FILE_SIZE:
        raise _unreadable(file, "it is too large")
    if not content.strip(b"\0 \t\r\n"):  # a power cut leaves zeros
        return {}
    try:
        entries = json.loads(content)
    except json.JSONDecodeError as error:
        why = f"it is not valid JSON (line {error.lineno}, column {error.colno})"
        raise _unreadable(file, why) from error
    except (ValueError, RecursionError) as error:  # no UTF-8, endless digits, too deep
        raise _unreadable(file, "it is not readable JSON") from error
    if not isinstance(entries, dict):
        raise _unreadable(file, "it is not a JSON object")
    return entries


def _unreadable(file: Path, why: str) -> SinkError:
    return SinkError(
        f"cannot add to {file}: {why}",
        errno=errno.EINVAL,
        hint="repair it, or move it away",
    )
