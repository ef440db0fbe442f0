"""The chunks of a range of an object: their requests and their order."""

from __future__ import annotations

from collections import deque

from ..link.camera import Camera
from ..link.chunking import ChunkPolicy
from ..link.pipelining import Request
from ..ptp.errors import TransferError
from ..ptp.objects import ObjectInfo
from ..vendors.reads import PartialRead, WholeRead


def object_label(info: ObjectInfo) -> str:
    """Return an object as messages show it: its name; without one, the handle."""
    return info.name or f"file 0x{info.handle:X}"


def whole_read(camera: Camera) -> WholeRead:
    """Return the operation that reads a whole object. Raises TransferError without one."""
    whole = camera.link.dialect.whole()
    if whole is None:
        raise TransferError("the camera sends objects in parts only, and the size is not known")
    return whole


def read_label(info: ObjectInfo) -> str:
    """Return the reading of an object as messages show it."""
    return f"reading {object_label(info)}"


def chunk_request(read: PartialRead, handle: int, offset: int, size: int, label: str) -> Request:
    """Return the request of a partial read; its `about` is `size`."""
    return Request(
        read.operation,
        read.parameters(handle, offset, size),
        limit=size,
        label=f"{label} at byte {offset:,}",
        about=size,
    )


class Chunks:
    """Those of the bytes `span` = [offset, end). `label` names the read in messages; `sizes` are
    those asked for, each time the size changed."""

    def __init__(
        self,
        camera: Camera,
        info: ObjectInfo,
        read: PartialRead,
        span: tuple[int, int],
        policy: ChunkPolicy,
    ) -> None:
        self.label: str = read_label(info)
        self.sizes: list[int] = []
        self._asked, self._end = span  # up to where requests have left, and will
        self._link = camera.link
        self._handle = info.handle
        self._read = read
        self._policy = policy
        self._to_come: deque[Request] = deque()

    def next(self) -> tuple[int, Request] | None:
        """Return offset and request of the next chunk, which leaves now; None at the end."""
        offset = self._asked
        if offset >= self._end:
            return None
        size = self._policy.next_size(self._end - offset)
        request = self._sent_ahead() or self._request(size)
        self._asked += request.about
        if self.sizes[-1:] != [self._policy.size]:
            self.sizes.append(self._policy.size)
        self._to_come.append(request)
        return offset, request

    def _request(self, size: int) -> Request:
        return chunk_request(self._read, self._handle, self._asked, size, self.label)

    def _sent_ahead(self) -> Request | None:
        """Return the request that the camera is already working on, if it is the next chunk."""
        ahead = self._link.sent_ahead
        if ahead is None or self._asked + ahead.about > self._end:
            return None
        request = self._request(ahead.about)
        return request if request.asks() == ahead.asks() else None

    def end_first(self) -> None:
        """Note that the first outstanding chunk has arrived."""
        self._to_come.popleft()

    def drop(self, position: int) -> None:
        """Drop the answers to come, and ask again from `position` on."""
        for request in self._to_come:
            request.sink = request.on_pause = None
        self._asked = position

    def lose(self, position: int) -> None:
        """Forget the answers to come, and ask again from `position` on."""
        self._to_come.clear()
        self._asked = position
