"""Faults before an operation. If an effect returns a reply, the operation is not run."""

from __future__ import annotations

from typing import Any

from ...ptp.codes import OperationCode, ResponseCode
from ...vendors.body import Reply
from ..call import SILENCE, Call
from ..kinds import KindsAt, Stage, kinds_at
from ..outlet import PeerLeftError

kind: KindsAt = kinds_at(Stage.ANSWER)


@kind("waits these seconds first", float, 0.1)
def delay(call: Call, seconds: float) -> None:
    call.peer.wait(seconds)


@kind("DeviceBusy")
def busy(call: Call, _: Any) -> Reply:
    return Reply(ResponseCode.DeviceBusy)


@kind("this response code, no data, nothing done", int, 0x2002)
def respond(call: Call, code: int) -> Reply:
    return Reply(code)


@kind("OK, and no data phase")
def ok_without_data(call: Call, _: Any) -> Reply:
    return Reply()


@kind("no answer at all; the connections stay")
def no_answer(call: Call, _: Any) -> Reply:
    return SILENCE


@kind("this handle is deleted instead", int, 0, operation=OperationCode.DeleteObject)
def delete_instead(call: Call, handle: int) -> Reply:
    _delete(call, handle)
    return Reply()


@kind("this handle is deleted too", int, 0, operation=OperationCode.DeleteObject)
def delete_too(call: Call, handle: int) -> None:
    _delete(call, handle)


@kind("StoreNotAvailable, then both connections are closed")
def sleep(call: Call, _: Any) -> None:
    call.respond(ResponseCode.StoreNotAvailable)
    call.peer.leave()
    raise PeerLeftError("sleep")


def _delete(call: Call, handle: int) -> None:
    if call.store.get(handle) is not None:
        call.store.delete(handle)
