"""Errors of filesystems, by what they concern."""

from __future__ import annotations

import errno

import pytest

from ptpfast.library.remote.failures import Reach, TargetLost, Unsorted, failure, reach_of
from ptpfast.ptp.scope import Scope, scope_of


def named(name: str, *bases: type[Exception], **more: object) -> Exception:
    """An error of another package."""
    return type(name, bases or (Exception,), dict(more))("said by another package")


ROWS = [
    (ConnectionResetError(errno.ECONNRESET, "reset"), Reach.CONNECTION),
    (ConnectionResetError("Connection lost"), Reach.CONNECTION),
    (TimeoutError(), Reach.CONNECTION),
    (named("ReadError", type("TransportError", (Exception,), {})), Reach.CONNECTION),
    (OSError(errno.EBUSY, "Please reduce your request rate"), Reach.CONNECTION),
    (named("HTTPError", status_code=503), Reach.CONNECTION),
    (named("ConnectionLost", type("DisconnectError", (Exception,), {})), Reach.CONNECTION),
    # Derived from what is a lost connection elsewhere.
    (named("PermissionDenied", type("DisconnectError", (Exception,), {})), Reach.DESTINATION),
    (PermissionError("Forbidden"), Reach.DESTINATION),
    (FileNotFoundError("The specified bucket does not exist"), Reach.DESTINATION),
    (OSError(errno.ENOSPC, "No space left on device"), Reach.DESTINATION),
    (named("NoCredentialsError"), Reach.DESTINATION),
    (named("HTTPError", status_code=401), Reach.DESTINATION),
    (named("HTTPError", status_code=507), Reach.DESTINATION),
    (NotImplementedError(), Reach.DESTINATION),
    (OSError(errno.ENAMETOOLONG, "File name too long"), Reach.FILE),
    (named("HTTPError", status_code=413), Reach.FILE),
    (named("SFTPFailure"), Reach.UNKNOWN),
    (ValueError("odd"), Reach.UNKNOWN),
]
SCOPES = {
    Reach.CONNECTION: Scope.DESTINATION,  # once its tries are used up
    Reach.DESTINATION: Scope.DESTINATION,
    Reach.FILE: Scope.OBJECT,
    Reach.UNKNOWN: Scope.OBJECT,
}


@pytest.mark.parametrize(("error", "reach"), ROWS, ids=lambda value: repr(value)[:50])
def test_error_concerns_what_its_row_says(error: Exception, reach: Reach) -> None:
    assert reach_of(error) is reach
    found = failure(error, "write s3://bucket/A.JPG")
    assert found.message.startswith("cannot write s3://bucket/A.JPG: ")
    assert scope_of(found) is SCOPES[reach]
    assert isinstance(found, TargetLost) == (reach is Reach.CONNECTION)
    assert isinstance(found, Unsorted) == (reach is Reach.UNKNOWN)


def test_server_that_answers_with_its_own_failure_is_not_called_unreachable() -> None:
    found = failure(named("HTTPError", status_code=500), "write it")
    assert isinstance(found, TargetLost)
    assert "free space" in (found.hint or "")
    assert failure(ConnectionResetError("reset"), "write it").hint == TargetLost.hint


def test_long_message_of_another_package_is_one_short_line() -> None:
    found = failure(ValueError("one\ntwo\x1b[31m" + "x" * 5000), "write it")
    assert "\n" not in found.message
    assert "\x1b" not in found.message
    assert len(found.message) < 400
