"""The folders of a card: they give objects their paths.

Source: libgphoto2 (ptp-pack.c, library.c) for the parents that mean "root".
"""

from __future__ import annotations

import logging

from ..link.asking import attempt
from ..link.describing import describe_one
from ..link.link import Link
from ..link.tally import Tally
from ..ptp.codes import OperationCode
from ..ptp.datasets import parse_date_time
from ..ptp.errors import ProtocolError, ResponseError, Unreadable
from ..ptp.objects import Description, ObjectInfo
from .entries import Answer, Entries

log: logging.Logger = logging.getLogger("ptpfast")

MAX_DEPTH = 32  # folders in folders; a card has two or three, a hostile tree may go in circles
MAX_PATH = 1024  # characters of folders' names; each object has them all in its path


class Folders:
    """Finder of folders among the `entries` of a card. It asks the camera for missing ones."""

    def __init__(
        self,
        link: Link,
        entries: Entries | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._link = link
        self._entries = Entries() if entries is None else entries
        self._tally = tally or Tally()

    def object_info(
        self,
        handle: int,
        description: Description,
        *,
        remembered: bool = False,
        connection: int | None = None,
    ) -> ObjectInfo:
        """Return the object with its path; `connection` is that of the description (None: this)."""
        return ObjectInfo(
            handle=handle,
            name=description.name,
            path=self._path(handle, description),
            size=description.size,
            format=description.format,
            captured=parse_date_time(description.captured),
            modified=parse_date_time(description.modified),
            storage_id=description.storage_id,
            parent=description.parent,
            protected=description.protection != 0,
            remembered=remembered,
            connection=self._link.connection.token if connection is None else connection,
            rating=self._link.dialect.rating(handle),
        )

    def _path(self, handle: int, description: Description) -> str:
        """Return the path of an object.

        The root is parent 0, or all ones, or the storage's id (Apple), or the object itself
        (Canon); both seen by libgphoto2.
        """
        names = [description.name]
        seen = {handle}
        parent, storage_id = description.parent, description.storage_id
        while parent not in (0, 0xFFFFFFFF, storage_id) and parent not in seen:
            if len(seen) > MAX_DEPTH or sum(map(len, names)) > MAX_PATH:
                break
            seen.add(parent)
            folder = self._folder(parent)
            if folder is None:
                break
            names.append(folder.name)
            parent = folder.parent
        return "/".join(reversed(names))

    def _folder(self, handle: int) -> Description | None:
        if handle not in self._entries:
            self._tally.count(1)
            try:
                answer: Answer = attempt(
                    self._link,
                    OperationCode.GetObjectInfo,
                    handle,
                    lambda: describe_one(self._link, handle),
                )
            except (ResponseError, ProtocolError, Unreadable) as error:
                log.debug("folder 0x%X cannot be described: %s", handle, error)
                answer = error
            self._entries.put(handle, answer, self._link.connection.token)
        return self._entries.description(handle)
