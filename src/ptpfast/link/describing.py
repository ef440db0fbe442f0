"""Descriptions of objects: GetObjectInfo, and the true size if 32 bits are too few.

Sources: ISO 15740; libgphoto2 (library.c) for the order of ways to the true size.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from ..engine.wire import Cursor
from ..ptp.codes import SIZE_SATURATED, ObjectPropCode, OperationCode
from ..ptp.datasets import ObjectInfoDataset, decode
from ..ptp.errors import ProtocolError, PTPError, ResponseError, Unreadable
from ..ptp.objects import Description
from .asking import attempt
from .link import Link
from .many import Many
from .tally import Tally

log: logging.Logger = logging.getLogger("ptpfast")

# Four strings of 254 characters at most and 52 bytes of numbers; firmware may add to it.
MAX_OBJECT_INFO = 1 << 16
MAX_PROPERTY = 1 << 10  # a size is 8 bytes
OBJECT_SIZE = -1  # for a vendor's operation of that purpose, whichever it is

Told = Callable[[int, "Description | PTPError"], None]


def describe_one(link: Link, handle: int) -> Description:
    """Describe one object, and retry while the camera is busy.

    Raises:
        ResponseError, ProtocolError: the camera cannot describe it.
    """
    if (own := link.dialect.described(handle)) is not None:
        return Description.of(*own)
    payload = link.fetch(OperationCode.GetObjectInfo, handle, limit=MAX_OBJECT_INFO)
    dataset = decode(ObjectInfoDataset, payload)
    size: int | None = dataset.object_compressed_size
    if size == SIZE_SATURATED:
        size = _true_sizes(link, [handle], Tally()).get(handle)
    return Description.of(dataset, size)


def describe_each(link: Link, handles: Iterable[int], told: Told, tally: Tally) -> None:
    """Ask GetObjectInfo of many objects; call `told` with each description or error.

    A malformed answer is requested a second time.

    Raises:
        NetworkError, ProtocolError: the session has ended.
    """
    large: dict[int, ObjectInfoDataset] = {}
    damaged: dict[int, None] = {}

    def answered(handle: int, answer: bytearray | PTPError) -> None:
        dataset = _decoded(answer)
        if isinstance(dataset, ProtocolError) and handle not in damaged:
            damaged[handle] = None
        elif isinstance(dataset, PTPError):
            told(handle, dataset)
        elif dataset.object_compressed_size == SIZE_SATURATED:
            large[handle] = dataset
        else:
            told(handle, Description.of(dataset, dataset.object_compressed_size))

    many = Many(link, OperationCode.GetObjectInfo, MAX_OBJECT_INFO, tally=tally)
    many.ask(_not_described(link, handles, told), answered)
    if damaged:
        many.ask(list(damaged), answered)
    sizes = _true_sizes(link, list(large), tally)
    for handle, dataset in large.items():
        told(handle, Description.of(dataset, sizes.get(handle)))


def _not_described(link: Link, handles: Iterable[int], told: Told) -> Iterator[int]:
    """Yield the handles that the dialect does not describe in its own way."""
    for handle in handles:
        try:
            own = link.dialect.described(handle)
        except (ResponseError, ProtocolError) as error:
            told(handle, error)
            continue
        if own is None:
            yield handle
        else:
            told(handle, Description.of(*own))


def _decoded(answer: bytearray | PTPError) -> ObjectInfoDataset | PTPError:
    if isinstance(answer, PTPError):
        return answer
    try:
        return decode(ObjectInfoDataset, answer)
    except ProtocolError as damaged:
        return damaged


def _true_sizes(link: Link, handles: list[int], tally: Tally) -> dict[int, int]:
    """Ask for sizes in 64 bits: MTP's ObjectSize property, else the vendor's operation
    (libgphoto2)."""
    sizes: dict[int, int] = {}
    if handles and link.supports(OperationCode.GetObjectPropValue):

        def answered(handle: int, answer: bytearray | PTPError) -> None:
            if isinstance(answer, PTPError):
                log.debug("no ObjectSize of 0x%X: %s", handle, answer)
                return
            cursor = Cursor(answer, "ObjectSize")
            try:
                sizes[handle] = cursor.u64() if cursor.remaining >= 8 else cursor.u32()
                cursor.finish()
            except ProtocolError as damaged:
                log.debug("no ObjectSize of 0x%X: %s", handle, damaged)

        Many(
            link,
            OperationCode.GetObjectPropValue,
            MAX_PROPERTY,
            lambda handle: (handle, ObjectPropCode.ObjectSize),
            tally,
        ).ask(handles, answered)
    for handle in handles:
        if handle not in sizes:
            try:
                size = attempt(
                    link,
                    OBJECT_SIZE,
                    handle,
                    lambda: link.dialect.true_size(handle),  # noqa: B023
                )
            except (ResponseError, ProtocolError, Unreadable) as error:
                log.debug("no size of 0x%X: %s", handle, error)
                continue
            if size is not None:
                sizes[handle] = size
    return sizes
