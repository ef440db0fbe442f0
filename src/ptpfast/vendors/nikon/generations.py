"""The generations of Nikon bodies, told apart by the operations that they list.

Source: zcine (ZCameraCapabilityProfile.swift, and its notes on the original Z 5, Z 6, Z 7, Z 50).
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

from ...ptp.datasets import DeviceInfo
from .codes import NikonOperation


class Generation(IntEnum):
    """What a body can be asked."""

    DSLR = 0  # also Nikon 1
    FIRST_Z = 1  # Z 5, Z 6, Z 7, Z 50
    SECOND_Z = 2  # Z 6 II, Z 7 II, Z fc, Z 30
    THIRD_Z = 3  # Z 8, Z 9, Z 6 III, Z f, Z 5 II, Z 50 II, ZR


# Every Z lists these.
OF_ALL_Z = frozenset(
    {
        NikonOperation.GetLiveViewImageEx,
        NikonOperation.GetEventEx,
        NikonOperation.DeviceReady,
        NikonOperation.ChangeCameraMode,
        NikonOperation.InitiateCaptureRecInMedia,
    }
)
PAIRING = frozenset({NikonOperation.GetPairingInfo, NikonOperation.ConfirmPairing})
# The least generation that knows an operation. A Z 5 shows a wireless error when it is asked for
# pairing or for an application mode.
SINCE: dict[int, Generation] = {
    NikonOperation.ChangeApplicationMode: Generation.SECOND_Z,
    NikonOperation.GetVendorCodes: Generation.THIRD_Z,
    NikonOperation.GetDevicePropDescEx: Generation.THIRD_Z,
    NikonOperation.GetDevicePropValueEx: Generation.THIRD_Z,
    NikonOperation.SetDevicePropValueEx: Generation.THIRD_Z,
}
# For a body whose DeviceInfo lists nothing.
FIRST_MODELS = frozenset({"Z 5", "Z 6", "Z 7", "Z 50"})
# GetEvent is unreliable on these, and GetVendorPropCodes crashes some of them (libgphoto2
# library.c). Their names may have the words NIKON 1 in front.
NIKON_1 = frozenset({"V1", "J1", "J2", "J3", "J4", "S1"})


def generation_of(info: DeviceInfo) -> Generation:
    """Return the generation of a body."""
    operations = frozenset(info.operations_supported)
    if NikonOperation.GetVendorCodes in operations:
        return Generation.THIRD_Z
    if NikonOperation.ChangeApplicationMode in operations:
        return Generation.SECOND_Z
    if operations >= OF_ALL_Z or (not operations and info.model in FIRST_MODELS):
        return Generation.FIRST_Z
    return Generation.DSLR


def may_be_asked(info: DeviceInfo, operation: int) -> bool:
    """Return whether a body lists an operation, and its generation knows it."""
    if operation not in info.operations_supported:
        return False
    return generation_of(info) >= SINCE.get(operation, Generation.DSLR)


def is_nikon_1(info: DeviceInfo) -> bool:
    """Return whether a body is one of the Nikon 1 bodies with known faults."""
    return info.model.upper().removeprefix("NIKON 1 ").strip() in NIKON_1


def awaits_approval(operations: Collection[int]) -> bool:
    """Return whether a body lists no more than the way to be approved.

    A body in connect-to-PC mode opens a session with any computer. To one that its owner has not
    approved it lists some basic operations and those of pairing, and refuses all others (camcon).
    """
    listed = frozenset(operations)
    return listed >= PAIRING and not listed & OF_ALL_Z
