"""The history of downloads for people: found, forgotten, and rebuilt from folders."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from ..engine.text import in_text
from ..ownership.names import MANIFEST_NAME, is_reserved, same_text
from ..ptp.errors import SinkError, disk_error
from ..state.catalog import Catalog
from ..state.fetched import UNKNOWN_BODY, Fetched, Record, Stored
from .keep.manifest import Manifest
from .plan.dates import is_same_clock
from .plan.naming import root_name
from .remote.place import is_url, place_of

log: logging.Logger = logging.getLogger("ptpfast")

AT_ONCE = 1000  # records in one transaction


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are meant: all that agree with everything that is given.

    globs: of the name, or with a slash of the path on the card or of the file; regardless of case.
    folder: where the file was stored, or a folder above; a path or a URL (ValueError for a wrong
    one). camera: a glob of the model, of maker and model, or of the serial number.
    """

    globs: Sequence[str] = ()
    folder: Path | str | None = None
    camera: str | None = None

    def __post_init__(self) -> None:
        _places(self.folder or "")

    def takes(self, record: Record) -> bool:
        """Whether a record is meant."""
        if self.globs and not any(_matches(record, glob) for glob in self.globs):
            return False
        if self.folder is not None:
            places = _places(self.folder)
            if record.file is None or not any(_is_in(record.file, place) for place in places):
                return False
        return self.camera is None or _is_of(record.object, self.camera)


def _places(folder: Path | str) -> tuple[str, ...]:
    """Return a folder as the catalog may have it. ValueError for a URL that is none."""
    if is_url(folder):
        return (str(place_of(str(folder))),)
    return os.path.realpath(folder), os.path.abspath(folder)


def _matches(record: Record, glob: str) -> bool:
    texts = [record.object.path]
    if record.file is not None:
        texts.append(in_text(os.path.join(record.file.folder, record.file.name)))
    if "/" not in glob:
        texts = [text.rpartition("/")[2] for text in texts]
    pattern = same_text(glob)
    return any(fnmatchcase(same_text(text), pattern) for text in texts)


def _is_in(file: Stored, folder: str) -> bool:
    return f"{file.folder}/".startswith(f"{folder.rstrip('/')}/")


def _is_of(item: Fetched, camera: str) -> bool:
    maker, model, number = item.body
    names = (model, f"{maker} {model}", number, f"{maker} {model} {number}")
    return any(fnmatchcase(same_text(name), same_text(camera)) for name in names if name)


def check(catalog: Catalog) -> None:
    """Raise SinkError if the catalog cannot be used."""
    if catalog.why:
        raise SinkError(
            f"the history cannot be used: {catalog.why}",
            hint="repair the folder, or set PTPFAST_DATA to another one",
        )


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of a folder: files that were recorded, and files that the catalog knew."""

    recorded: int
    known: int


def rebuild(catalog: Catalog, folder: Path) -> Rebuilt:
    """Record the files in a folder and below it, as far as they tell what they are.

    A file tells its name, size and date, and `SHA256SUMS` in its folder or in the given one its
    checksum. Which camera it is from is unknown. Records that agree with their file stay as they
    are. Hidden folders and symbolic links are left out.

    Args:
        catalog: the catalog; it is made if there is none.
        folder: the folder.

    Raises:
        SinkError: the folder cannot be read, or the catalog not be written.
    """
    catalog.prepare()
    check(catalog)
    top, recorded, known = _sums(folder), 0, 0
    items: list[tuple[Fetched, Stored]] = []
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        real, own = os.path.realpath(place), top if place == folder else _sums(place)
        for name, status in _entries(place, is_top=place == folder):
            if stat.S_ISDIR(status.st_mode):
                waiting.append(place / name)
            elif _is_recorded(catalog, real, name, status):
                known += 1
            else:
                path = place / name
                file = Stored(real, name, status.st_size, status.st_mtime_ns)
                items.append((_unknown(name, status, own(path) or top(path)), file))
            if len(items) == AT_ONCE:
                recorded += _store(catalog, items)
                items = []
    return Rebuilt(recorded + _store(catalog, items), known)


def _entries(folder: Path, *, is_top: bool) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files and folders that can be pictures, or hold some."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or is_reserved(in_text(entry.name)):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # it has just been deleted
                    continue
                if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
                    yield entry.name, status
    except OSError as error:
        if is_top:
            raise disk_error("read", os.fspath(folder), error, hint="give a folder") from error
        log.warning("the files in %s are not recorded: %s", folder, error)


def _is_recorded(catalog: Catalog, folder: str, name: str, status: os.stat_result) -> bool:
    found = catalog.at(folder, name)
    if found is None:
        return False
    stored = found[1]
    return stored.size == status.st_size and stored.is_time(is_same_clock, status.st_mtime)


def _unknown(name: str, status: os.stat_result, sha256: str | None) -> Fetched:
    try:
        captured = datetime.fromtimestamp(int(status.st_mtime)).isoformat()
        fetched = max(0, int(status.st_ctime))
    except (OverflowError, OSError, ValueError):
        captured, fetched = "", 0
    path = in_text(root_name(name))
    return Fetched(UNKNOWN_BODY, 0, path, status.st_size, captured, "", sha256, fetched)


def _sums(folder: Path) -> Callable[[Path], str | None]:
    """Return what finds the checksum of a file in or below the folder."""
    try:
        manifest = Manifest(folder / MANIFEST_NAME)
    except SinkError:  # it is another file
        return lambda path: None
    return manifest.sha256


def _store(catalog: Catalog, items: list[tuple[Fetched, Stored]]) -> int:
    if not items:
        return 0
    stored = catalog.store(items)
    check(catalog)
    if not stored:
        raise SinkError("the history cannot be written", hint="see the log with --verbose")
    return stored
