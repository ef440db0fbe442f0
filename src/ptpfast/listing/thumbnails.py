"""Thumbnails of many objects, pipelined if the camera can handle it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from ..link.link import Link
from ..link.many import Many
from ..ptp.errors import PTPError, TransferError

MAX_THUMBNAIL = 16 << 20  # a JPEG of 160 x 120 is some 10 KB; some bodies send more
# Requests are pipelined within a window, whose answers are held until all have come. So
# it grows: soon the first is there, and later the pause between two windows costs little.
GROWTH = 4
WINDOW_SIZE = 8 << 20  # bytes
LARGEST_WINDOW = 64  # for each request outstanding


def thumbnails(link: Link, handles: Iterable[int]) -> Iterator[tuple[int, bytes | PTPError]]:
    """Yield each handle with its thumbnail or its error; see `Session.thumbnails`."""
    thumb = link.dialect.thumb()
    many = Many(link, thumb.operation, MAX_THUMBNAIL, thumb.parameters)
    waiting = iter(handles)
    window = 1
    while batch := list(islice(waiting, window)):
        answers: dict[int, bytearray | PTPError] = {}
        failure: PTPError | None = None
        try:
            for handle in batch:
                link.dialect.before_thumbnail(handle)
            many.ask(batch, answers.__setitem__)
        except PTPError as error:
            failure = error
        for handle in batch:
            if (answer := answers.get(handle)) is not None:
                yield handle, answer if isinstance(answer, PTPError) else _picture(handle, answer)
        if failure is not None:
            raise failure
        window = _next_window(window, link.habits.depth, answers.values())


def thumbnail(link: Link, handle: int) -> bytes:
    """Return the thumbnail of one object; see `Session.thumbnail`."""
    link.dialect.before_thumbnail(handle)
    thumb = link.dialect.thumb()
    payload = link.fetch(thumb.operation, *thumb.parameters(handle), limit=MAX_THUMBNAIL)
    answer = _picture(handle, payload)
    if isinstance(answer, PTPError):
        raise answer
    return answer


def _picture(handle: int, payload: bytearray) -> bytes | TransferError:
    """Return the picture; an empty answer is an error, even with the response OK."""
    label = f"the thumbnail of file 0x{handle:X}"
    return bytes(payload) or TransferError(f"{label}: the camera reported success but sent no data")


def _next_window(window: int, depth: int, came: Iterable[bytearray | PTPError]) -> int:
    if depth == 1:
        return 1
    sizes = [len(answer) for answer in came if isinstance(answer, bytearray)]
    fitting = WINDOW_SIZE * len(sizes) // max(1, sum(sizes)) if sizes else window
    return max(depth, min(GROWTH * window, fitting, LARGEST_WINDOW * depth))
