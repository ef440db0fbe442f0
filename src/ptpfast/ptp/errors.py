"""Every error of ptpfast, arranged by where the fault is.

    PTPError
    ├── NetworkError (OSError)   The network.
    │                            ConnectFailed · ConnectionLost · Timeout (TimeoutError).
    ├── InitFailed               The camera refused the connection.
    │                            NotApproved: its owner has to approve this computer.
    ├── ResponseError            The camera refused an operation.
    │                            DeviceBusy, AccessDenied, … by code.
    ├── ProtocolError            The camera broke the protocol.
    ├── SinkError (OSError)      The disk.
    ├── CameraFailing            Many objects in a row failed.
    ├── LimitReached (OSError)   A limit of this computer.
    ├── TransferError            An object is wrong, has changed or is gone.
    └── Cancelled                `cancel()` was called.

Misuse of the API is a ValueError, TypeError or RuntimeError. `PTPError.received` counts the payload
bytes of the transaction that the sink has stored, so a transfer can resume there.
"""

from __future__ import annotations

from ..engine.errors import (
    Cancelled,
    ConnectionLost,
    LimitReached,
    NetworkError,
    ProtocolError,
    PTPError,
    SinkError,
    Timeout,
    disk_error,
    disk_hint,
)
from .codes import FailReason, OperationCode, ResponseCode, name_of
from .words import refusal

__all__ = [
    "RESPONSE_ERRORS",
    "AccessDenied",
    "CameraFailing",
    "Cancelled",
    "ConnectFailed",
    "ConnectionLost",
    "DeviceBusy",
    "InitFailed",
    "InvalidObjectHandle",
    "InvalidStorageID",
    "InvalidTransactionID",
    "LimitReached",
    "NetworkError",
    "NoThumbnailPresent",
    "NotApproved",
    "ObjectWriteProtected",
    "OperationNotSupported",
    "OwnerAsked",
    "PTPError",
    "ParameterNotSupported",
    "ProtocolError",
    "ResponseError",
    "SessionNotOpen",
    "SinkError",
    "StoreFull",
    "StoreNotAvailable",
    "StoreReadOnly",
    "Timeout",
    "TransactionCancelled",
    "TransferError",
    "Unreadable",
    "Unsupported",
    "disk_error",
    "disk_hint",
    "owner_asked",
    "response_error",
]


class ConnectFailed(NetworkError):
    """No connection: nothing answers, or something that is not a camera.

    Attributes:
        answered: Whether a camera has answered the first of the two connections.
    """

    answered = False
    hint = "check that the camera's Wi-Fi is on and that this computer has joined it"


_FAIL_TEXT: dict[int, tuple[str, str]] = {
    FailReason.REJECTED_INITIATOR: (
        "this computer is not registered with it",
        "pair this computer in the camera's Wi-Fi menu, and keep the same GUID and name; a camera "
        "that has rejected this computer accepts it under another GUID",
    ),
    FailReason.BUSY: (
        "it is busy, probably with another computer or phone",
        "disconnect the other device; after an aborted session wait half a minute",
    ),
    FailReason.UNSPECIFIED: (
        "it gave no reason",
        "switch the camera's Wi-Fi off and on and try again",
    ),
}
_UNKNOWN_FAIL = ("it gave an unknown reason", "switch the camera's Wi-Fi off and on")


class InitFailed(PTPError):
    """The camera refused the connection (Init Fail).

    Attributes:
        reason: a `FailReason`, or a vendor's number.
        where: who refused.
    """

    def __init__(
        self,
        reason: int,
        *,
        where: str = "the camera",
        said: tuple[str, str] = (
            "it gave an unknown reason",
            "switch the camera's Wi-Fi off and on",
        ),
    ) -> None:
        """said: what a reason that the standard does not know means, and what to do."""
        text, hint = _FAIL_TEXT.get(reason, said)
        self.where = where
        super().__init__(f"{where} refused the connection: {text} (reason {reason})", hint=hint)
        self.reason: FailReason | int = FailReason(reason) if reason in _FAIL_TEXT else reason


class OwnerAsked(PTPError):
    """The camera waits for its owner, who has to accept this computer. It is told, never raised.

    Attributes:
        within_s: seconds for the owner to do so.
        vendor: the camera's vendor; empty if it is not known yet.
    """

    def __init__(self, message: str, within_s: float = 0.0, vendor: str = "") -> None:
        super().__init__(message)
        self.within_s = within_s
        self.vendor = vendor


def owner_asked(what: str, within_s: float | None, vendor: str) -> PTPError:
    """Return what is told of a wait: of one for the owner, with its seconds, else a plain error."""
    return PTPError(what) if within_s is None else OwnerAsked(what, within_s, vendor)


class NotApproved(InitFailed):
    """The camera's owner has rejected this computer, or has not approved it in time."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(FailReason.REJECTED_INITIATOR)
        PTPError.__init__(self, message, hint=hint)


class ResponseError(PTPError):
    """The camera answered an operation with something other than OK. The session stays usable.

    Attributes:
        code: the response code; compare it with `ResponseCode`.
        operation: the operation code.
        parameters: the parameters of the response.
        doing: what the operation did, in words: `reading IMG_0001.NEF at byte 0`. May be empty.
        detail: operation and code by their names: `GetObjectInfo(0x40012): AccessDenied (0x200F)`.
            It is a note of the exception, which a traceback shows.
    """

    def __init__(
        self,
        code: int,
        operation: int,
        parameters: tuple[int, ...] = (),
        *,
        doing: str = "",
        received: int = 0,
        code_name: str = "",
    ) -> None:
        what = doing or name_of(OperationCode, operation)
        super().__init__(refusal(operation, code, doing=what, name=code_name), received=received)
        self.detail: str = f"{what}: {code_name or name_of(ResponseCode, code)}"
        self.add_note(self.detail)
        self.doing = ""
        self.code = code
        self.operation = operation
        self.parameters = parameters


class DeviceBusy(ResponseError):
    """The camera is busy (0x2019); it may accept the operation later."""

    hint = "wait for the camera to finish writing, then try again"


class AccessDenied(ResponseError):
    """The camera refuses access to this object (0x200F)."""

    hint = "the camera may be in the wrong Wi-Fi mode, or the object is protected"


class OperationNotSupported(ResponseError):
    """0x2005."""


class ParameterNotSupported(ResponseError):
    """0x2006."""


class SessionNotOpen(ResponseError):
    """0x2003: the Responder has lost our session."""

    hint = "connect again"


class InvalidTransactionID(ResponseError):
    """0x2004."""


class InvalidStorageID(ResponseError):
    """0x2008."""


class InvalidObjectHandle(ResponseError):
    """There is no such object (0x2009); it may have been deleted on the camera."""

    hint = "it may have been deleted on the camera; list the objects again"


class StoreFull(ResponseError):
    """0x200C."""

    hint = "delete pictures on the card, or use another one"


class StoreReadOnly(ResponseError):
    """0x200E."""

    hint = "move the switch on the card that locks it"


class ObjectWriteProtected(ResponseError):
    """0x200D."""

    hint = "remove the protection on the camera"


class StoreNotAvailable(ResponseError):
    """0x2013: no card, or the camera is going to sleep."""

    hint = "check the card; wake the camera"


class NoThumbnailPresent(ResponseError):
    """0x2010."""


class TransactionCancelled(ResponseError):
    """0x201F."""


# The response codes that have a class; all others are a plain ResponseError.
RESPONSE_ERRORS: dict[int, type[ResponseError]] = {
    ResponseCode.SessionNotOpen: SessionNotOpen,
    ResponseCode.InvalidTransactionID: InvalidTransactionID,
    ResponseCode.OperationNotSupported: OperationNotSupported,
    ResponseCode.ParameterNotSupported: ParameterNotSupported,
    ResponseCode.InvalidStorageID: InvalidStorageID,
    ResponseCode.InvalidObjectHandle: InvalidObjectHandle,
    ResponseCode.StoreFull: StoreFull,
    ResponseCode.ObjectWriteProtected: ObjectWriteProtected,
    ResponseCode.StoreReadOnly: StoreReadOnly,
    ResponseCode.AccessDenied: AccessDenied,
    ResponseCode.NoThumbnailPresent: NoThumbnailPresent,
    ResponseCode.StoreNotAvailable: StoreNotAvailable,
    ResponseCode.DeviceBusy: DeviceBusy,
    ResponseCode.TransactionCancelled: TransactionCancelled,
}


def response_error(
    code: int,
    operation: int,
    parameters: tuple[int, ...] = (),
    *,
    doing: str = "",
    received: int = 0,
    code_name: str = "",
) -> ResponseError:
    """Return the error for a response code: a class of `RESPONSE_ERRORS`, else `ResponseError`.

    Args:
        code: the response code.
        operation: the operation code.
        parameters: of the response.
        doing: the operation with its object, for the message: `GetObjectInfo(0x40012)`.
        received: bytes of payload that came before it.
        code_name: the name of a code that only a vendor's table has.
    """
    cls = RESPONSE_ERRORS.get(code, ResponseError)
    return cls(code, operation, parameters, doing=doing, received=received, code_name=code_name)


class TransferError(PTPError):
    """An object has the wrong size or content, has changed, or is gone."""


class Unreadable(TransferError):
    """The connection breaks at this object every time. Other objects may be readable."""


class Unsupported(PTPError):
    """The camera cannot do this, or not in the role that its session has (`connect(role=)`)."""


class CameraFailing(PTPError):
    """The camera failed at many objects in a row, so the run ended.

    Attributes:
        busy: True if it answered DeviceBusy for the last object, False if the connection ended.
    """

    hint = "switch the camera off and on, then run it again"

    def __init__(self, last: PTPError, count: int, seconds: float) -> None:
        busy = isinstance(last, DeviceBusy)
        what = "was busy" if busy else "closed the connection or did not answer"
        super().__init__(f"the camera {what} at {count} files in a row, within {seconds:.0f} s")
        self.busy = busy
