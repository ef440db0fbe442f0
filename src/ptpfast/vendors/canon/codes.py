"""Canon's codes, as libgphoto2 (ptp.h) names them."""

from __future__ import annotations

from enum import IntEnum


class CanonOperation(IntEnum):
    """The operations of EOS bodies used here (libgphoto2 ptp.h)."""

    SetModeDialDisable = 0x9088
    GetStorageIDsEx = 0x9101
    GetStorageInfoEx = 0x9102
    GetObjectEx = 0x9104
    GetPartialObjectEOS = 0x9107
    GetDeviceInfoEx = 0x9108
    GetObjectInfoEx = 0x9109
    GetThumbEx = 0x910A
    SetObjectAttributes = 0x910C
    RemoteRelease = 0x910F
    SetDevicePropValueEx = 0x9110
    SetRemoteMode = 0x9114
    SetEventMode = 0x9115
    GetEvent = 0x9116
    TransferComplete = 0x9117
    PCHDDCapacity = 0x911A
    SetUILock = 0x911B
    ResetUILock = 0x911C
    KeepDeviceOn = 0x911D
    RequestDevicePropValue = 0x9127
    RemoteReleaseOn = 0x9128
    RemoteReleaseOff = 0x9129
    SetRequestOLCInfoGroup = 0x913D
    InitiateViewfinder = 0x9151
    TerminateViewfinder = 0x9152
    GetViewFinderData = 0x9153
    AfCancel = 0x9160


class CanonResponse(IntEnum):
    """The response codes of EOS bodies (libgphoto2 ptp.h)."""

    UnknownCommand = 0xA001
    OperationRefused = 0xA005
    LensCoverClosed = 0xA006
    LowBattery = 0xA101
    ObjectNotReady = 0xA102
    CannotMakeObject = 0xA104
    MemoryStatusNotReady = 0xA106


class CanonEvent(IntEnum):
    """The records of GetEvent (libgphoto2 ptp.h; the names of C1B6 to C1B8 after indigo's)."""

    ObjectAddedEx = 0xC181
    ObjectRemoved = 0xC182
    StorageStatusChanged = 0xC184
    StorageInfoChanged = 0xC185
    RequestObjectTransfer = 0xC186
    ObjectInfoChangedEx = 0xC187
    ObjectContentChanged = 0xC188
    PropValueChanged = 0xC189
    AvailListChanged = 0xC18A
    CameraStatusChanged = 0xC18B
    WillSoonShutdown = 0xC18D
    StoreAdded = 0xC192
    StoreRemoved = 0xC193
    AfResult = 0xC1A3
    OLCInfoChanged = 0xC1A5
    ObjectAddedEx64 = 0xC1A7
    ObjectInfoChangedEx64 = 0xC1A8
    RequestObjectTransfer64 = 0xC1A9
    ObjectAddedEx64LongName = 0xC1B6
    ObjectInfoChangedEx64LongName = 0xC1B7
    RequestObjectTransfer64LongName = 0xC1B8


class CanonProperty(IntEnum):
    """The properties that ptpfast sets or waits for (libgphoto2 ptp.h)."""

    Aperture = 0xD101
    ShutterSpeed = 0xD102
    ISOSpeed = 0xD103
    Owner = 0xD115
    AvailableShots = 0xD11B
    CaptureDestination = 0xD11C
    ImageFormat = 0xD120
    ImageFormatCF = 0xD121
    ImageFormatSD = 0xD122
    ImageFormatExtHD = 0xD123
    OLCInfoVersion = 0xD199
    SerialNumber = 0xD1AF
    EVFOutputDevice = 0xD1B0
    EVFMode = 0xD1B1
    Artist = 0xD1D0
    Copyright = 0xD1D1
    FocusInfoEx = 0xD1D3


# Parameters and values, each with its source.
LISTING_FLAGS = 0x00100000  # of GetObjectInfoEx (libgphoto2 ptp.c)
FRAME_SIZE = 0x00200000  # of GetViewFinderData (libgphoto2 ptp.c)
OLC_GROUPS = 0x1FFF  # all of them (libgphoto2 config.c)
# PCHDDCapacity: free clusters of this computer, bytes of a cluster, and a reset (libgphoto2).
HOST_ROOM = (0x0FFFFFFF, 0x1000, 1)
# Bits of CaptureDestination: the picture goes into the camera's memory, for this computer.
TO_HOST = 4
# Bits of EVFOutputDevice (indigo): the camera's own display, and this computer.
TO_DISPLAY, TO_PC, TO_MOBILE_2 = 1, 2, 8
HALF, FULL, BOTH = 1, 2, 3  # of RemoteReleaseOn and RemoteReleaseOff (libgphoto2 ptp.c)
CAPTURING = 1  # of CameraStatusChanged
EOS_MODE, M_MODE, SX_MODE = 0x01, 0x15, 0x11  # of SetRemoteMode (libgphoto2 config.c)
