"""Operations that several makers' devices share, beyond those of the standard."""

from __future__ import annotations

from enum import IntEnum


class StandardOperation(IntEnum):
    """Android's extension of MTP (AOSP MtpServer)."""

    GetPartialObject64 = 0x95C1
