"""The approval of this computer by a camera's owner, in connect-to-PC mode.

Sources: camcon (NikonAuthenticationService.kt; a Z 8 and a Z 6) for the order and the times, zcine
for the forms of the number.
"""

from __future__ import annotations

import logging
import time

from ...ptp.errors import (
    ConnectionLost,
    DeviceBusy,
    NotApproved,
    ProtocolError,
    ResponseError,
    Timeout,
)
from ..dialect import Asks
from .codes import SUCCEEDED, NikonOperation
from .datasets import parse_pairing_number

log: logging.Logger = logging.getLogger("ptpfast")

CONFIRM_S = 60.0  # for the owner to press OK
POLL_S = 0.5
# An approval is lost if the session ends sooner: a Z 6 with firmware 3.80 forgot it after 2 s.
HOLD_S = 3.0
# A body may have no number yet when it is asked at once.
NUMBER_TRIES, NUMBER_PAUSE_S = 10, 0.25
MAX_NUMBER = 1 << 10  # bytes; real ones have 8

_HINT = (
    "confirm this computer on the camera, or delete its entry in the camera's menu; a camera that "
    "has rejected it accepts it under another GUID"
)


def approve(link: Asks) -> bool:
    """Have the camera's owner approve this computer, for the next connection.

    Returns:
        True if the camera says so; False if the connection ended before.

    Raises:
        NotApproved: the owner has rejected it, or has not answered in time.
    """
    number = _number(link)
    shown = f"the camera shows {number}; " if number else ""
    link.waiting(f"{shown}confirm on the camera that this computer may connect", CONFIRM_S)
    try:
        _confirm(link)
    except ConnectionLost as error:
        # A body that restarts its own network after the approval ends the connection (zcine).
        log.debug("the connection ended during the approval: %s", error)
        return False
    link.pause(HOLD_S)
    return True


def not_kept() -> NotApproved:
    """Return the error for a camera that awaits approval right after it was given."""
    return NotApproved("the camera has not kept its approval of this computer", hint=_HINT)


def _number(link: Asks) -> str:
    """Return the digits that the camera shows; empty if it sends none."""
    for _ in range(NUMBER_TRIES):
        try:
            payload = link.fetch(NikonOperation.GetPairingInfo, limit=MAX_NUMBER)
            if payload:
                return parse_pairing_number(payload)
        except (ResponseError, ProtocolError) as error:
            log.debug("no number of the pairing: %s", error)
            break
        link.pause(NUMBER_PAUSE_S)
    return ""


def _confirm(link: Asks) -> None:
    """Confirm our side of the pairing, and wait until the owner has confirmed theirs."""
    give_up = time.monotonic() + CONFIRM_S
    while True:
        try:
            link.fetch(NikonOperation.ConfirmPairing, SUCCEEDED, limit=MAX_NUMBER, busy_s=0.0)
            return
        except (DeviceBusy, Timeout) as error:
            if time.monotonic() >= give_up:
                what = (
                    f"the camera's owner has not confirmed this computer within {CONFIRM_S:.0f} s"
                )
                raise NotApproved(what, hint=_HINT) from error
        except ResponseError as error:
            raise NotApproved(f"the camera refuses this computer: {error}", hint=_HINT) from error
        link.pause(POLL_S)
