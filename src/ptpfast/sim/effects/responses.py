"""Faults of the Operation Response. An effect returns the one that is sent; None: none is."""

from __future__ import annotations

from typing import Any

from ...engine.wire import OperationResponse
from ..kinds import Stage, kind


@kind(Stage.RESPONSE, "no Operation Response")
def no_response(response: OperationResponse, _: Any) -> None:
    return None


@kind(Stage.RESPONSE, "it carries another transaction id")
def response_wrong_tid(response: OperationResponse, _: Any) -> OperationResponse:
    return response._replace(transaction_id=(response.transaction_id + 1) & 0xFFFFFFFF)


@kind(Stage.RESPONSE, "it carries transaction id 0")
def response_tid_zero(response: OperationResponse, _: Any) -> OperationResponse:
    return response._replace(transaction_id=0)


@kind(Stage.RESPONSE, "it has this many parameters more", value=int, default=3)
def extra_parameters(response: OperationResponse, count: int) -> OperationResponse:
    return response._replace(parameters=response.parameters + (0,) * count)
