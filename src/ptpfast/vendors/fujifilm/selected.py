"""The pictures that were chosen on a body, which come one after the other as object 1.

A body that has shown them to its owner ("multiple transfer") offers handle 1 only. A read of
another size than 1 MiB ends the picture there, and the next picture takes its handle (vcam, fudge).
So each picture is read in pieces of 1 MiB, and once to its end; here it has the number of its turn
as its handle.
"""

from __future__ import annotations

from ...ptp.codes import OperationCode, ResponseCode
from ...ptp.datasets import ObjectInfoDataset, decode
from ...ptp.errors import InvalidObjectHandle, ResponseError, TransferError
from ..bulk import Described
from ..dialect import Asks
from ..reads import PartialRead
from .codes import PIECE

HANDLE = 1  # of the picture whose turn it is, for the body
MAX_INFO = 1 << 16


class Selected:
    """The picture whose turn it is.

    Attributes:
        turn: Its handle here.
        read: The partial read that sends it.
    """

    def __init__(self, link: Asks) -> None:
        self.turn = 1
        self.read = PartialRead(OperationCode.GetPartialObject, 32, self._parameters)
        self._link = link
        self._size: int | None = None  # while one is read
        self._is_sent = False  # with the last piece that was asked for

    def describe(self, handle: int) -> Described:
        """Describe the picture.

        Raises:
            InvalidObjectHandle: it is not its turn, or there is no other.
        """
        if handle != self.turn:
            raise InvalidObjectHandle(ResponseCode.InvalidObjectHandle, OperationCode.GetObjectInfo)
        payload = self._link.fetch(OperationCode.GetObjectInfo, HANDLE, limit=MAX_INFO)
        dataset = decode(ObjectInfoDataset, payload)
        return dataset, dataset.object_compressed_size

    def handles(self) -> list[int]:
        """Return the handle of the picture whose turn it is; none after the last."""
        try:
            self.describe(self.turn)
        except ResponseError:
            return []
        return [self.turn]

    def begin(self, handle: int, size: int | None) -> None:
        """Begin to read a picture of `size` bytes."""
        self._size, self._is_sent = (size if handle == self.turn else None), False

    def end(self) -> None:
        """Note that the picture was read. After its last piece it is the next one's turn."""
        if self._is_sent:
            self.turn += 1
        self._size, self._is_sent = None, False

    def _parameters(self, handle: int, offset: int, size: int) -> tuple[int, ...]:
        """Return the parameters of the next piece.

        Raises:
            TransferError: another piece is wanted, which would end the picture.
        """
        is_last = self._size is not None and offset + size == self._size
        if self._size is None or self._is_sent or not (size == PIECE or is_last):
            raise TransferError(
                "the camera sends the chosen pictures once, and in pieces of 1 MiB",
                hint="choose all pictures on the camera, or choose this one again",
            )
        self._is_sent = is_last
        return HANDLE, offset, size
