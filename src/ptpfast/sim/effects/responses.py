"""Faults of the Operation Response. An effect returns the response to send; None for none."""

from __future__ import annotations

from typing import Any

from ...engine.wire import OperationResponse
from ..kinds import KindsAt, Stage, kinds_at

kind: KindsAt = kinds_at(Stage.RESPONSE)


@kind("no Operation Response")
def no_response(response: OperationResponse, _: Any) -> None:
    return None


@kind("it carries another transaction id")
def response_wrong_tid(response: OperationResponse, _: Any) -> OperationResponse:
    return response._replace(transaction_id=(response.transaction_id + 1) & 0xFFFFFFFF)


@kind("it carries transaction id 0")
def response_tid_zero(response: OperationResponse, _: Any) -> OperationResponse:
    return response._replace(transaction_id=0)


@kind("it has this many parameters more", int, 3)
def extra_parameters(response: OperationResponse, count: int) -> OperationResponse:
    return response._replace(parameters=response.parameters + (0,) * count)
