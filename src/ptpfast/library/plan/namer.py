"""The names of files and folders: as on the card, or by a template.

Values from a camera are untrusted. Each becomes one safe part of a name (`naming`) before it is
put into a template, so it can never add a folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...engine.text import in_text
from ...ownership.names import same_name, same_text
from .naming import local_name, numbered, split_name
from .stamps import UNDATED, pattern, written
from .template import MOST_DIGITS, NAME_BYTES, VALUE_BYTES, Field, Piece, Template

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ...session.session import Session

UNKNOWN = "unknown"  # for a model or a serial number that the camera does not report
NO_NUMBER = "0000"  # of a name without digits at its end
_DIGITS = re.compile(r"[0-9]+$")
_BEHIND = re.compile(r"-([1-9][0-9]*)$")
Lead = Callable[["ObjectInfo"], "ObjectInfo"]


@dataclass(frozen=True, slots=True)
class CameraWords:
    """What a template can say about a camera, as the camera and its user say it."""

    model: str = ""
    serial: str = ""
    nickname: str = ""

    @classmethod
    def of(cls, session: Session) -> CameraWords:
        """Return the words of a session's camera. The nickname is that of `ptpfast pair`."""
        from ...state import identity  # only with a template

        info, address = session.device_info, session.link.connection.address
        me = identity.Known("", address.host, address.port, "", info.model, info.serial_number)
        known = [each for each in identity.load().cameras if each.is_same(me) and each.nickname]
        nickname = known[-1].nickname if known else ""
        return cls(info.model, info.serial_number, nickname)


class Namer:
    """The names of one camera's files.

    Attributes:
        template: The template; None for the names on the card.
        lead_of: Returns the object whose date and name all files of a shot have.
    """

    def __init__(self, template: Template | None = None, camera: CameraWords | None = None) -> None:
        self.template = template
        self.lead_of: Lead = lambda info: info
        self._words = _safe_words(camera or CameraWords())
        self._seq = _seq_pattern(template) if template is not None and template.has_seq else None

    @property
    def has_seq(self) -> bool:
        """Whether files are numbered in sequence: no file has a name without a number."""
        return self._seq is not None

    @property
    def needs_record(self) -> bool:
        """Whether only the history tells which object a file is."""
        return self.template is not None and self.template.needs_history

    def folders(self, info: ObjectInfo) -> tuple[str, ...]:
        """Return the folders of an object below the destination, by the template."""
        if self.template is None:
            return ()
        texts = (self._text(pieces, info, 0) for pieces in self.template.folders)
        return tuple(local_name(text) for text in texts if text)

    def name(self, info: ObjectInfo, number: int = 0) -> str:
        """Return the name of an object's file, with the number of its shot; 0 for none."""
        if self.template is None:
            name = local_name(info.name)
        else:
            stem = self._text(self.template.file, info, number)
            tail = _cased(_parts_of(info)[1], self.template.extension)
            name = local_name(stem + tail)
        return numbered(name, number) if number and not self.has_seq else name

    def number_in(self, name: str, info: ObjectInfo) -> int | None:
        """Return the number in the name of an object's file; None if it has no such name."""
        stem = split_name(name)[0]
        if self._seq is not None:
            match = self._seq.fullmatch(stem)
            return int(match[1]) if match else None
        plain = self.name(info)
        if same_name(name) == same_name(plain):
            return 0
        match = _BEHIND.search(stem) or _BEHIND.search(in_text(name))
        return int(match[1]) if match else 0

    def last_number(self, names: list[str]) -> int:
        """Return the highest sequence number among names; 0 without one."""
        if self._seq is None:
            return 0
        stems = (split_name(name)[0] for name in names)
        return max(
            (int(match[1]) for stem in stems if (match := self._seq.fullmatch(stem))), default=0
        )

    def stem(self, info: ObjectInfo) -> str:
        """Return what tells a shot's names from those of others, apart from the number."""
        return "" if self.has_seq else same_text(split_name(self.name(info))[0])

    def is_undated(self, info: ObjectInfo) -> bool:
        """Whether the template has a date and the object none."""
        if self.template is None:
            return False
        parts = (*self.template.folders, self.template.file)
        moments = any(isinstance(each, Field) and each.is_moment for part in parts for each in part)
        lead = self.lead_of(info)
        return moments and lead.captured is None and lead.modified is None

    def _text(self, pieces: tuple[Piece, ...], info: ObjectInfo, number: int) -> str:
        return "".join(
            piece if isinstance(piece, str) else self._value(piece, info, number)
            for piece in pieces
        )

    def _value(self, field: Field, info: ObjectInfo, number: int) -> str:
        lead = self.lead_of(info)
        if field.name == "seq":
            return f"{number:0{field.width}}"
        if field.is_moment:
            moment = lead.captured or lead.modified
            if moment is None:
                return "" if field.goes_on else UNDATED
            return written(moment, field.form)
        return _cased(self._plain(field.name, info, lead), field.form)

    def _plain(self, field: str, info: ObjectInfo, lead: ObjectInfo) -> str:
        if field in self._words:
            return self._words[field]
        if field == "kind":
            return info.kind
        if field == "ext":
            return _parts_of(info)[1].removeprefix(".") or UNKNOWN
        if field == "folder":
            folders = [part for part in lead.path.split("/")[:-1] if part]
            return _safe(folders[-1], VALUE_BYTES) if folders else UNKNOWN
        stem = _parts_of(lead)[0]
        if field == "number":
            match = _DIGITS.search(stem)
            return match[0][-VALUE_BYTES:] if match else NO_NUMBER
        return _cut(stem, NAME_BYTES)


def _safe_words(camera: CameraWords) -> dict[str, str]:
    model = _safe(camera.model, VALUE_BYTES)
    nickname = _safe(camera.nickname, VALUE_BYTES) if camera.nickname.strip() else model
    # Some bodies fill it up with zeros, to 32 digits.
    serial = _safe(camera.serial.strip().lstrip("0"), VALUE_BYTES)
    return {"model": model, "serial": serial, "nickname": nickname}


def _safe(text: str, most_bytes: int) -> str:
    """Return a text from a camera as a part of a name; `UNKNOWN` for none."""
    return _cut(in_text(local_name(text.strip())), most_bytes) if text.strip() else UNKNOWN


def _cut(text: str, most_bytes: int) -> str:
    data = text.encode(errors="replace")
    return text if len(data) <= most_bytes else data[:most_bytes].decode(errors="ignore")


def _parts_of(info: ObjectInfo) -> tuple[str, str]:
    """Return stem and extension, with its dot, of an object's safe name."""
    return split_name(local_name(info.name))


def _cased(text: str, form: str) -> str:
    return text.lower() if form == "lower" else text.upper() if form == "upper" else text


def _seq_pattern(template: Template) -> re.Pattern[str]:
    """Return what finds the sequence number in the stem of a file name."""
    names = [each.name if isinstance(each, Field) else "" for each in template.file]
    at = names.index("seq")
    before = _around(template.file[:at])
    behind = _around(template.file[at + 1 :])
    digits = f"([0-9]{{1,{MOST_DIGITS}}})"
    # A name that was taken has another number behind it.
    return re.compile(f"{before}{digits}{behind}(?:-[1-9][0-9]*)?", re.IGNORECASE | re.DOTALL)


def _around(pieces: tuple[Piece, ...]) -> str:
    """Return a pattern for the pieces on one side of a number.

    From the first to the last piece that can be any text it is one wildcard: with more of them, a
    name could take a regular expression for ever.
    """
    parts = [_pattern(piece) for piece in pieces]
    wild = [number for number, part in enumerate(parts) if part is None]
    if not wild:
        return "".join(filter(None, parts))
    first, last = parts[: wild[0]], parts[wild[-1] + 1 :]
    return "".join((*filter(None, first), ".*", *filter(None, last)))


def _pattern(piece: Piece) -> str | None:
    """Return a pattern for a piece; None if it can be any text."""
    if isinstance(piece, str):
        return re.escape(piece)
    if piece.is_moment:
        return f"(?:{pattern(piece.form)}|{UNDATED})"
    return None
