"""Nikon's codes, as libgphoto2 (ptp.h) names them."""

from __future__ import annotations

from enum import IntEnum


class NikonOperation(IntEnum):
    """Nikon's operations used here (libgphoto2 ptp.h)."""

    InitiateCaptureRecInSdram = 0x90C0
    AfDrive = 0x90C1
    ChangeCameraMode = 0x90C2
    DeleteImagesInSdram = 0x90C3
    GetLargeThumb = 0x90C4
    GetEvent = 0x90C7
    DeviceReady = 0x90C8
    GetVendorPropCodes = 0x90CA
    AfAndCaptureRecInSdram = 0x90CB
    AfDriveCancel = 0x9206
    InitiateCaptureRecInMedia = 0x9207
    GetVendorStorageIDs = 0x9209
    SetTransferListLock = 0x9407
    GetTransferList = 0x9408
    NotifyFileAcquisitionStart = 0x9409
    NotifyFileAcquisitionEnd = 0x940A
    GetEventEx = 0x941C
    GetObjectSize = 0x9421
    GetPartialObjectEx = 0x9431


class NikonResponse(IntEnum):
    """Nikon's response codes (libgphoto2 ptp.h)."""

    HardwareError = 0xA001
    OutOfFocus = 0xA002
    ChangeCameraModeFailed = 0xA003
    InvalidStatus = 0xA004
    SetPropertyNotSupported = 0xA005
    WbResetError = 0xA006
    DustReferenceError = 0xA007
    ShutterSpeedBulb = 0xA008
    MirrorUpSequence = 0xA009
    CameraModeNotAdjustFNumber = 0xA00A
    NotLiveView = 0xA00B
    StoreError = 0xA021
    StoreUnformatted = 0xA022
    BulbReleaseBusy = 0xA200
    SilentReleaseBusy = 0xA201
    MovieFrameReleaseBusy = 0xA202
    NoTransferList = 0xA205


class NikonEvent(IntEnum):
    """Nikon's events (libgphoto2 ptp.h)."""

    ObjectAddedInSDRAM = 0xC101
    CaptureCompleteRecInSdram = 0xC102
    AdvancedTransfer = 0xC103
    PreviewImageAdded = 0xC104
    MovieRecordInterrupted = 0xC105
    MovieRecordComplete = 0xC108
    MovieRecordStarted = 0xC10A


# Parameters of InitiateCaptureRecInMedia (libgphoto2 ptp.c): without autofocus; to the card.
NO_AUTOFOCUS = 0xFFFFFFFF
TO_CARD = 0
