"""Templates for file names: `{date}/{time}_{name}`. Reads one, and says what is wrong with it.

A template is checked before a camera is asked anything. Its fields get their values in `namer`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from ...engine.text import replace_unseen
from ...ownership.names import is_reserved
from .naming import MAX_NAME_BYTES
from .stamps import DIRECTIVES, check_format

SEQ_WIDTH = 4
MOST_DIGITS = 8  # of a width, and of a number in a file name that counts
MOST_FOLDERS = 10
# Bytes of a value from the camera; longer ones are cut.
NAME_BYTES, VALUE_BYTES = 64, 32
_ROOM = MAX_NAME_BYTES - 20  # for a number behind the name, and the extension
_CASES = ("lower", "upper")
_DEFAULT = {"date": "%Y-%m-%d", "time": "%H%M%S"}
# Fields, with the bytes that their values take at most.
FIELDS = {
    "date": 0,
    "time": 0,
    "seq": MOST_DIGITS,
    "name": NAME_BYTES,
    "number": VALUE_BYTES,
    "ext": 16,
    "kind": 5,
    "folder": VALUE_BYTES,
    "model": VALUE_BYTES,
    "serial": VALUE_BYTES,
    "nickname": VALUE_BYTES,
}
_ALL = ", ".join(f"{{{name}}}" for name in FIELDS)
_REFUSED = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
# Fields whose values can differ between two files; `name` and `number` tell an object.
_DIFFERING = ("date", "time", "seq", "name", "number")
_TELLING = ("name", "number")
_MAY_END_IN_DIGITS = ("name", "number", "folder", "model", "serial", "nickname", "ext")


@dataclass(frozen=True, slots=True)
class Field:
    """A field in a template.

    Attributes:
        name: One of `FIELDS`.
        form: The format of a date, or `lower` or `upper`; '' for none.
        width: Digits of a sequence number, at least.
        at: Where it begins in the template, from 1 on.
        goes_on: Whether it is the rest of a date that began in the folder above.
    """

    name: str
    form: str
    width: int
    at: int
    goes_on: bool = False

    @property
    def is_moment(self) -> bool:
        """Whether it is a date or a time."""
        return self.name in _DEFAULT

    @property
    def most_bytes(self) -> int:
        """Bytes that its value takes at most."""
        if self.is_moment:
            return max(len("undated"), 9 * len(self.form) // 2)
        return FIELDS[self.name]


Piece = str | Field


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read.

    Attributes:
        text: As it was written.
        folders: The pieces of each folder.
        file: The pieces of the file name, without the extension.
        extension: `lower` or `upper` for the extension; '' to leave it.
    """

    text: str
    folders: tuple[tuple[Piece, ...], ...]
    file: tuple[Piece, ...]
    extension: str

    def __str__(self) -> str:
        return self.text

    @property
    def has_seq(self) -> bool:
        """Whether files are numbered in sequence."""
        return any(field.name == "seq" for field in fields_of(self.file))

    @property
    def needs_history(self) -> bool:
        """Whether a file cannot be known again by its name: only the history tells then."""
        return self.has_seq or not any(field.name in _TELLING for field in fields_of(self.file))


def fields_of(pieces: Iterable[Piece]) -> list[Field]:
    """Return the fields among pieces."""
    return [piece for piece in pieces if isinstance(piece, Field)]


def read_template(text: Any) -> Template:
    """Return a template.

    Raises:
        TypeError: it is not a text.
        ValueError: it is wrong; the message has the place and what is allowed.
    """
    if not isinstance(text, str):
        raise TypeError(f"template takes a text such as '{{date}}/{{name}}', not {text!r:.60}")
    if not text.strip():
        _refuse("the template is empty; write {date}/{name}, for example")
    parts = _Reader(text).parts()
    for number, part in enumerate(parts):
        _check_part(part, is_file=number == len(parts) - 1)
    if len(parts) > MOST_FOLDERS + 1:
        _refuse(f"it has {len(parts) - 1} folders; {MOST_FOLDERS} are allowed")
    *folders, last = (tuple(piece for _, piece in part) for part in parts)
    file, extension = _without_extension(last)
    if not any(field.name in _DIFFERING for field in fields_of(file)):
        dates = "; a date is written {date:%Y-%m-%d}" if "%" in text else ""
        _refuse(
            f"all files would get the same name; add {{name}}, {{number}}, {{seq}}, {{date}} or "
            f"{{time}}{dates}"
        )
    _check_seq(folders, file)
    return Template(text, tuple(folders), file, extension)


class _Reader:
    """The reader of one template. Positions count from 1."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts: list[list[tuple[int, Piece]]] = [[]]

    def parts(self) -> list[list[tuple[int, Piece]]]:
        """Return the pieces of each folder and of the file, with their positions."""
        text, at = self._text, 0
        while at < len(text):
            char = text[at]
            if char in "{}" and text[at : at + 2] == 2 * char:
                self._add(at, char)
                at += 2
            elif char == "{":
                at = self._field(at)
            elif char == "}":
                _refuse(f"the }} at character {at + 1} closes nothing; write }}}} for a brace")
            elif char == "/":
                self._parts.append([])
                at += 1
            else:
                self._check(char, at)
                self._add(at, char)
                at += 1
        return self._parts

    def _check(self, char: str, at: int) -> None:
        if _REFUSED.match(char) or replace_unseen(char, "") != char:
            advice = "; write / between folders" if char == "\\" else ""
            _refuse(f"{char!r} at character {at + 1} cannot be in a file name{advice}")

    def _add(self, at: int, piece: Piece) -> None:
        part = self._parts[-1]
        if isinstance(piece, str) and part and isinstance(part[-1][1], str):
            part[-1] = part[-1][0], part[-1][1] + piece
        else:
            part.append((at + 1, piece))

    def _field(self, at: int) -> int:
        """Read the field that begins there; return where it ends."""
        end = self._text.find("}", at)
        inner = self._text[at + 1 : end]
        if end < 0 or "{" in inner:
            _refuse(f"the {{ at character {at + 1} is not closed; write {{{{ for a brace")
        name, colon, form = inner.partition(":")
        if name not in FIELDS:
            close = difflib.get_close_matches(name.lower(), FIELDS, 1)
            meant = f"did you mean {{{close[0]}}}? " if close else ""
            _refuse(f"unknown field {{{inner}}} at character {at + 1}; {meant}Fields: {_ALL}")
        if colon and not form:
            _refuse(f"there is no format behind the colon of {{{inner}}} at character {at + 1}")
        self._add_field(name, form, at, inner)
        return end + 1

    def _add_field(self, name: str, form: str, at: int, inner: str) -> None:
        where = f"{{{inner}}} at character {at + 1}"
        if name in _DEFAULT:
            self._add_moment(name, form or _DEFAULT[name], at, where)
        elif name == "seq":
            digits = form.lstrip("0") or "0"
            if form and not (re.fullmatch("[0-9]{1,3}", form) and 1 <= int(digits) <= MOST_DIGITS):
                _refuse(f"{where} takes a number of digits, 1 to {MOST_DIGITS}: {{seq:04}}")
            self._add(at, Field(name, "", int(digits) if form else SEQ_WIDTH, at + 1))
        elif form and form not in _CASES:
            _refuse(f"{where} takes lower or upper: {{{name}:lower}}")
        else:
            self._add(at, Field(name, form, 0, at + 1))

    def _add_moment(self, name: str, form: str, at: int, where: str) -> None:
        if why := check_format(form):
            _refuse(f"{where}: {why}; use {DIRECTIVES}")
        for char in form:
            self._check(char, at + len(name) + 2 + form.index(char))
        for number, part in enumerate(form.split("/")):
            if number:
                self._parts.append([])
            if part:
                self._add(at, Field(name, part, 0, at + 1, goes_on=number > 0))


def _check_part(part: list[tuple[int, Piece]], *, is_file: bool) -> None:
    """Check a folder or the file name. ValueError."""
    if not part:
        what = "the file name" if is_file else "the name of a folder"
        _refuse(f"{what} is missing: a template neither begins nor ends with /, and has no //")
    at, first = part[0]
    if isinstance(first, str) and first[0] in ".-~ ":
        _refuse(f"a name cannot begin with {first[0]!r}, as at character {at}")
    last = part[-1][1]
    if isinstance(last, str) and last[-1] in ". ":
        _refuse(f"a name cannot end with {last[-1]!r}, as behind character {part[-1][0]}")
    if len(part) == 1 and isinstance(first, str) and is_reserved(first):
        _refuse(f"{first!r} at character {at} is the name of a file of ptpfast's own")
    if (size := sum(_most_bytes(piece) for _, piece in part)) > _ROOM:
        what = "the file name" if is_file else "a folder"
        _refuse(f"{what} could get {size} bytes long; {_ROOM} are allowed: use fewer fields")


def _most_bytes(piece: Piece) -> int:
    return len(piece.encode(errors="replace")) if isinstance(piece, str) else piece.most_bytes


def _check_seq(folders: Iterable[tuple[Piece, ...]], file: tuple[Piece, ...]) -> None:
    for field in (each for pieces in folders for each in fields_of(pieces)):
        if field.name == "seq":
            _refuse(f"{{seq}} at character {field.at} is in a folder; it numbers files only")
    seqs = [number for number, each in enumerate(file) if _is_seq(each)]
    if len(seqs) > 1:
        _refuse("{seq} is there twice; once is enough")
    for number in seqs:
        _check_beside(file[number - 1] if number else "", is_before=True)
        _check_beside(file[number + 1] if number + 1 < len(file) else "", is_before=False)


def _check_beside(piece: Piece, *, is_before: bool) -> None:
    """Raise ValueError if a number beside this piece could not be read from a name again."""
    if isinstance(piece, Field):
        if piece.name in _MAY_END_IN_DIGITS:
            _refuse(
                f"{{seq}} and {{{piece.name}}} touch at character {piece.at}, so the number "
                "could not be read from the name again; write _ between them"
            )
    elif (edge := piece[-1:] if is_before else piece[:1]).isdigit():
        _refuse(f"the digit {edge} touches {{seq}}; write _ between them")


def _is_seq(piece: Piece) -> bool:
    return isinstance(piece, Field) and piece.name == "seq"


def _without_extension(pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], str]:
    """Return the pieces without an extension at their end, and its case.

    Every file keeps its extension, so a template may leave it out.
    """
    if not pieces or not isinstance(last := pieces[-1], Field) or last.name != "ext":
        return pieces, ""
    left = pieces[:-1]
    if left and isinstance(dot := left[-1], str) and dot.endswith("."):
        left = (*left[:-1], dot[:-1]) if dot[:-1] else left[:-1]
    return left, last.form


def _refuse(why: str) -> NoReturn:
    raise ValueError(f"template: {why}")
