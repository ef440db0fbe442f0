"""Ricoh's codes (Ricoh's "PTP-IP reference" of the Theta, theta4j)."""

from __future__ import annotations

from enum import IntEnum


class RicohOperation(IntEnum):
    """Operations of the Theta beyond those that `OperationCode` names."""

    GetResizedImageObject = 0x1022  # handle, width, height; 2048 by 1024 only
    WlanPowerControl = 0x99A1  # switches the Wi-Fi off


class RicohProperty(IntEnum):
    """Device properties beyond those that `DevicePropCode` names."""

    CaptureStatus = 0xD808  # 1 during a series or a movie


SINGLE, INTERVAL = 1, 3  # values of StillCaptureMode
RESIZED = (2048, 1024)
