"""Nikon's codes, as libgphoto2 (ptp.h) names them."""

from __future__ import annotations

from enum import IntEnum

from ...ptp.codes import ResponseCode


class NikonOperation(IntEnum):
    """Nikon's operations used here (libgphoto2 ptp.h, zcine, camcon)."""

    AdvancedTransfer = 0x9010
    InitiateCaptureRecInSdram = 0x90C0
    AfDrive = 0x90C1
    ChangeCameraMode = 0x90C2
    DeleteImagesInSdram = 0x90C3
    GetLargeThumb = 0x90C4
    GetEvent = 0x90C7
    DeviceReady = 0x90C8
    GetVendorPropCodes = 0x90CA
    AfAndCaptureRecInSdram = 0x90CB
    StartLiveView = 0x9201
    EndLiveView = 0x9202
    GetLiveViewImg = 0x9203
    AfDriveCancel = 0x9206
    InitiateCaptureRecInMedia = 0x9207
    GetVendorStorageIDs = 0x9209
    ConfirmPairing = 0x935A
    SetTransferListLock = 0x9407
    GetTransferList = 0x9408
    NotifyFileAcquisitionStart = 0x9409
    NotifyFileAcquisitionEnd = 0x940A
    GetEventEx = 0x941C
    GetObjectSize = 0x9421
    GetLiveViewImageEx = 0x9428
    GetPartialObjectEx = 0x9431
    ChangeApplicationMode = 0x9435
    GetVendorCodes = 0x9439
    GetDevicePropDescEx = 0x943A
    GetDevicePropValueEx = 0x943B
    SetDevicePropValueEx = 0x943C
    GetPairingInfo = 0x952B


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
    NoTransferListOfAdapter = 0xA081  # of a WU-1a (airmtp)
    BulbReleaseBusy = 0xA200
    SilentReleaseBusy = 0xA201
    MovieFrameReleaseBusy = 0xA202
    NoTransferList = 0xA205
    NoJpegPresent = 0xA206
    Waiting2ndRelease = 0xA207


class NikonEvent(IntEnum):
    """Nikon's events used here (libgphoto2 ptp.h)."""

    ObjectAddedInSDRAM = 0xC101
    CaptureCompleteRecInSdram = 0xC102
    AdvancedTransfer = 0xC103


# Parameter of ConfirmPairing, and of AdvancedTransfer for the job before: a response code.
SUCCEEDED = int(ResponseCode.OK)
# Parameters of InitiateCaptureRecInMedia (libgphoto2 ptp.c): without autofocus; to the card.
NO_AUTOFOCUS = 0xFFFFFFFF
TO_CARD = 0


class NikonProperty(IntEnum):
    """Nikon's device properties used here (libgphoto2 ptp.h; the last one zcine)."""

    RecordingMedia = 0xD10B
    LiveViewStatus = 0xD1A2
    LiveViewProhibition = 0xD1A4
    ApplicationMode = 0xD1F0
    MovieShutterMode = 0x0001D074


IN_MEMORY = 1  # of RecordingMedia: where pictures go; 0 is the card
# GetVendorCodes of the device properties (zcine).
KIND_PROPERTIES = 0x0D
