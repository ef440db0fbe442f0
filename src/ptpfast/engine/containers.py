"""Containers: PTP packets as they are framed over USB and, by Fujifilm, over TCP.

A container is length u32 (counting itself), kind u16, code u16, transaction id u32. Then come
parameters (u32 each) or payload. This module does no input or output and knows no session.

Source: libgphoto2 (ptp.h, `PTPUSBBulkContainer`; fujiptpip.c), which sends them to Fujifilm's
bodies unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .errors import ProtocolError
from .wire import Builder, ContainerKind, Cursor

HEAD_SIZE = 12
_KINDS = frozenset(ContainerKind)


class Container(NamedTuple):
    """One container.

    Attributes:
        payload: the bytes after the head, as a view of the parsed buffer.
    """

    kind: ContainerKind
    code: int
    transaction_id: int
    payload: memoryview

    @property
    def parameters(self) -> tuple[int, ...]:
        """The payload as parameters. Raises ProtocolError unless its size is a multiple of 4."""
        return Cursor(self.payload, f"{self.kind.name} container").parameters()


def pack(
    kind: int,
    code: int,
    transaction_id: int,
    parameters: Iterable[int] = (),
    *,
    payload: bytes = b"",
) -> bytes:
    """Return the bytes of one container. ValueError for a value that does not fit its field."""
    rest = Builder()
    rest.parameters(tuple(parameters))
    rest.payload(payload)
    builder = Builder()
    builder.u32(HEAD_SIZE + len(rest))
    builder.u16(kind)
    builder.u16(code)
    builder.u32(transaction_id)
    return bytes(builder) + bytes(rest)


def parse(buffer: Any) -> Container:
    """Return the container at the start of a C-contiguous bytes-like object.

    Bytes after the container are ignored.

    Raises:
        ProtocolError: the container is cut or of unknown kind.
    """
    cursor = Cursor(buffer, "container")
    length, kind, code, transaction_id = cursor.u32(), cursor.u16(), cursor.u16(), cursor.u32()
    if not HEAD_SIZE <= length <= HEAD_SIZE + cursor.remaining:
        raise ProtocolError(
            f"container: length {length}, but {HEAD_SIZE + cursor.remaining} bytes are here and a "
            f"container has at least {HEAD_SIZE}"
        )
    if kind not in _KINDS:
        raise ProtocolError(f"container of unknown kind {kind}", offset=4)
    return Container(ContainerKind(kind), code, transaction_id, cursor.take(length - HEAD_SIZE))
