"""A fuzz target for several parsers: the first byte chooses the one that reads the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ptpfast.ptp.errors import ProtocolError


def choosing(reads: Sequence[Callable[[bytes], None]]) -> Callable[[bytes], None]:
    """Return a target that reads with one of `reads`; a value or ProtocolError is right."""

    def read(data: bytes) -> None:
        if data:
            try:
                reads[data[0] % len(reads)](data[1:])
            except ProtocolError as error:
                assert error.message

    return read
