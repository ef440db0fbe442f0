"""Errors: their class says who is to blame, their text what was being done and what to try."""

import copy
import errno
import pickle

import pytest

from ptpfast.ptp import errors
from ptpfast.ptp.codes import FailReason, OperationCode, ResponseCode
from ptpfast.ptp.errors import (
    RESPONSE_ERRORS,
    AccessDenied,
    CameraFailing,
    Cancelled,
    ConnectFailed,
    ConnectionLost,
    DeviceBusy,
    InitFailed,
    LimitReached,
    NetworkError,
    NotApproved,
    OwnerAsked,
    ProtocolError,
    PTPError,
    ResponseError,
    SinkError,
    Timeout,
    TransferError,
    Unreadable,
    Unsupported,
    response_error,
)

EXAMPLES = [
    NetworkError("reading ObjectInfo", received=1),
    ConnectFailed("192.168.1.1:15740: connection refused"),
    ConnectionLost("GetObject(0x40012): ended", received=7_340_032),
    Timeout("GetObject(0x40012): nothing for 10 s", received=3, hint="wake it"),
    InitFailed(FailReason.BUSY, where="192.168.1.1"),
    InitFailed(77),
    OwnerAsked("accept this computer on the camera", 30.0, "nikon"),
    NotApproved("the owner has not confirmed it", hint="confirm it"),
    response_error(ResponseCode.DeviceBusy, OperationCode.GetObject, (1, 2), received=5),
    response_error(0xA002, 0x9207, code_name="OutOfFocus"),
    ProtocolError("End Data after 7 of 8 bytes", packet_type=12, offset=7, received=7),
    SinkError("a.nef.part: No space left on device", errno=28, received=4096),
    LimitReached(errno.EMFILE),
    TransferError("a.nef: 7 of 8 bytes", hint="run the same command again", received=7),
    Unreadable("3 errors at the same place", received=7),
    CameraFailing(ConnectionLost("GetObject(0x40012): ended"), 10, 31.5),
    Cancelled("GetObject(0x40012): cancelled", received=9),
    Unsupported("no live view is known for this camera"),
]
every_example = pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)


def subclasses(cls):
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


def test_every_error_class_has_an_example_or_a_row_in_the_table():
    shown = {type(error) for error in EXAMPLES} | set(RESPONSE_ERRORS.values())
    modules = {errors.__name__, PTPError.__module__}
    ours = {cls for cls in subclasses(PTPError) if cls.__module__ in modules}
    assert ours == shown


@every_example
def test_error_is_a_ptp_error_that_says_what_was_done_and_what_to_try(error):
    assert isinstance(error, PTPError)
    assert error.message
    assert str(error).startswith(error.message)
    if error.hint:
        assert str(error) == f"{error.message}; {error.hint}"


@every_example
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_copy_of_an_error_is_the_same_in_all_it_carries(error, again):
    assert_same(again(error), error)


@every_example
@pytest.mark.parametrize("version", range(pickle.HIGHEST_PROTOCOL + 1))
def test_error_pickled_to_another_process_is_the_same_in_all_it_carries(error, version):
    error.add_note("object 3 of 7")
    error.transaction_id = 9
    assert_same(pickle.loads(pickle.dumps(error, version)), error)


def assert_same(twin, error):
    assert twin is not error
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert twin.args == error.args
    assert vars(twin) == vars(error)
    assert getattr(twin, "errno", None) == getattr(error, "errno", None)


@pytest.mark.parametrize("error", [Timeout("x"), ConnectionLost("x"), ConnectFailed("x")])
def test_failed_network_is_caught_as_an_os_error(error):
    with pytest.raises(OSError):
        raise error
    with pytest.raises(NetworkError):
        raise error


def test_silence_is_caught_as_a_timeout_error_and_a_lost_connection_is_not():
    with pytest.raises(TimeoutError):
        raise Timeout("x")
    assert not issubclass(ConnectionLost, TimeoutError)


def test_disk_error_is_an_os_error_with_errno_and_no_network_error():
    error = SinkError("a.part: No space left on device", errno=28, received=4096)
    assert isinstance(error, OSError)
    assert not isinstance(error, NetworkError)
    assert (error.errno, error.received) == (28, 4096)


@pytest.mark.parametrize(
    "cls", [ResponseError, ProtocolError, TransferError, InitFailed, Cancelled]
)
def test_fault_of_the_camera_or_the_user_is_no_os_error(cls):
    assert not issubclass(cls, OSError)


def test_received_counts_nothing_unless_said_and_is_kept_when_said():
    assert Cancelled("x").received == 0
    assert Cancelled("x", received=12).received == 12
    assert response_error(ResponseCode.IncompleteTransfer, 0x1009, received=8).received == 8


def test_hint_of_the_class_gives_way_to_that_of_the_error():
    assert Timeout("x").hint == Timeout.hint
    assert Timeout("x", hint="").hint == ""
    assert str(Timeout("x", hint="")) == "x"
    assert str(Timeout("x", hint="wake it")) == "x; wake it"
    assert Timeout.hint


def test_table_of_response_errors_has_each_class_once_and_all_of_them():
    classes = list(RESPONSE_ERRORS.values())
    assert len(classes) == len(set(classes))
    assert set(classes) == set(subclasses(ResponseError))


@pytest.mark.parametrize(("code", "cls"), RESPONSE_ERRORS.items(), ids=repr)
def test_response_code_with_a_class_raises_it_under_its_own_name(code, cls):
    error = response_error(code, OperationCode.GetObjectInfo, (1,))
    assert type(error) is cls
    assert ResponseCode(code).name == cls.__name__
    assert (error.code, error.operation, error.parameters) == (code, 0x1008, (1,))
    assert error.detail == f"GetObjectInfo (0x1008): {code.name} (0x{code:04X})"
    assert error.message.startswith("the camera refused to describe the file: ")
    assert f"0x{code:04X}" in cls.__doc__


@pytest.mark.parametrize("code", sorted(set(ResponseCode) - set(RESPONSE_ERRORS)), ids=repr)
def test_response_code_without_a_class_raises_response_error_itself(code):
    error = response_error(code, OperationCode.GetObject)
    assert type(error) is ResponseError
    assert error.detail == f"GetObject (0x1009): {code.name} (0x{code:04X})"
    assert error.__notes__ == [error.detail]  # in a traceback, below the message
    assert str(error).startswith("the camera refused to send the file: ")


def test_success_is_never_in_the_table_of_errors():
    assert ResponseCode.OK not in RESPONSE_ERRORS


def test_response_error_says_what_was_done_with_which_object():
    error = response_error(
        ResponseCode.AccessDenied, OperationCode.GetObjectInfo, doing="GetObjectInfo(0x40012)"
    )
    assert isinstance(error, AccessDenied)
    assert error.message == "the camera refused to describe the file: access is denied"
    assert error.detail == "GetObjectInfo(0x40012): AccessDenied (0x200F)"


def test_response_code_of_a_vendor_is_named_by_the_vendor():
    error = response_error(0xA002, 0x9207, code_name="OutOfFocus (0xA002)")
    assert type(error) is ResponseError
    assert str(error) == "the camera refused 0x9207: it answered OutOfFocus (0xA002)"
    assert error.detail == "0x9207: OutOfFocus (0xA002)"


def test_response_errors_share_their_base_and_can_be_caught_by_it():
    with pytest.raises(ResponseError) as raised:
        raise response_error(ResponseCode.DeviceBusy, OperationCode.GetObject)
    assert isinstance(raised.value, DeviceBusy)


@pytest.mark.parametrize("reason", FailReason, ids=repr)
def test_init_fail_says_who_refused_why_and_what_to_try(reason):
    error = InitFailed(int(reason), where="192.168.1.1")
    assert error.reason is reason
    assert str(error).startswith("192.168.1.1 refused the connection: ")
    assert f"(reason {int(reason)})" in str(error)
    assert error.hint


@pytest.mark.parametrize("reason", [0, 4, 77, 0xFFFFFFFF])
def test_init_fail_of_unknown_reason_keeps_the_number(reason):
    error = InitFailed(reason)
    assert error.reason == reason
    assert f"unknown reason (reason {reason})" in str(error)
    assert error.hint


def test_protocol_error_carries_packet_type_and_offset():
    error = ProtocolError("End Data after 7 of 8 bytes", packet_type=12, offset=7, received=7)
    assert (error.packet_type, error.offset, error.received) == (12, 7, 7)
    assert "End Data after 7 of 8 bytes" in str(error)
    assert (ProtocolError("x").packet_type, ProtocolError("x").offset) == (0, 0)
