"""Operations that read an object, its thumbnail or a range of it: parameters and reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..ptp.codes import OperationCode


@dataclass(frozen=True)
class PartialRead:
    """An operation that reads a range of an object.

    `parameters(handle, offset, size)` makes the parameters of the request. It asks the camera
    nothing, and raises InvalidObjectHandle for an object that is known to be gone. The range must
    end below `1 << offset_bits`.
    """

    operation: int
    offset_bits: int
    parameters: Callable[[int, int, int], tuple[int, ...]]


@dataclass(frozen=True)
class WholeRead:
    """An operation that reads something of an object with one request.

    `parameters(handle)` makes the parameters of the request. It may raise a PTPError for an object
    that cannot be read now; of a thumbnail it asks the camera nothing, and raises as above.
    """

    operation: int
    parameters: Callable[[int], tuple[int, ...]]


GET_OBJECT = WholeRead(OperationCode.GetObject, lambda handle: (handle,))
GET_THUMB = WholeRead(OperationCode.GetThumb, lambda handle: (handle,))
GET_PARTIAL_OBJECT = PartialRead(
    OperationCode.GetPartialObject, 32, lambda handle, offset, size: (handle, offset, size)
)
