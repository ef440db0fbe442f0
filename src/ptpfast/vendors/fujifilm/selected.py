"""The pictures that were chosen on a body, which come one after the other as object 1.

A body that has shown them to its owner ("multiple transfer") offers handle 1 only. A read of
another size than 1 MiB ends the picture there, and the next picture takes its handle (vcam, fudge).
So each picture is read once, from its beginning to its end, in pieces of 1 MiB.
"""

from __future__ import annotations

from ...ptp.codes import OperationCode
from ...ptp.errors import TransferError
from ..reads import PartialRead
from .codes import PIECE

HANDLE = 1


class Selected:
    """The picture that is object 1 now."""

    def __init__(self) -> None:
        self.read = PartialRead(OperationCode.GetPartialObject, 32, self._parameters)
        self._size: int | None = None  # while one is read
        self._next = 0

    def begin(self, size: int | None) -> None:
        """Begin to read a picture of `size` bytes."""
        self._size, self._next = size, 0

    def end(self) -> None:
        """Note that the picture was read, or not: its handle may belong to the next one."""
        self._size = None

    def _parameters(self, handle: int, offset: int, size: int) -> tuple[int, ...]:
        """Return the parameters of the next piece.

        Raises:
            TransferError: another piece is wanted, which would end the picture.
        """
        is_last = self._size is not None and offset + size == self._size
        if self._size is None or offset != self._next or not (size == PIECE or is_last):
            raise TransferError(
                "the camera sends the chosen pictures once, from the beginning, in pieces of 1 MiB",
                hint="choose all pictures on the camera, or choose this one again",
            )
        self._next = offset + size
        return handle, offset, size
