"""Fujifilm's codes, as libgphoto2 (ptp.h), fudge (fujiptp.h) and vcam (fujiptp.h) name them."""

from __future__ import annotations

from enum import IntEnum


class FujifilmOperation(IntEnum):
    """Operations over Wi-Fi (libgphoto2 ptp.h; malc0mn/ptp-ip for GetCapturePreview)."""

    StartMovie = 0x9020
    StopMovie = 0x9021
    GetCapturePreview = 0x9022
    LockFocusPoint = 0x9026
    UnlockFocusPoint = 0x9027
    GetPropertyDescriptions = 0x902B  # libgphoto2: GetDeviceInfo of Fujifilm
    StepShutterSpeed = 0x902C
    StepFNumber = 0x902D
    StepExposureBias = 0x902E
    CancelInitiateCapture = 0x9030


class FujifilmEvent(IntEnum):
    """Events (malc0mn/ptp-ip)."""

    PreviewAvailable = 0xC001
    ObjectAdded = 0xC004  # without a handle


class FujifilmProperty(IntEnum):
    """Properties that steer a session (vcam fuji.c, fudge fuji.c)."""

    News = 0xD212  # the properties that have changed
    ReleaseAction = 0xD208  # of the next InitiateCapture (libgphoto2)
    SelectedImagesMode = 0xD220
    ObjectCount = 0xD222
    EnableCorrectFileSize = 0xD227
    CompressionCutOff = 0xD235
    StorageID = 0xD244
    ObjectCount2 = 0xD401
    CameraState = 0xDF00
    ClientState = 0xDF01
    ImageGetVersion = 0xDF21
    GetObjectVersion = 0xDF22
    AutoSaveVersion = 0xDF23
    RemoteVersion = 0xDF24
    RemoteGetObjectVersion = 0xDF25


class CameraState(IntEnum):
    """What a body offers (fudge fujiptp.h). Other values are of later bodies."""

    WAITING = 0  # for its owner
    MULTIPLE_TRANSFER = 1  # of the pictures that were chosen on it
    FULL_ACCESS = 2
    AUTO_SAVE = 3
    REMOTE = 6


class ClientState(IntEnum):
    """What a client wants, where it is not the camera's state itself (fudge fujiptp.h)."""

    REMOTE = 5
    VIEWER = 11  # of pictures, within remote control


RELEASE = 0x0304  # a ReleaseAction: take the picture; others are about the focus (libgphoto2)
# The version of remote control that fudge writes, whatever the body says of its own.
REMOTE_VERSION = 0x0002000C
# The version of the viewer that Fujifilm's application writes (fudge); older on two bodies.
VIEWER_VERSION = 5
OLDER_VIEWERS = {"X-S10": 4, "X-H1": 4}
# GetThumb of bodies with a later remote version never answers unless GetObjectInfo came first.
THUMB_NEEDS_INFO = 0x00020006
BACKUP_OBJECT = 0xFFFFFFF1  # asked for before remote control; InvalidObjectHandle is fine (fudge)
PIECE = 0x100000  # of GetPartialObject: an X-A2 stalls at more (fudge)
