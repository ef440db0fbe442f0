"""How far an error reaches is in one table, which has every error and every response code."""

import errno
import importlib
import pkgutil

import pytest

import ptpfast
from ptpfast.ptp.codes import OperationCode, ResponseCode
from ptpfast.ptp.errors import (
    Cancelled,
    ConnectionLost,
    InitFailed,
    LimitReached,
    PTPError,
    SinkError,
    TransferError,
    response_error,
)
from ptpfast.ptp.scope import BY_CLASS, BY_ERRNO, BY_RESPONSE, TAKEN, Scope, scope_of


def error_classes():
    """All of the package's own, whichever module defines them; a base and what is below it."""
    for module in pkgutil.walk_packages(ptpfast.__path__, "ptpfast."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    todo, found = [PTPError], set()
    while todo:
        for kind in todo.pop().__subclasses__():
            found.add(kind)
            todo.append(kind)
    return found


def test_every_error_class_has_a_row_of_its_own_or_a_base_that_has_one():
    rows = [kind for kind, _ in BY_CLASS]
    without = [kind for kind in error_classes() if not set(kind.__mro__[:-1]) & set(rows)]
    # OSError and the like are the last resort: no class of ours may depend on them.
    ours = tuple(row for row in rows if issubclass(row, PTPError))
    assert without == []
    assert [kind for kind in error_classes() if not issubclass(kind, ours)] == []


def test_every_response_code_has_a_row():
    assert set(ResponseCode) - {ResponseCode.OK} == set(BY_RESPONSE)


def test_no_row_is_hidden_by_one_above_it():
    kinds = [kind for kind, _ in BY_CLASS]
    hidden = [
        kind.__name__
        for place, kind in enumerate(kinds)
        if any(issubclass(kind, above) for above in kinds[:place])
    ]
    assert hidden == []


@pytest.mark.parametrize(
    ("error", "scope"),
    [
        (response_error(ResponseCode.StoreNotAvailable, 0x1009), Scope.STORAGE),
        (response_error(ResponseCode.DeviceBusy, 0x1009), Scope.OBJECT),
        (response_error(ResponseCode.SessionNotOpen, 0x1009), Scope.CONNECTION),
        (response_error(0xA002, OperationCode.GetObject), Scope.OBJECT),
        (TransferError("short"), Scope.OBJECT),
        (InitFailed(2), Scope.CONNECTION),
        (ConnectionLost("gone"), Scope.CONNECTION),
        (Cancelled("stop"), Scope.STOPPED),
        (KeyboardInterrupt(), Scope.STOPPED),
        (SinkError("too large", errno=errno.EFBIG), Scope.OBJECT),
        (SinkError("locked", errno=TAKEN), Scope.OBJECT),
        (SinkError("full", errno=errno.ENOSPC), Scope.DESTINATION),
        (SinkError("odd", errno=errno.ENOLCK), Scope.DESTINATION),
        (FileExistsError(errno.EEXIST, "there is one", "a"), Scope.OBJECT),
        (OSError(errno.EROFS, "read-only"), Scope.DESTINATION),
        (BlockingIOError(errno.EAGAIN, "no thread"), Scope.COMPUTER),
        (SinkError("no descriptors", errno=errno.EMFILE), Scope.COMPUTER),
        (LimitReached(errno.EMFILE), Scope.COMPUTER),
        (MemoryError(), Scope.COMPUTER),
        (RuntimeError("can't start new thread"), Scope.COMPUTER),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "not in range"), Scope.OBJECT),
        (ZeroDivisionError(), Scope.DEFECT),
        (RuntimeError("odd"), Scope.DEFECT),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value.name,
)
def test_an_error_concerns_what_the_table_says(error, scope):
    assert scope_of(error) is scope


@pytest.mark.parametrize("number", sorted(BY_ERRNO), ids=errno.errorcode.get)
def test_a_refusal_of_the_system_is_the_same_of_a_file_as_the_disk_says_it(number):
    # But for a part file that another run has: that has the number of a thread's refusal.
    expected = Scope.OBJECT if number == TAKEN else BY_ERRNO[number]
    assert scope_of(OSError(number, "said by the system")) is BY_ERRNO[number]
    assert scope_of(SinkError("said by us", errno=number)) is expected


@pytest.mark.parametrize("number", [n for n, s in BY_ERRNO.items() if s is Scope.COMPUTER])
def test_a_limit_of_this_computer_is_said_with_what_to_do(number):
    error = LimitReached.of(OSError(number, "said by the system"))
    assert error is not None
    assert error.errno == number
    assert "this computer" in error.message
    assert error.hint


def test_what_is_no_limit_of_this_computer_is_none():
    assert LimitReached.of(OSError(errno.ENOSPC, "full")) is None
    assert LimitReached.of(ValueError("odd")) is None
