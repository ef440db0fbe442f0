"""Live view frames, each with its time and what the camera says about it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Self

from ..vendors.frames import Focus, LivePicture


class Frame(bytes):
    """A live view frame: the bytes of a JPEG.

    Attributes:
        time: when it was complete on this computer, in seconds since 1970.
        focus: what the camera says about the focus; None if it says nothing that is known.
    """

    time: float
    focus: Focus | None

    @classmethod
    def of(cls, picture: bytes | bytearray, moment: float) -> Self:
        """Return a frame with its time."""
        frame = cls(picture)
        frame.time = moment
        frame.focus = picture.focus if isinstance(picture, LivePicture) else None
        return frame

    def __repr__(self) -> str:
        return f"<Frame of {len(self):,} bytes>"


def timed(pictures: Iterator[bytes]) -> Generator[Frame]:
    """Yield pictures as frames. Closing it closes `pictures`."""
    try:
        for picture in pictures:
            yield Frame.of(picture, time.time())
    finally:
        if isinstance(pictures, Generator):
            pictures.close()
