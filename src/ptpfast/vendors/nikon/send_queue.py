"""The pictures that a camera's owner sends: the picture transfer profile of connect-to-PC mode.

The camera lists its whole card, refuses to describe or send anything, and names the chosen pictures
one after the other. Each request for the next one says that the one before has been fetched. So the
next picture is asked for only when the last one is safe.

Sources: camcon (PtpipTetherService.kt) for the request and its answer, libgphoto2 issue 976 for the
locks.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from zlib import crc32

from ...ptp.codes import SIZE_SATURATED, ObjectFormat, OperationCode
from ...ptp.datasets import ObjectInfoDataset, decode, decode_array
from ...ptp.errors import (
    AccessDenied,
    OperationNotSupported,
    ProtocolError,
    ResponseError,
    Timeout,
)
from ..bulk import Described
from ..dialect import Asks
from .codes import SUCCEEDED, NikonOperation
from .datasets import Job, parse_job, parse_object_size

log: logging.Logger = logging.getLogger("ptpfast")

MAX_JOB = 1 << 16  # bytes
MAX_INFO = 1 << 16
_FIRST_FOLDER = 0xF0000000  # of the handles given here; bodies count from below
_OTHERS = 0x0FFFFFFF
MAX_LIST = 4 + (4 << 20)  # bytes of handles: a million
# How often a camera may offer in a row what is here already.
MOST_REPEATS = 8


class SendQueue:
    """The send queue of one session.

    Attributes:
        is_in_use: Whether the camera is in the picture transfer profile; None until it was tried.
        job: The picture that the camera offers now.
    """

    def __init__(self, link: Asks) -> None:
        self._link = link
        self.is_in_use: bool | None = None
        self._folders: dict[int, tuple[str, ...]] = {}  # of paths, by the handles given to them
        self.begin()

    def begin(self) -> None:
        """Forget the job of an earlier session. A body in this profile is taken to be in it yet."""
        self.is_in_use = self.is_in_use or None
        self.job: Job | None = None
        self._is_over = False

    def try_out(self, storage_id: int) -> list[int] | None:
        """Find out whether the camera is in this profile, unless that is known.

        It describes no object then, although it lists them, and offers a job or has none.

        Returns:
            The handles of the storage, if they had to be asked for.
        """
        if self.is_in_use is not None:
            return None
        if not any(map(self._link.supports, _OF_NETWORK)):
            self.is_in_use = False
            return None
        payload = self._link.fetch(OperationCode.GetObjectHandles, storage_id, 0, 0, limit=MAX_LIST)
        try:
            handles = decode_array(payload, "u32", "GetObjectHandles") if payload else []
        except ProtocolError as error:
            log.debug("asked for again: %s", error)
            return None
        if handles:
            self.is_in_use = self._is_locked(handles[-1])  # the first ones are folders
        return handles or None

    def _is_locked(self, handle: int) -> bool:
        try:
            self._link.fetch(OperationCode.GetObjectInfo, handle, limit=MAX_INFO)
        except AccessDenied:
            try:
                self.current()
            except OperationNotSupported:
                return False
            self._link.waiting(
                "the camera is in its picture transfer profile: it sends only the pictures that "
                "its owner chooses"
            )
            return True
        except ResponseError as error:
            log.debug("not the picture transfer profile: %s", error)
        return False

    def current(self) -> Job | None:
        """Return the picture that the camera offers now; None if its owner has chosen no more.

        Raises:
            OperationNotSupported: the camera has no such queue.
            ProtocolError: the answer is malformed.
        """
        if self.job is not None or self._is_over:
            return self.job
        try:
            payload = self._link.fetch(NikonOperation.AdvancedTransfer, SUCCEEDED, limit=MAX_JOB)
            self.job = parse_job(payload)
        except OperationNotSupported:
            self.is_in_use = False
            raise
        except ResponseError as error:
            log.debug("no more pictures are sent: %s", error)
        except (Timeout, ProtocolError) as error:
            # The camera may name a picture yet; another request would say that it was fetched.
            self._is_over = True
            if not isinstance(error, Timeout):
                raise
            log.debug("no picture was sent in time: %s", error)
        return self.job

    def after(self, taken: Collection[int]) -> Job | None:
        """Return the next picture that is not among those that are safe here."""
        for _ in range(MOST_REPEATS):
            job = self.current()
            if job is None or job.handle not in taken:
                return job
            self.job = None  # the next request says that it is done
        return None

    def described(self, handle: int) -> Described | None:
        """Describe the picture that the camera offers, or a folder of a path; None for any other
        object."""
        if not self.is_in_use:
            return None
        job = self.current()  # in the session after a lost one it is offered again
        if job is None or handle != job.handle:
            return self._folder(handle)
        try:
            payload = self._link.fetch(OperationCode.GetObjectInfo, handle, limit=MAX_INFO)
            described = decode(ObjectInfoDataset, payload)
            dataset = replace(described, filename=described.filename or job.name)
        except AccessDenied as error:
            log.debug("known by its path only: %s", error)
            dataset = ObjectInfoDataset(
                object_format=ObjectFormat.Undefined,
                object_compressed_size=SIZE_SATURATED,
                parent_object=self._handle_of(job.folders),
                filename=job.name,
            )
        return dataset, self._size(handle, dataset.object_compressed_size)

    def _handle_of(self, folders: tuple[str, ...]) -> int:
        """Return a handle for folders that the camera does not describe; 0 without one.

        It depends on their names, so that the next session describes the picture in the same way.
        """
        if not folders:
            return 0
        handle = _FIRST_FOLDER | crc32("/".join(folders).encode(errors="surrogatepass")) & _OTHERS
        while self._folders.setdefault(handle, folders) != folders:
            handle = _FIRST_FOLDER | (handle + 1) & _OTHERS
        return handle

    def _folder(self, handle: int) -> Described | None:
        if (folders := self._folders.get(handle)) is None:
            return None
        dataset = ObjectInfoDataset(
            object_format=ObjectFormat.Association,
            parent_object=self._handle_of(folders[:-1]),
            filename=folders[-1],
        )
        return dataset, 0

    def _size(self, handle: int, described: int) -> int:
        """Return the size of an object; 0 if only its transfer can tell."""
        if not self._link.supports(NikonOperation.GetObjectSize):
            return 0 if described == SIZE_SATURATED else described
        return parse_object_size(self._link.fetch(NikonOperation.GetObjectSize, handle))


# A body lists one of these in connect-to-PC mode only.
_OF_NETWORK = (NikonOperation.AdvancedTransfer, NikonOperation.ConfirmPairing)
