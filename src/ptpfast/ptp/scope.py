"""The scope of an error: one object, one storage, the destination, the connection or the run.

Code that handles many objects asks `scope_of`, sets aside the part that the error concerns, and
continues with the rest. The scope is the smallest unit that the error can concern. A refused
GetObjectHandles (`AccessDenied`) concerns the storage, and a refused OpenSession the session,
although the code alone would mean one object.
"""

from __future__ import annotations

import errno
from enum import Enum

from .codes import ResponseCode
from .errors import (
    CameraFailing,
    Cancelled,
    InitFailed,
    LimitReached,
    NetworkError,
    OwnerAsked,
    ProtocolError,
    ResponseError,
    SinkError,
    TransferError,
    Unsupported,
)


class Scope(Enum):
    """The unit that an error concerns, and that ends with it."""

    OBJECT = "this object"  # set aside; the next one comes
    STORAGE = "this storage"  # its objects are set aside; the other storage's come
    DESTINATION = "this destination"  # nothing more can be stored there: ends the run
    CONNECTION = "the connection"  # renewed; ends the run if that fails
    CAMERA = "the camera"  # fails at every object: ends the run
    COMPUTER = "a limit of this computer"  # open files, threads, memory: ends the run
    STOPPED = "the user"  # stopped the run
    DEFECT = "a defect of ptpfast"


# By class, the first that fits. SinkError and OSError are told apart by their errno first.
BY_CLASS: tuple[tuple[type[BaseException], Scope], ...] = (
    (NetworkError, Scope.CONNECTION),
    (InitFailed, Scope.CONNECTION),
    (OwnerAsked, Scope.CONNECTION),
    (ProtocolError, Scope.CONNECTION),
    (TransferError, Scope.OBJECT),
    (ResponseError, Scope.OBJECT),  # a vendor's code; the others are in BY_RESPONSE
    (Unsupported, Scope.OBJECT),
    (CameraFailing, Scope.CAMERA),
    (Cancelled, Scope.STOPPED),
    (LimitReached, Scope.COMPUTER),
    (SinkError, Scope.DESTINATION),
    (OSError, Scope.DESTINATION),  # odd filesystems answer with any errno
    (MemoryError, Scope.COMPUTER),
    (UnicodeEncodeError, Scope.OBJECT),  # a name that the system's encoding lacks
    (KeyboardInterrupt, Scope.STOPPED),
)

BY_RESPONSE: dict[int, Scope] = {
    ResponseCode.Undefined: Scope.OBJECT,
    ResponseCode.GeneralError: Scope.OBJECT,
    ResponseCode.SessionNotOpen: Scope.CONNECTION,
    ResponseCode.InvalidTransactionID: Scope.CONNECTION,
    ResponseCode.OperationNotSupported: Scope.OBJECT,
    ResponseCode.ParameterNotSupported: Scope.OBJECT,
    ResponseCode.IncompleteTransfer: Scope.OBJECT,
    ResponseCode.InvalidStorageID: Scope.STORAGE,
    ResponseCode.InvalidObjectHandle: Scope.OBJECT,
    ResponseCode.DevicePropNotSupported: Scope.OBJECT,
    ResponseCode.InvalidObjectFormatCode: Scope.OBJECT,
    ResponseCode.StoreFull: Scope.STORAGE,
    ResponseCode.ObjectWriteProtected: Scope.OBJECT,
    ResponseCode.StoreReadOnly: Scope.STORAGE,
    ResponseCode.AccessDenied: Scope.OBJECT,
    ResponseCode.NoThumbnailPresent: Scope.OBJECT,
    ResponseCode.SelfTestFailed: Scope.OBJECT,
    ResponseCode.PartialDeletion: Scope.OBJECT,
    ResponseCode.StoreNotAvailable: Scope.STORAGE,
    ResponseCode.SpecificationByFormatUnsupported: Scope.OBJECT,
    ResponseCode.NoValidObjectInfo: Scope.OBJECT,
    ResponseCode.InvalidCodeFormat: Scope.OBJECT,
    ResponseCode.UnknownVendorCode: Scope.OBJECT,
    ResponseCode.CaptureAlreadyTerminated: Scope.OBJECT,
    ResponseCode.DeviceBusy: Scope.OBJECT,  # of all objects in a row, it is the camera's
    ResponseCode.InvalidParentObject: Scope.OBJECT,
    ResponseCode.InvalidDevicePropFormat: Scope.OBJECT,
    ResponseCode.InvalidDevicePropValue: Scope.OBJECT,
    ResponseCode.InvalidParameter: Scope.OBJECT,
    ResponseCode.SessionAlreadyOpened: Scope.CONNECTION,
    ResponseCode.TransactionCancelled: Scope.OBJECT,
    ResponseCode.SpecificationOfDestinationUnsupported: Scope.OBJECT,
    ResponseCode.InvalidObjectPropCode: Scope.OBJECT,
    ResponseCode.InvalidObjectPropFormat: Scope.OBJECT,
    ResponseCode.InvalidObjectPropValue: Scope.OBJECT,
    ResponseCode.InvalidObjectReference: Scope.OBJECT,
    ResponseCode.SpecificationByGroupUnsupported: Scope.OBJECT,
    ResponseCode.SpecificationByDepthUnsupported: Scope.OBJECT,
    ResponseCode.ObjectTooLarge: Scope.OBJECT,
    ResponseCode.ObjectPropNotSupported: Scope.OBJECT,
}

# Of a SinkError, or of an OSError on the way to a file. Others are the destination's (BY_CLASS).
BY_ERRNO: dict[int, Scope] = {
    # One file: too large for the filesystem, a name it cannot have, something in its place.
    errno.EFBIG: Scope.OBJECT,
    errno.EOVERFLOW: Scope.OBJECT,
    errno.ENAMETOOLONG: Scope.OBJECT,
    errno.EILSEQ: Scope.OBJECT,
    errno.EINVAL: Scope.OBJECT,
    errno.EISDIR: Scope.OBJECT,
    errno.EEXIST: Scope.OBJECT,
    errno.ENOTEMPTY: Scope.OBJECT,
    errno.ELOOP: Scope.OBJECT,
    errno.EACCES: Scope.OBJECT,
    errno.EPERM: Scope.OBJECT,
    errno.EBUSY: Scope.OBJECT,
    errno.ETXTBSY: Scope.OBJECT,
    # The destination: full, read-only, broken, taken away.
    errno.ENOSPC: Scope.DESTINATION,
    errno.EDQUOT: Scope.DESTINATION,
    errno.EROFS: Scope.DESTINATION,
    errno.EIO: Scope.DESTINATION,
    errno.ENODEV: Scope.DESTINATION,
    errno.ENXIO: Scope.DESTINATION,
    errno.ESTALE: Scope.DESTINATION,
    errno.ENOTCONN: Scope.DESTINATION,
    errno.ENOENT: Scope.DESTINATION,
    errno.ENOTDIR: Scope.DESTINATION,
    # This computer.
    errno.EMFILE: Scope.COMPUTER,
    errno.ENFILE: Scope.COMPUTER,
    errno.ENOMEM: Scope.COMPUTER,
    errno.ENOBUFS: Scope.COMPUTER,
    errno.EAGAIN: Scope.COMPUTER,
}
TAKEN = errno.EWOULDBLOCK  # of a SinkError: the part file is another run's


def scope_of(error: BaseException) -> Scope:
    """Return the scope of an error; DEFECT if the tables do not have it."""
    if isinstance(error, ResponseError) and error.code in BY_RESPONSE:
        return BY_RESPONSE[error.code]
    if isinstance(error, SinkError) and error.errno == TAKEN:
        return Scope.OBJECT
    if isinstance(error, OSError) and not isinstance(error, NetworkError):
        scope = BY_ERRNO.get(error.errno or 0)
        if scope is not None:
            return scope
    if isinstance(error, RuntimeError) and LimitReached.of(error) is not None:
        return Scope.COMPUTER  # a thread that cannot be started
    return next((scope for kind, scope in BY_CLASS if isinstance(error, kind)), Scope.DEFECT)
