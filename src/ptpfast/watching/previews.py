"""The previews of new RAW files: each is stored before any of these files is received."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..ownership import files, folders
from ..ownership.names import random_name
from ..ptp.errors import Cancelled, LimitReached, PTPError, disk_error
from ..ptp.scope import Scope, scope_of
from ..transfer.preview import preview
from ..transfer.reading import ObjectReader

if TYPE_CHECKING:
    from ..link.camera import Camera
    from ..ptp.objects import ObjectInfo

log: logging.Logger = logging.getLogger("ptpfast")

MOST_NAMES = 1000  # of one preview, until it is given up
MOST_SHOWN = 10_000  # that are remembered, so that a reconnect does not read them again


@dataclass(frozen=True, slots=True)
class ShotPreview:
    """The stored preview of a new RAW file, which is not here yet.

    Attributes:
        path: The JPEG file.
        object: The RAW file on the camera.
        camera: The address of the camera, if several are watched.
    """

    path: Path
    object: ObjectInfo
    camera: str = ""


OnPreview = Callable[[ShotPreview], object]


class Previews:
    """Stores the previews of one camera's new files in a folder."""

    def __init__(
        self, folder: Path, destination: Path, told: OnPreview | None, camera: str = ""
    ) -> None:
        """
        Args:
            folder: gets the previews, with the folders that the files have below `destination`.
            destination: where the files go.
            told: called with each preview.
            camera: its address, if there are several.
        """
        self._folder = folder
        self._destination = destination
        self._told = told
        self._camera = camera
        self._shown: set[object] = set()

    def show(self, camera: Camera, info: ObjectInfo, path: Path) -> None:
        """Store the preview of a RAW file that is going to be received as `path`.

        A camera that cannot give it only costs the preview: the file itself comes later.

        Raises:
            SinkError: the folder cannot be written to.
            Cancelled, LimitReached: as for any read.
        """
        key = (info.path, info.size, info.captured)
        if not info.is_raw or key in self._shown:
            return
        if ObjectReader(camera, info).partial() is None:  # it would be read as a whole for this
            log.debug("%s: the camera cannot be asked for its preview alone", info.name)
            return
        try:
            content = preview(camera, info)
        except (Cancelled, LimitReached):
            raise
        except PTPError as error:
            log.info("%s: no preview: %s", info.name, error)
            return
        if len(self._shown) >= MOST_SHOWN:
            self._shown.clear()
        self._shown.add(key)
        self._store(content, info, path)

    def _store(self, content: bytes, info: ObjectInfo, path: Path) -> None:
        below = path.relative_to(self._destination)
        stored = self._folder.joinpath(*below.parent.parts, f"{path.name}.jpg")
        try:
            folders.make(stored.parent)
            stored = _write_new(stored, content)
        except OSError as error:
            if isinstance(error, FileExistsError):  # something else than a folder
                error = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            failed = disk_error("write", stored, error)
            if scope_of(failed) is not Scope.OBJECT:
                raise failed from error
            log.warning("%s: no preview: %s", info.name, failed)
            return
        if self._told is not None:
            self._told(ShotPreview(stored, info, self._camera))


def _write_new(path: Path, content: bytes) -> Path:
    """Write a file that replaces none: with a number where the name has another content.

    Returns:
        Its path.

    Raises:
        OSError: it cannot be written.
    """
    temporary = random_name(os.fspath(path.parent))
    with files.create(temporary) as held:
        try:
            with open(held.number, "wb", closefd=False) as file:
                file.write(content)
            for number in range(1, MOST_NAMES):
                name = path if number == 1 else path.with_name(f"{path.stem}_{number}.jpg")
                if _has(name, content):
                    files.remove_made(temporary, held.number)
                    return name
                with suppress(FileExistsError):
                    files.publish(held, temporary, os.fspath(name), overwrite=False)
                    return name
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
        except BaseException:
            files.remove_made(temporary, held.number)
            raise


def _has(path: Path, content: bytes) -> bool:
    """Return whether that preview is there, of an earlier watch."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False
