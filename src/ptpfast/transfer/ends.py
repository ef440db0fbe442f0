"""The true end of an object, found by reading there.

A described size may be wrong: ObjectInfo has 32 bits for it, and some firmware reports a larger
size modulo 4 GiB. Partial reads up to a size that is too small all succeed. So the last byte is
read together with the next one. If only one comes, the object ends there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..engine.sink import MemorySink
from ..link.camera import Camera
from ..ptp.errors import (
    DeviceBusy,
    NetworkError,
    ProtocolError,
    ResponseError,
    SessionNotOpen,
    TransferError,
)
from ..ptp.objects import LARGEST_OBJECT, ObjectInfo
from ..vendors.reads import PartialRead
from .chunks import chunk_request

log: logging.Logger = logging.getLogger("ptpfast")

TWO_GIB, FOUR_GIB = 1 << 31, 1 << 32
# A body that a read behind the end hangs, or that closes the connection then, is not asked again.
MAX_LOST = 2


def may_end_elsewhere(info: ObjectInfo) -> bool:
    """Return whether the described size needs a check: for movies and unknown formats."""
    return bool(info.size) and info.kind not in ("raw", "jpeg", "heif")


class End:
    """Looks for the end of one object. `partial(end)` is the partial read that reaches `end`, None
    if there is none. ResponseError only for a busy camera or a session that is over."""

    def __init__(
        self,
        camera: Camera,
        handle: int,
        partial: Callable[[int], PartialRead | None],
        label: str,
    ) -> None:
        self._camera = camera
        self._handle = handle
        self._partial = partial
        self._label = label

    def is_at(self, size: int) -> bool | None:
        """Whether the object has `size` bytes; None when that cannot be told: the last of them
        cannot be read."""
        came = self._came(size - 1, 2)
        if came == 2 or self._goes_on_behind(size):
            return False
        if came == 1:
            return True
        # Some bodies refuse a read that reaches behind the end. That they refuse one there proves
        # something only if they do not refuse what is before it.
        if not self._came(size - 1, 1):
            return None
        return not self._came(size, 1)

    def _goes_on_behind(self, size: int) -> bool:
        """Whether a read with a wider offset finds bytes 4 GiB behind: a body may count
        modulo 4 GiB in its other reads, too."""
        near, far = self._partial(size + 1), self._partial(size + FOUR_GIB)
        if far is None or far is near or not self._has(size + FOUR_GIB - 1):
            return False
        return not self._has(LARGEST_OBJECT - 1)  # else it takes any offset for another

    def search(self, size: int) -> int | None:
        """Return the true size of an object that has more than `size` bytes.

        None for an object of 4 GiB or more if no read reaches that far.

        Raises:
            TransferError: the size cannot be found.
        """
        start = size + FOUR_GIB - 1 if self._goes_on_behind(size) else size
        if self._has(LARGEST_OBJECT - 1):
            raise TransferError(
                f"{self._label}: the camera sends bytes beyond the listed {size:,}, without an end",
                hint="copy it from the card",
            )
        if self._partial(FOUR_GIB + 1) is None and self._has(FOUR_GIB - 1):
            return None
        last, step = start, 1  # there is a byte at `last`
        while self._has(last + step):
            last, step = last + step, 2 * step
        end = last + step  # there is none
        while end - last > 1:
            middle = (last + end) // 2
            last, end = (middle, end) if self._has(middle) else (last, middle)
        # A body that sends no byte behind such an offset may not be able to count further.
        if end in (TWO_GIB, FOUR_GIB) or not self.is_at(end):
            raise TransferError(
                f"{self._label}: the object is larger than the listed {size:,} bytes",
                hint="its end cannot be found; copy it from the card",
            )
        log.warning("%s has %d bytes; the camera lists %d", self._label, end, size)
        return end

    def _has(self, offset: int) -> bool:
        return bool(self._came(offset, 1))

    def _came(self, offset: int, size: int) -> int | None:
        """How many bytes come of a range; None when it is refused, or no read reaches it."""
        read = self._partial(offset + size)
        lost = self._camera.habits.lost_at_end
        if read is None or lost.get(read.operation, 0) >= MAX_LOST:
            return None
        request = chunk_request(read, self._handle, offset, size, f"the end of {self._label}")
        sink = MemorySink()
        try:
            request.sink = sink
            phase = self._camera.link.transact(request)
        except (DeviceBusy, SessionNotOpen):
            raise
        except ResponseError as error:
            log.debug("%s", error)
            return None
        except (NetworkError, ProtocolError):
            lost[read.operation] = lost.get(read.operation, 0) + 1
            raise
        finally:
            sink.abandon()
        lost.pop(read.operation, None)
        return phase.received
