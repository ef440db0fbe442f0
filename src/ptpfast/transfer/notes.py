"""The text of a journal.

    {"schema": 7, "object": {...}, "kept": {...}}    The object; the bytes on the disk.
    {"size": ..., "digest": ...}                     Two lines with the bytes received since,
    {"size": ..., "digest": ...}                     written in place alternately.

The first line is replaced as a whole, so the others cannot damage it. All of it is untrusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..ptp.objects import ObjectInfo

SCHEMA = 7
MAX_JOURNAL_SIZE = 1 << 16
_BEGINNING = b'{"schema": , "object": {"camera": "'  # of every one, but for the version
_VERSION = re.compile(rb'\{"schema": (\d{1,4})')
_VERSION_AT = len(b'{"schema": ')
LINE_SIZE = 96  # of each line for what has arrived
_NULL = "null"
OF_A_COPY = "\0a copy"  # for the camera in a copy's note; no camera can be called so
_quoted = json.encoder.encode_basestring_ascii  # a JSON string


class Identity(NamedTuple):
    """Identity of an object: bytes of an earlier run are used only if all of it is equal.

    The folders are not part of it: a camera may fail to describe one.
    """

    camera: str  # manufacturer, model and serial number
    handle: int
    name: str
    size: int | None
    captured: str

    @classmethod
    def of(cls, camera: str, info: ObjectInfo) -> Identity:
        """Return the identity of a listed object."""
        captured = info.captured.isoformat() if info.captured else ""
        return cls(camera, info.handle, info.name, info.size, captured)

    def is_of(self, told: Identity) -> bool:
        """Return whether a note tells of this picture, perhaps as it was before it changed on the
        card or got another handle; or of a copy, whose file is elsewhere, too."""
        if told.name != self.name or told.captured != self.captured:
            return False
        if told.camera == OF_A_COPY:
            return True
        # Without a date a name, and in some cameras a handle, is that of any picture after the card
        # was formatted; with one it may be another of a burst.
        same_handle, same_size = told.handle == self.handle, told.size == self.size
        is_weak = not (self.captured and self.camera.strip())
        enough = same_handle and same_size if is_weak else same_handle or same_size
        return told.camera == self.camera and enough


_FIELDS = set(Identity._fields)


class Kept(NamedTuple):
    """The first `size` bytes of the part file, and their checksum as they were received
    (`hashing`)."""

    size: int = 0
    digest: str | None = None


NOTHING_KEPT = Kept()


class Found(NamedTuple):
    """What a journal says: the bytes that had reached the disk, and those that had been written at
    two later times, if that was noted. None is believed before the file is read (`proof`)."""

    kept: Kept
    arrived: tuple[Kept, ...] = ()


def is_note(content: bytes) -> bool:
    """Return whether the content of a file is a journal of any version, or the rest of one."""
    text = content.rstrip(b"\0")
    return len(content) < MAX_JOURNAL_SIZE and (is_torn(text) or told_by(text) is not None)


def is_torn(text: bytes) -> bool:
    """Whether a text is the beginning of a journal's first line, or empty."""
    versioned = _VERSION.match(text)
    if versioned is None:
        return _BEGINNING.startswith(text)
    head = _BEGINNING[:_VERSION_AT] + text[versioned.end() :]
    is_ours = head.startswith(_BEGINNING) or _BEGINNING.startswith(head)
    is_cut = b"\n" not in text and not text.endswith(b"}")
    return is_ours and is_cut and int(versioned[1]) <= SCHEMA


def told_by(content: bytes) -> dict[str, Any] | None:
    """Return the first line of a journal of any version; None for anything else."""
    try:
        told: dict[str, Any] = json.loads(content.partition(b"\n")[0].rstrip(b"\0"))
        schema, names = told["schema"], set(told["object"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return told if type(schema) is int and schema <= SCHEMA and names == _FIELDS else None


def arrived_since(lines: list[bytes]) -> Iterator[Kept]:
    """Return what the lines after the first one say."""
    for line in lines:
        try:
            yield sane(json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue  # torn by a power cut, or odd


def sane(told: dict[str, Any]) -> Kept:
    """Return what was noted. ValueError or TypeError for values that are never written."""
    kept = Kept(**told)
    if type(kept.size) is not int or kept.size < 0 or not isinstance(kept.digest, str | None):
        raise ValueError("no such note")
    return kept


def first_line(identity: Identity, kept: Kept) -> bytes:
    """Return the first line of a journal, assembled by hand.

    The camera waits for it at each file, and a JSON encoder is no longer in the processor's cache
    after some MB of payload.
    """
    camera, handle, name, size, captured = identity
    told = (
        f'{{"camera": {_quoted(camera)}, "handle": {handle}, "name": {_quoted(name)}, '
        f'"size": {_NULL if size is None else size}, "captured": "{captured}"}}'
    )
    return f'{{"schema": {SCHEMA}, "object": {told}, "kept": {_kept_text(kept)}}}\n'.encode()


def line(arrived: Kept) -> bytes:
    """One of the others."""
    return _kept_text(arrived).encode().ljust(LINE_SIZE - 1) + b"\n"


def _kept_text(kept: Kept) -> str:
    digest = _NULL if kept.digest is None else f'"{kept.digest}"'
    return f'{{"size": {kept.size}, "digest": {digest}}}'
