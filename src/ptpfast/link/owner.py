"""An operation that a camera answers when its owner has decided about this computer."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from ..engine.phase import Phase
from ..ptp.errors import DeviceBusy, NotApproved, OwnerAsked, Timeout
from ..vendors import Dialect, Vendor
from .answers import outcome, request_label
from .connection import Connection
from .patience import BUSY_S, Patience
from .pipelining import Request

SILENT_S = 1.0  # without an answer: the camera asks its owner, as it seems


class Waits(Protocol):
    """The parts of a link that are used here."""

    connection: Connection
    vendor: Vendor
    dialect: Dialect

    def patience(self, limit_s: float) -> Patience:
        """Return how long to retry while busy."""
        ...

    def waiting(self, what: str, within_s: float | None = None) -> None:
        """Tell the user the reason for a wait."""
        ...


def await_owner(link: Waits, request: Request, asked: OwnerAsked) -> Phase:
    """Run an operation without data-in. If no answer comes soon, tell what the owner has to do, and
    wait for it.

    Args:
        link: the session.
        request: the operation.
        asked: what is told, how long it is waited, and the hint of NotApproved.

    Raises:
        NotApproved: the owner has not answered in time, or the camera refuses after it was told.
        ResponseError: the camera refuses at once. Otherwise as `Link.transact`.
    """
    request.label = request_label(link.vendor, request.operation, request.parameters)
    patience = link.patience(BUSY_S)
    while True:
        phase, is_told = _answered(link, request, asked)
        if (error := outcome(link.vendor, link.dialect, request, phase)) is None:
            return phase
        if isinstance(error, DeviceBusy):
            patience.wait(error)
        elif is_told:
            message = f"the camera refuses this computer: {error.message}"
            raise NotApproved(message, hint=asked.hint) from error
        else:
            raise error


def _answered(link: Waits, request: Request, asked: OwnerAsked) -> tuple[Phase, bool]:
    """Return the finished phase, and whether the owner was told."""
    connection, before = link.connection, link.connection.timeouts
    phase = connection.begin(request)
    try:
        connection.timeouts = replace(before, operation=SILENT_S)
        try:
            connection.proceed(phase, None)
            return phase, False
        except Timeout:
            link.waiting(asked.message, asked.within_s)
        connection.timeouts = replace(before, operation=asked.within_s)
        try:
            connection.proceed(phase, None)
            return phase, True
        except Timeout as error:
            message = f"this computer was not confirmed on the camera within {asked.within_s:.0f} s"
            raise NotApproved(message, hint=asked.hint) from error
    finally:
        connection.timeouts = before
