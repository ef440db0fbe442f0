"""The card that a contender reads: the C Responder's, or that of a simulated camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numpy import uint8
from numpy.typing import NDArray

from ptpfast import ObjectInfo
from ptpfast.sim import Store, check

from ..content import WrongContent, check_buffer, check_file


class Card:
    """Compares copies of its objects.

    host: where the camera is; the Responder serves loopback only, and a link has the simulated one.
    """

    def __init__(self, host: str, objects: Sequence[ObjectInfo]) -> None:
        self._store: Store | None = None
        if host != "127.0.0.1":
            self._store = Store.synthetic(len(objects), max(info.size or 0 for info in objects))

    def check(self, info: ObjectInfo, copy: Path | NDArray[uint8]) -> None:
        """Raise WrongContent unless a file or an array is the whole object."""
        if self._store is not None:
            if not check(self._store.expected(info.handle), copy):
                raise WrongContent(f"object {info.handle} differs")
        elif isinstance(copy, Path):
            check_file(info.handle, copy, info.size or 0)
        elif copy.size != info.size:
            raise WrongContent(f"object {info.handle} has {copy.size:,} bytes")
        else:
            check_buffer(info.handle, copy)
