"""Panasonic's codes, as libgphoto2 (ptp.h, library.c) and webptz (lumix.rs) use them."""

from __future__ import annotations

from enum import IntEnum


class PanasonicOperation(IntEnum):
    """Operations. Those of libgphoto2 are known over USB."""

    OpenSessionUsb = 0x9102  # over USB in the place of OpenSession
    CloseSessionUsb = 0x9103
    GetState = 0x9104
    GetSizes = 0x9107
    ListProperty = 0x9108
    GetProperty = 0x9402
    SetProperty = 0x9403
    InitiateCapture = 0x9404
    AutoFocus = 0x9405  # webptz
    GetCaptureTarget = 0x940A
    SetCaptureTarget = 0x940B
    MovieControl = 0x940C
    LiveView = 0x9412
    GetLiveViewParameters = 0x9414
    ManualFocusDrive = 0x9416  # webptz: zoom, too
    LiveViewImage = 0x9706


class PanasonicEvent(IntEnum):
    """Events (libgphoto2 ptp.h, library.c)."""

    PropertyChanged = 0xC101
    Busy = 0xC107
    ObjectAdded = 0xC108
    ObjectAddedInMemory = 0xC109


RELEASE = 0x03000011  # parameter of InitiateCapture
LIVE_VIEW_ON, LIVE_VIEW_OFF = 0x0D000010, 0x0D000011
LIVE_VIEW_SIZES = 0x0D800012  # parameter of GetLiveViewParameters
SESSION_ID = 0x00010001  # the only one (webptz)
