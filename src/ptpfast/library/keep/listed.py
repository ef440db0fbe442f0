"""Keep a folder's `SHA256SUMS` correct while a run stores files there, also without a manifest.

The line of a replaced file would be wrong for the new one. It is dropped before the new file has
the name, so a killed run leaves no wrong line. Then it is written again with the new checksum.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...ownership.names import MANIFEST_NAME
from ...ownership.readback import sha256_of
from ...ptp.errors import SinkError
from .manifest import Manifest

log: logging.Logger = logging.getLogger("ptpfast")


class Listed:
    """The list of one folder, read on first use. An unusable list only causes a warning."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MANIFEST_NAME
        self._known: Manifest | None = None
        self._looked = False
        self._dropped: dict[Path, tuple[str, tuple[int, ...]]] = {}  # the line, and of which file

    @contextmanager
    def storing(self, path: Path) -> Iterator[None]:
        """Drop the line of a file while it is stored; restore it if nothing was stored."""
        self.drop(path)
        try:
            yield
        except BaseException:
            self.restore(path)
            raise

    def drop(self, path: Path) -> None:
        """Drop the line of a file that will be stored."""
        known = self._list()
        if known is not None and (line := known.sha256(path)) is not None:
            self._dropped[path] = line, _mark(path)
            self._note(known, path, None)

    def restore(self, path: Path) -> None:
        """Put the dropped line back if the file is still the one that it was of."""
        known, dropped = self._list(), self._dropped.get(path)
        if known is not None and dropped is not None and _mark(path) == dropped[1]:
            self._note(known, path, dropped[0])
            del self._dropped[path]

    def stored(self, path: Path, sha256: str | None) -> None:
        """Renews the line of a file that was listed; it is read if its checksum is not known."""
        known = self._list()
        if known is not None and (path in self._dropped or path in known):
            self._dropped.pop(path, None)
            try:
                sha256 = sha256 or sha256_of(path)
            except OSError as error:
                log.warning("%s is not listed: %s", path, error)
            self._note(known, path, sha256)

    def _list(self) -> Manifest | None:
        if not self._looked:
            self._looked = True
            try:
                self._known = Manifest(self._path) if os.path.lexists(self._path) else None
            except SinkError as error:
                log.warning("%s", error)
        return self._known

    def _note(self, known: Manifest, path: Path, sha256: str | None) -> None:
        """Write the list, if it still exists."""
        if not os.path.lexists(self._path):
            return
        if sha256 is None:
            known.drop(path)
        else:
            known.add(path, sha256)
        try:
            known.write()
        except SinkError as error:
            log.warning("the line of %s is out of date: %s", path, error)


def _mark(path: Path) -> tuple[int, ...]:
    """Return what tells a file from a later one of the same name."""
    try:
        status = os.lstat(path)
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
