"""Operations and response codes in words, for messages that people read.

The standard's names stay in `ResponseError.detail`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .codes import OperationCode, ResponseCode, name_of

# Operation → the words behind "the camera refused to", and what the transaction does.
DOING: Mapping[int, tuple[str, str]] = {
    OperationCode.GetDeviceInfo: ("describe itself", "asking who the camera is"),
    OperationCode.OpenSession: ("open a session", "opening the session"),
    OperationCode.CloseSession: ("close the session", "closing the session"),
    OperationCode.GetStorageIDs: ("name its cards", "asking for the cards"),
    OperationCode.GetStorageInfo: ("describe a card", "asking about a card"),
    OperationCode.GetNumObjects: ("count the files", "counting the files"),
    OperationCode.GetObjectHandles: ("list the files", "listing the files"),
    OperationCode.GetObjectInfo: ("describe the file", "describing file {}"),
    OperationCode.GetObject: ("send the file", "reading file {}"),
    OperationCode.GetPartialObject: ("send the file", "reading file {}"),
    OperationCode.GetThumb: ("send the thumbnail", "the thumbnail of file {}"),
    OperationCode.DeleteObject: ("delete the file", "deleting file {}"),
    OperationCode.InitiateCapture: ("take a picture", "taking a picture"),
    OperationCode.GetDevicePropDesc: ("describe the property", "asking for property {}"),
    OperationCode.GetDevicePropValue: ("send the property", "asking for property {}"),
    OperationCode.SetDevicePropValue: ("set the property", "setting property {}"),
    OperationCode.GetObjectPropValue: ("describe the file", "describing file {}"),
    OperationCode.GetObjectPropList: ("list the files", "listing the files"),
}

# Response code → its meaning.
MEANING: Mapping[int, str] = {
    ResponseCode.GeneralError: "it gave no reason",
    ResponseCode.SessionNotOpen: "the session has ended",
    ResponseCode.InvalidTransactionID: "it lost count of the requests",
    ResponseCode.OperationNotSupported: "it does not support this",
    ResponseCode.ParameterNotSupported: "it does not support this form of the request",
    ResponseCode.IncompleteTransfer: "the transfer was incomplete",
    ResponseCode.InvalidStorageID: "it has no such card",
    ResponseCode.InvalidObjectHandle: "there is no such file",
    ResponseCode.DevicePropNotSupported: "it has no such property",
    ResponseCode.InvalidObjectFormatCode: "it does not know this format",
    ResponseCode.StoreFull: "the card is full",
    ResponseCode.ObjectWriteProtected: "the file is protected",
    ResponseCode.StoreReadOnly: "the card is write-protected",
    ResponseCode.AccessDenied: "access is denied",
    ResponseCode.NoThumbnailPresent: "there is none",
    ResponseCode.PartialDeletion: "it deleted a part only",
    ResponseCode.StoreNotAvailable: "there is no card",
    ResponseCode.NoValidObjectInfo: "the description before it was invalid",
    ResponseCode.CaptureAlreadyTerminated: "it has ended already",
    ResponseCode.DeviceBusy: "it is busy",
    ResponseCode.InvalidParentObject: "there is no such folder",
    ResponseCode.InvalidDevicePropFormat: "the value has the wrong type",
    ResponseCode.InvalidDevicePropValue: "the value is not allowed",
    ResponseCode.InvalidParameter: "a number in the request is out of range",
    ResponseCode.SessionAlreadyOpened: "a session is open already",
    ResponseCode.TransactionCancelled: "it was cancelled",
    ResponseCode.ObjectTooLarge: "the file is too large",
}


def meaning_of(code: int, name: str = "") -> str:
    """Return a response code in words.

    Args:
        code: the response code.
        name: the name of a code that only a vendor's table has.
    """
    return MEANING.get(code) or f"it answered {name or name_of(ResponseCode, code)}"


def refusal(operation: int, code: int, *, doing: str = "", name: str = "") -> str:
    """Return the message for a refused operation.

    Args:
        operation: the operation code.
        code: the response code.
        doing: the operation with its parameters, for operations that have no words.
        name: as in `meaning_of`.
    """
    words = DOING.get(operation)
    refused = f"the camera refused to {words[0]}" if words else f"the camera refused {doing}"
    return f"{refused}: {meaning_of(code, name)}"


def label_of(operation: int, parameters: tuple[int, ...], name: str) -> str:
    """Return what a transaction does, to precede the message of its error.

    Args:
        operation: the operation code.
        parameters: those of the request.
        name: the operation's name, for operations that have no words.
    """
    if (words := DOING.get(operation)) is not None:
        return words[1].format(f"0x{parameters[0]:X}" if parameters else "")
    return f"{name}({', '.join(f'0x{value:X}' for value in parameters)})"
