"""Who this computer is to cameras, and the cameras that know it: `identity.json`.

It is in the user's configuration folder, readable by the user alone, because a GUID lets its
owner in. Cameras tie an approval to GUID and name, so both are kept from the first pairing on. The
file is untrusted input: every value is judged, and a malformed entry is left out. A file that
cannot be read is never replaced.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ..engine.text import printable
from ..ownership import files
from ..ownership.folders import make, turn
from ..ownership.names import IDENTITY_NAME
from ..ownership.readback import read_back
from ..ptp.errors import SinkError
from .places import user_folder

log: logging.Logger = logging.getLogger("ptpfast")

MAX_FILE_SIZE = 1 << 20
MOST_CAMERAS = 1000
TURN_S = 5.0  # for another run that writes
NICKNAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_HOST = re.compile(r"[\w.:%-]{1,255}")
_GUID = re.compile(r"[0-9a-f]{32}")
_MAX_NAME = 39  # characters that the handshake keeps


@dataclass(frozen=True)
class Known:
    """A camera that has let this computer in.

    Attributes:
        nickname: The name that its user has given it; may be empty.
        host: Its address.
        port: Its TCP port.
        vendor: The vendor's name.
        model: Its model.
        serial_number: Its serial number.
        guid: Its GUID in hexadecimal.
        approved: When it has let this computer in, by the clock of this computer, as ISO 8601.
    """

    nickname: str
    host: str
    port: int
    vendor: str = ""
    model: str = ""
    serial_number: str = ""
    guid: str = ""
    approved: str = ""

    def is_same(self, other: Known) -> bool:
        """Return whether both are one camera, as far as it can be told."""
        if self.serial_number and other.serial_number:
            return (self.model, self.serial_number) == (other.model, other.serial_number)
        return (self.host, self.port) == (other.host, other.port)


@dataclass(frozen=True)
class Kept:
    """What the file has.

    Attributes:
        guid: The GUID of this computer; empty if none is kept yet.
        name: The name of this computer; empty if none is kept yet.
        cameras: The cameras that know it.
    """

    guid: bytes = b""
    name: str = ""
    cameras: tuple[Known, ...] = field(default_factory=tuple)


def path() -> Path:
    """Return the path of the file. RuntimeError for a user without a home."""
    mac = "Library/Application Support"
    return user_folder("PTPFAST_CONFIG", mac, "XDG_CONFIG_HOME", ".config") / IDENTITY_NAME


def load() -> Kept:
    """Return what is kept; nothing if the file is missing or cannot be read."""
    try:
        return _read()
    except OSError as error:
        log.warning("the identity of this computer is not used: %s", error)
        return Kept()


def own() -> tuple[bytes, str] | None:
    """Return GUID and name of this computer; None if none are kept."""
    kept = load()
    return (kept.guid, kept.name) if kept.guid and kept.name else None


def find(nickname: str) -> Known | None:
    """Return the camera with a nickname, in any case."""
    if not NICKNAME.fullmatch(nickname):
        return None
    named = (each for each in load().cameras if each.nickname)
    return next((each for each in named if each.nickname.lower() == nickname.lower()), None)


def change(edit: Callable[[Kept], Kept]) -> Path:
    """Replace what is kept by what `edit` makes of it, and return the path of the file.

    Raises:
        OSError: the file cannot be read or written.
    """
    try:
        file = path()
    except RuntimeError as error:  # a user without a home folder
        raise OSError(str(error)) from error
    make(file.parent, 0o700)
    with turn(file.parent, TURN_S):
        kept = edit(_read())
        content = {
            "guid": kept.guid.hex(),
            "name": kept.name,
            "cameras": [asdict(each) for each in kept.cameras[-MOST_CAMERAS:]],
        }
        text = json.dumps(content, indent=2) + "\n"
        with (
            files.replacing(file, _holds_identity, key=str(os.getpid()), mode=0o600) as new,
            open(new, "w", encoding="ascii", closefd=False) as stream,
        ):
            stream.write(text)
    return file


def keep(guid: bytes, name: str) -> Path:
    """Keep GUID and name of this computer. OSError. No camera has accepted a new GUID yet."""

    def edit(kept: Kept) -> Kept:
        cameras = kept.cameras
        if kept.guid not in (b"", guid):
            cameras = tuple(replace(each, approved="") for each in cameras)
        return Kept(guid, name, cameras)

    return change(edit)


def remember(camera: Known, guid: bytes, name: str) -> Path:
    """Keep a camera that has let this computer in under this GUID and name. OSError.

    A camera that is known already keeps its nickname, unless it has a new one. A nickname that
    another camera has moves.
    """

    def edit(kept: Kept) -> Kept:
        before = next((each for each in kept.cameras if each.is_same(camera)), None)
        nickname = camera.nickname or (before.nickname if before else "")
        rest = []
        for each in kept.cameras:
            if each.is_same(camera):
                continue
            taken = nickname and each.nickname.lower() == nickname.lower()
            rest.append(replace(each, nickname="") if taken else each)
        return Kept(guid, name, (*rest, replace(camera, nickname=nickname)))

    return change(edit)


def at(host: str) -> Known | None:
    """Return the camera that was last at an address."""
    return next((each for each in reversed(load().cameras) if each.host == host), None)


def forget(nickname: str) -> bool:
    """Forget a camera by its nickname or address; return whether it was known. OSError."""
    word = nickname.lower()
    gone: list[Known] = []

    def edit(kept: Kept) -> Kept:
        gone.extend(each for each in kept.cameras if word in (each.nickname.lower(), each.host))
        return replace(kept, cameras=tuple(each for each in kept.cameras if each not in gone))

    change(edit)
    return bool(gone)


def _read() -> Kept:
    """Return what is kept. OSError if there is a file, and it is not what this module writes."""
    try:
        file = path()
        content = read_back(file, MAX_FILE_SIZE + 1)
    except FileNotFoundError:
        return Kept()
    except RuntimeError as error:  # a user without a home folder
        raise OSError(str(error)) from error
    if not content.strip(b"\0 \t\r\n"):  # a power cut leaves zeros
        return Kept()
    if len(content) > MAX_FILE_SIZE:
        raise _unreadable(file, "it is too large")
    try:
        kept = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _unreadable(file, "it is not valid JSON") from error
    if not isinstance(kept, dict):
        raise _unreadable(file, "it is not a JSON object")
    return _judged(kept)


def _unreadable(file: Path, why: str) -> SinkError:
    hint = "repair it, or move it away and pair the cameras again"
    return SinkError(f"cannot use {file}: {why}", errno=errno.EINVAL, hint=hint)


def _judged(kept: dict[str, Any]) -> Kept:
    guid, name, cameras = kept.get("guid"), kept.get("name"), kept.get("cameras")
    known = [_known(each) for each in cameras[:MOST_CAMERAS]] if isinstance(cameras, list) else []
    sane = tuple(each for each in known if each is not None)
    has_guid = isinstance(guid, str) and _GUID.fullmatch(guid) is not None and bool(int(guid, 16))
    if not has_guid or not isinstance(name, str) or not _is_shown(name, _MAX_NAME) or not name:
        return Kept(cameras=sane)
    return Kept(bytes.fromhex(str(guid)), name, sane)


def _known(entry: Any) -> Known | None:
    """Return a camera; None if any of its values cannot be."""
    if not isinstance(entry, dict) or not entry.keys() <= {each.name for each in fields(Known)}:
        return None
    try:
        camera = Known(**entry)
    except TypeError:
        return None
    texts = {name: value for name, value in asdict(camera).items() if name != "port"}
    if not all(isinstance(text, str) and _is_shown(text, 255) for text in texts.values()):
        return None
    if type(camera.port) is not int or not 0 < camera.port < 1 << 16:
        return None
    if not _HOST.fullmatch(camera.host) or camera.host.startswith("-"):
        return None
    if camera.nickname and not NICKNAME.fullmatch(camera.nickname):
        return None
    return camera


def _is_shown(text: str, longest: int) -> bool:
    return len(text) <= longest and printable(text) == text


def _holds_identity(fd: int) -> bool:
    """Return whether the file is what a killed process of this number has left of one."""
    return b"{\n".startswith(os.pread(fd, 2, 0).rstrip(b"\0"))
