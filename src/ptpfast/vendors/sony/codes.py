"""Sony's codes.

Sources: Sony's Camera Control PTP 3 Reference, libgphoto2 (ptp.h), airmtp for "Send to Computer".
"""

from __future__ import annotations

from enum import IntEnum


class SonyOperation(IntEnum):
    """Sony's operations used here."""

    SDIOConnect = 0x9201
    GetExtDeviceInfo = 0x9202
    SetExtDevicePropValue = 0x9205
    ControlDevice = 0x9207
    GetAllExtDevicePropInfo = 0x9209
    SDIOOpenSession = 0x9210
    GetPartialLargeObject = 0x9211
    SetContentsTransferMode = 0x9212
    GetVendorCodeVersion = 0x9216
    GetDescriptionFile = 0x923A
    GetCapturedDateList = 0x923B
    GetContentInfoList = 0x923C
    GetContentData = 0x923D
    GetContentCompressedData = 0x923E
    DeleteContent = 0x9250
    SetSendStatus = 0x9280
    GetSendStatus = 0x9281


class SonyResponse(IntEnum):
    """Sony's response codes."""

    AuthenticationFailed = 0xA101
    TemporaryStorageFull = 0xA105
    CameraStatusError = 0xA106


class SonyEvent(IntEnum):
    """Sony's events used here."""

    ObjectAdded = 0xC201
    ObjectRemoved = 0xC202
    DevicePropChanged = 0xC203
    Captured = 0xC206
    ContentInfoListChanged = 0xC234
    DeleteResult = 0xC240


class SonyProperty(IntEnum):
    """Sony's properties and controls used here."""

    ShutterSpeed = 0xD20D
    FocusIndication = 0xD213
    ObjectInMemory = 0xD215
    LiveViewStatus = 0xD221
    SaveDestination = 0xD222
    HostPriority = 0xD25A
    ContentsTransferEnabled = 0xD295
    ContentList1Enabled = 0xD1D4
    ContentList2Enabled = 0xD1D5
    ContentList1Regenerated = 0xD1D6
    ContentList2Regenerated = 0xD1D7
    ContentList1Updated = 0xE0D9
    ContentList2Updated = 0xE0DA
    S1 = 0xD2C1
    S2 = 0xD2C2


class Mode(IntEnum):
    """The function modes of SDIOOpenSession; OpenSession begins the first."""

    REMOTE = 0
    CONTENT_TRANSFER = 1
    REMOTE_WITH_TRANSFER = 2


VERSION = 0x012C  # of GetExtDeviceInfo: 3.00
# From this vendor code version on (× 100) a body has properties of 0xE000 to 0xEFFF and controls of
# 0xF000 to 0xFFFF, which it describes and takes with the flag alone (reference).
EXTENDED_VERSION, EXTENDED, LEAST_EXTENDED = 310, 1, 0xE000
PRESS, RELEASE = 2, 1  # values of a control
SHOT_BUFFER = 0xFFFFC001  # handle of the first picture in the camera's memory
LIVE_VIEW = 0xFFFFC002  # handle of the live view frame
CHOSEN = 0x00F10001  # storage of the pictures that the camera's owner has chosen for a transfer
READY = 0x8000  # of ObjectInMemory: the first picture can be read; the rest is a count
# Values of SaveDestination.
TO_HOST, TO_CAMERA, TO_BOTH = 0x0001, 0x0010, 0x0011
FOCUSED = (2, 6)  # values of FocusIndication: locked, tracking
DELETE_PAUSE_S = 0.6  # between two deletions (reference)
STATUS = 4  # the parameter of SetSendStatus and GetSendStatus
# CompressionSetting of RAW, and of RAW + JPEG (libgphoto2 config.c, Sony's image qualities).
RAW, RAW_AND_JPEG = 0x10, frozenset({0x11, 0x12, 0x13, 0x14})


# Properties of the content lists, by slot; and the other way round.
ENABLED = {1: SonyProperty.ContentList1Enabled, 2: SonyProperty.ContentList2Enabled}
REGENERATED = {1: SonyProperty.ContentList1Regenerated, 2: SonyProperty.ContentList2Regenerated}
UPDATED = {int(SonyProperty.ContentList1Updated): 1, int(SonyProperty.ContentList2Updated): 2}
