"""The pictures that were chosen on a body, which come one after the other as object 1.

A body that has shown them to its owner ("multiple transfer") offers handle 1 only. A read of
another size than 1 MiB ends the picture there, and the next picture takes its handle (vcam, fudge).
So each picture is read in pieces of 1 MiB, and once to its end; here it has the number of its turn
as its handle. No number is used twice: a lost connection may leave the body at any picture.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from ...ptp.codes import OperationCode, ResponseCode
from ...ptp.datasets import ObjectInfoDataset, decode
from ...ptp.errors import InvalidObjectHandle, TransferError
from ..bulk import Described
from ..dialect import Asks
from ..reads import PartialRead, WholeRead
from .codes import PIECE

log: logging.Logger = logging.getLogger("ptpfast")

HANDLE = 1  # of the picture whose turn it is, for the body
MAX_INFO = 1 << 16


class Selected:
    """The picture whose turn it is.

    Attributes:
        turn: Its handle here.
        read: The partial read that sends it.
        thumb: The read of its thumbnail.
    """

    def __init__(self, link: Asks) -> None:
        self.turn: int = 1
        self.read: PartialRead = PartialRead(OperationCode.GetPartialObject, 32, self._parameters)
        self.thumb: WholeRead = WholeRead(OperationCode.GetThumb, self._of_turn)
        self._link = link
        self._dataset: ObjectInfoDataset | None = None  # of the picture whose turn it was last
        self._is_doubtful = False  # whether it is still that picture's turn
        self._turns: list[ObjectInfoDataset] = []  # the pictures offered so far; the first has 1
        self._passed: set[int] = set()  # those that were sent to their end
        self._size: int | None = None  # while one is read
        self._is_sent = False  # with the last piece that was asked for
        self._is_over = False  # the body has said that there is no other picture
        self._repeated = ""  # the name of a picture that is offered again and again

    @property
    def unsaid(self) -> str:
        """What is not known after a picture that was sent to its end, until the body has described
        another one, or has said that there is none; else ''."""
        if self._repeated:
            return (
                f"The camera offers {self._repeated} again and no other picture: files behind it "
                "may be waiting."
            )
        if not self._passed or self._dataset is not None or self._is_over:
            return ""
        count = len(self._passed)
        pictures = "1 picture that was" if count == 1 else f"{count:,} pictures that were"
        return (
            f"The camera is gone after {pictures} chosen on it. It switches off after the last "
            "one and does not tell how many were chosen: if you chose more, choose the missing "
            "ones again and run the same command again."
        )

    def reconnected(self) -> None:
        """Note that the body may offer another picture now than before."""
        self._size, self._is_sent, self._is_doubtful, self._is_over = None, False, True, False

    def left(self) -> None:
        """Note that the body offers something else than chosen pictures."""
        self._is_over, self._repeated = True, ""

    def describe(self, handle: int) -> Described:
        """Describe the picture.

        Raises:
            InvalidObjectHandle: it is not its turn, or there is no other.
        """
        if handle == self.turn and self._is_sent and (sent := self._dataset) is not None:
            return sent, sent.object_compressed_size  # the body offers the next one by now
        if handle == self.turn or self._is_doubtful:
            dataset = self._described()
            if handle == self.turn:
                return dataset, dataset.object_compressed_size
        raise _not_its_turn(OperationCode.GetObjectInfo)

    def _of_turn(self, handle: int) -> tuple[int, ...]:
        if handle != self.turn:
            raise _not_its_turn(OperationCode.GetThumb)
        return (HANDLE,)

    def _described(self) -> ObjectInfoDataset:
        """Describe the picture that is offered, and give it a number."""
        payload = self._link.fetch(OperationCode.GetObjectInfo, HANDLE, limit=MAX_INFO)
        dataset = decode(ObjectInfoDataset, payload)
        if self._is_doubtful:
            dataset = self._found_again(dataset)
        elif self.turn > len(self._turns):
            self._turns.append(dataset)
        self._dataset = dataset
        return dataset

    def _found_again(self, dataset: ObjectInfoDataset) -> ObjectInfoDataset:
        """Note whose turn it is after a reconnect: a body may begin again with the first picture.
        Pictures that were sent to their end are read past."""
        for _ in range(len(self._passed) + 1):
            if dataset not in self._turns:
                self._turns.append(dataset)
            self.turn = self._turns.index(dataset) + 1
            if self.turn not in self._passed:
                break
            self._read_bytes(dataset.object_compressed_size)
            payload = self._link.fetch(OperationCode.GetObjectInfo, HANDLE, limit=MAX_INFO)
            dataset = decode(ObjectInfoDataset, payload)
        self._is_doubtful = False
        return dataset

    def handles(self) -> list[int]:
        """Return the handle of the picture whose turn it is; none after the last."""
        try:
            self._described()
        except InvalidObjectHandle:
            self._is_over = True
            return []
        self._is_over = False
        return [self.turn]

    def after(self, taken: Collection[int]) -> list[int]:
        """Return the handle of the next picture; one that is safe here is read past."""
        offered = self.handles()
        if offered and self.turn in taken and (past := self._dataset) is not None:
            self._read_past(past.object_compressed_size)
            offered = self.handles()
            if self._dataset == past:
                log.warning("the camera offers %s again: no other is asked for", past.filename)
                self._repeated = past.filename
                return []
        self._repeated = ""
        return offered

    def _read_past(self, size: int) -> None:
        self._read_bytes(size)
        self._next()

    def _read_bytes(self, size: int) -> None:
        offset = 0
        while offset < size:
            piece = min(PIECE, size - offset)
            got = self._link.fetch(
                OperationCode.GetPartialObject, HANDLE, offset, piece, limit=PIECE
            )
            if len(got) != piece:
                raise TransferError("the camera sent too little of a picture that is here already")
            offset += piece

    def _next(self) -> None:
        self._passed.add(self.turn)
        self.turn = len(self._turns) + 1
        self._dataset = None

    def begin(self, handle: int, size: int | None) -> None:
        """Begin to read a picture of `size` bytes."""
        self._size, self._is_sent = (size if handle == self.turn else None), False

    def end(self, *, arrived: bool) -> bool:
        """Note that the picture was read; return whether that was to its end. After its last piece
        it is the next one's turn; where that piece may not have arrived, it may be either's."""
        is_through = self._is_sent and arrived
        if is_through:
            self._next()
        elif self._is_sent:
            self._is_doubtful = True
        self._size, self._is_sent = None, False
        return is_through

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


def _not_its_turn(operation: int) -> InvalidObjectHandle:
    return InvalidObjectHandle(ResponseCode.InvalidObjectHandle, operation)
