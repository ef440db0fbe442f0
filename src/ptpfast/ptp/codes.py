"""PTP's own code numbers: operations, responses, events, object formats.

Only what ISO 15740 and MTP define and a line of this package uses or prints. A vendor's numbers are
in that vendor's file, because the same number means different things to different vendors.
Packet types are not here: they are a matter of the wire (`ptpfast.engine.wire.PacketType`).

Sources: ISO 15740; MTP 1.1; numbers checked against libgphoto2's ptp.h and Wireshark's dissector.
"""

from __future__ import annotations

from enum import IntEnum

DEFAULT_PORT = 15740  # IANA "ptp", CIPA DC-005; both connections use it
PROTOCOL_VERSION = 0x00010000  # 1.0: major in the high half (CIPA DC-005)

ALL_STORAGES = 0xFFFFFFFF
ROOT_OBJECTS = 0xFFFFFFFF  # as the parent parameter of GetObjectHandles: root level only
SIZE_SATURATED = 0xFFFFFFFF  # ObjectCompressedSize of an object of 4 GiB or more


class OperationCode(IntEnum):
    """Operation codes of ISO 15740 (0x10xx) and MTP (0x98xx)."""

    GetDeviceInfo = 0x1001
    OpenSession = 0x1002
    CloseSession = 0x1003
    GetStorageIDs = 0x1004
    GetStorageInfo = 0x1005
    GetNumObjects = 0x1006
    GetObjectHandles = 0x1007
    GetObjectInfo = 0x1008
    GetObject = 0x1009
    GetThumb = 0x100A
    DeleteObject = 0x100B
    SendObjectInfo = 0x100C
    SendObject = 0x100D
    InitiateCapture = 0x100E
    FormatStore = 0x100F
    ResetDevice = 0x1010
    SelfTest = 0x1011
    SetObjectProtection = 0x1012
    PowerDown = 0x1013
    GetDevicePropDesc = 0x1014
    GetDevicePropValue = 0x1015
    SetDevicePropValue = 0x1016
    ResetDevicePropValue = 0x1017
    TerminateOpenCapture = 0x1018
    MoveObject = 0x1019
    CopyObject = 0x101A
    GetPartialObject = 0x101B
    InitiateOpenCapture = 0x101C
    GetObjectPropsSupported = 0x9801
    GetObjectPropDesc = 0x9802
    GetObjectPropValue = 0x9803
    SetObjectPropValue = 0x9804
    GetObjectPropList = 0x9805


class ResponseCode(IntEnum):
    """Response codes of ISO 15740 (0x20xx) and MTP (0xA8xx)."""

    Undefined = 0x2000
    OK = 0x2001
    GeneralError = 0x2002
    SessionNotOpen = 0x2003
    InvalidTransactionID = 0x2004
    OperationNotSupported = 0x2005
    ParameterNotSupported = 0x2006
    IncompleteTransfer = 0x2007
    InvalidStorageID = 0x2008
    InvalidObjectHandle = 0x2009
    DevicePropNotSupported = 0x200A
    InvalidObjectFormatCode = 0x200B
    StoreFull = 0x200C
    ObjectWriteProtected = 0x200D
    StoreReadOnly = 0x200E
    AccessDenied = 0x200F
    NoThumbnailPresent = 0x2010
    SelfTestFailed = 0x2011
    PartialDeletion = 0x2012
    StoreNotAvailable = 0x2013
    SpecificationByFormatUnsupported = 0x2014
    NoValidObjectInfo = 0x2015
    InvalidCodeFormat = 0x2016
    UnknownVendorCode = 0x2017
    CaptureAlreadyTerminated = 0x2018
    DeviceBusy = 0x2019
    InvalidParentObject = 0x201A
    InvalidDevicePropFormat = 0x201B
    InvalidDevicePropValue = 0x201C
    InvalidParameter = 0x201D
    SessionAlreadyOpened = 0x201E
    TransactionCancelled = 0x201F
    SpecificationOfDestinationUnsupported = 0x2020
    InvalidObjectPropCode = 0xA801
    InvalidObjectPropFormat = 0xA802
    InvalidObjectPropValue = 0xA803
    InvalidObjectReference = 0xA804
    SpecificationByGroupUnsupported = 0xA807
    SpecificationByDepthUnsupported = 0xA808
    ObjectTooLarge = 0xA809
    ObjectPropNotSupported = 0xA80A


class EventCode(IntEnum):
    """Event codes of ISO 15740."""

    CancelTransaction = 0x4001
    ObjectAdded = 0x4002
    ObjectRemoved = 0x4003
    StoreAdded = 0x4004
    StoreRemoved = 0x4005
    DevicePropChanged = 0x4006
    ObjectInfoChanged = 0x4007
    DeviceInfoChanged = 0x4008
    RequestObjectTransfer = 0x4009
    StoreFull = 0x400A
    DeviceReset = 0x400B
    StorageInfoChanged = 0x400C
    CaptureComplete = 0x400D
    UnreportedStatus = 0x400E


class ObjectFormat(IntEnum):
    """Object format codes of ISO 15740.

    Notes:
        Vendors use 0xB000 and up for different formats. The file name is more reliable.
    """

    Undefined = 0x3000
    Association = 0x3001
    Script = 0x3002
    Text = 0x3004
    DPOF = 0x3006
    WAV = 0x3008
    AVI = 0x300A
    MPEG = 0x300B
    QuickTime = 0x300D
    UndefinedImage = 0x3800
    EXIF_JPEG = 0x3801
    TIFF_EP = 0x3802
    BMP = 0x3804
    JFIF = 0x3808
    PNG = 0x380B
    TIFF = 0x380D
    DNG = 0x3811
    HEIF = 0x3812
    MP4 = 0xB982


class DevicePropCode(IntEnum):
    """Device properties of the standard (ISO 15740)."""

    BatteryLevel = 0x5001
    FunctionalMode = 0x5002
    ImageSize = 0x5003
    CompressionSetting = 0x5004
    WhiteBalance = 0x5005
    RGBGain = 0x5006
    FNumber = 0x5007
    FocalLength = 0x5008
    FocusDistance = 0x5009
    FocusMode = 0x500A
    ExposureMeteringMode = 0x500B
    FlashMode = 0x500C
    ExposureTime = 0x500D
    ExposureProgramMode = 0x500E
    ExposureIndex = 0x500F
    ExposureBiasCompensation = 0x5010
    DateTime = 0x5011
    CaptureDelay = 0x5012
    StillCaptureMode = 0x5013
    Contrast = 0x5014
    Sharpness = 0x5015
    DigitalZoom = 0x5016
    EffectMode = 0x5017
    BurstNumber = 0x5018
    BurstInterval = 0x5019
    TimelapseNumber = 0x501A
    TimelapseInterval = 0x501B
    FocusMeteringMode = 0x501C
    UploadURL = 0x501D
    Artist = 0x501E
    CopyrightInfo = 0x501F


class ObjectPropCode(IntEnum):
    """MTP object properties that this package reads."""

    StorageID = 0xDC01
    ObjectFormat = 0xDC02
    ProtectionStatus = 0xDC03
    ObjectSize = 0xDC04
    ObjectFileName = 0xDC07
    DateCreated = 0xDC08
    DateModified = 0xDC09
    ParentObject = 0xDC0B


class DataType(IntEnum):
    """DataTypeCodes of ISO 15740. An array type is the element's code + 0x4000."""

    INT8 = 0x0001
    UINT8 = 0x0002
    INT16 = 0x0003
    UINT16 = 0x0004
    INT32 = 0x0005
    UINT32 = 0x0006
    INT64 = 0x0007
    UINT64 = 0x0008
    INT128 = 0x0009
    UINT128 = 0x000A
    STR = 0xFFFF


class FailReason(IntEnum):
    """Reasons of Init Fail (CIPA DC-005)."""

    REJECTED_INITIATOR = 1
    BUSY = 2
    UNSPECIFIED = 3


def name_of(enum: type[IntEnum], code: int) -> str:
    """Return `DeviceBusy (0x2019)` for a known code, `0xA123` for an unknown one; for messages."""
    try:
        return f"{enum(code).name} (0x{code:04X})"
    except ValueError:
        return f"0x{code:04X}"
