"""Operations that read a range of an object: their parameters and their reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..ptp.codes import OperationCode


@dataclass(frozen=True)
class PartialRead:
    """An operation that reads a range of an object.

    `parameters(handle, offset, size)` makes the parameters of the request. The range must end below
    `1 << offset_bits`.
    """

    operation: int
    offset_bits: int
    parameters: Callable[[int, int, int], tuple[int, ...]]


GET_PARTIAL_OBJECT = PartialRead(
    OperationCode.GetPartialObject, 32, lambda handle, offset, size: (handle, offset, size)
)
