"""The first contact: TCP, the handshake, and what an error of theirs means."""

from __future__ import annotations

import errno
from contextlib import suppress
from dataclasses import dataclass

from ..link.connection import Connection
from ..link.courtesy import honour_reconnect_pause
from ..link.patience import Patience
from ..network import routes
from ..ptp.codes import FailReason
from ..ptp.errors import (
    ConnectFailed,
    ConnectionLost,
    InitFailed,
    LimitReached,
    ProtocolError,
    PTPError,
    Timeout,
)
from ..transport.contract import Address
from ..transport.handshake import NothingListens
from ..transport.identity import Identity
from ..transport.timeouts import BETWEEN_SESSIONS_S, Timeouts
from ..vendors import Vendor, transport_of
from ..vendors.elsewhere import BUSY, explain_refusal, others
from . import causes
from .diagnosis import Cause
from .route import Way, diverted
from .strangers import other_protocol, who_is_it

_UNREACHABLE = {errno.EHOSTUNREACH, errno.EHOSTDOWN}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


@dataclass(frozen=True)
class Failed:
    """A contact that failed.

    Attributes:
        error: What happened.
        address: Where.
        is_open: Whether the port accepts connections; None if it is not known.
    """

    error: PTPError
    address: Address
    is_open: bool | None


def contact(address: Address, identity: Identity, timeouts: Timeouts) -> Connection | Failed:
    """Open both connections, also as the cameras of other vendors do. One that is busy is asked
    again for a moment: it may be between two sessions."""
    honour_reconnect_pause(address)
    moment = Patience(min(timeouts.held, BETWEEN_SESSIONS_S), first_s=0.2)
    while True:
        found = _contact(address, identity, timeouts)
        if not (isinstance(found, Failed) and getattr(found.error, "reason", None) in BUSY):
            return found
        if moment.is_used_up:
            return found
        with suppress(InitFailed):
            moment.wait(found.error)


def _contact(address: Address, identity: Identity, timeouts: Timeouts) -> Connection | Failed:
    try:
        return Connection.open(
            address, identity, timeouts, transport=transport_of(None, address.port)
        )
    except NothingListens as refused:
        return _contact_elsewhere(address, identity, timeouts) or Failed(refused, address, False)
    except PTPError as error:
        return Failed(error, address, _is_open(error))


def _contact_elsewhere(
    address: Address, identity: Identity, timeouts: Timeouts
) -> Connection | Failed | None:
    """Try the vendors' own transports, as `connect` does; None if nothing listens there."""
    for other in others(address):
        there = Address(address.host, other.port)
        try:
            return Connection.open(there, identity, timeouts, transport=other)
        except NothingListens:
            continue
        except (ConnectFailed, InitFailed) as error:
            if there != address:
                return Failed(error, there, _is_open(error))
            if error.hint != ConnectFailed.hint:  # a gate in front of the port has its own words
                return Failed(error, there, None)
    return None


def _is_open(error: PTPError) -> bool | None:
    """Return whether an error came after TCP had connected."""
    if isinstance(error, InitFailed) or getattr(error, "answered", False):
        return True
    if isinstance(error.__cause__, Timeout | ProtocolError | ConnectionLost):
        return True
    return False if isinstance(error, ConnectFailed) else None


def cause_of(failed: Failed, way: Way, vendor: Vendor, *, was_approved: bool = False) -> Cause:
    """Return what a failed contact means.

    Args:
        failed: the contact.
        way: the way to it.
        vendor: the camera's vendor, as far as it is known; for the words.
        was_approved: whether the camera has let this computer in before.
    """
    error, address = failed.error, failed.address
    if isinstance(error, InitFailed):
        return _of_refusal(error, address, vendor, was_approved)
    if isinstance(error, LimitReached):
        return causes.this_computer(error.message, error.hint)
    if getattr(error, "answered", False):
        if isinstance(error.__cause__, ConnectionRefusedError):
            return causes.event_refused(str(address))
        return causes.event_failed(error.message)
    if failed.is_open is None:
        return causes.refused(error.message, error.hint)
    if failed.is_open:
        return _of_stranger(error, address, vendor)
    return _of_silence(error, address, way, vendor)


def _of_refusal(error: InitFailed, address: Address, vendor: Vendor, was_approved: bool) -> Cause:
    where = f"the camera at {address}"
    if error.reason in BUSY:
        return causes.busy(explain_refusal(error).message)
    if error.reason != FailReason.REJECTED_INITIATOR:
        if not isinstance(error.reason, FailReason):
            other = other_protocol(address, refusals_count=False)
            if other is not None:
                return other
        told = explain_refusal(error)
        return causes.refused(told.message, told.hint)
    if was_approved or vendor.menus.admits_unknown:
        return causes.rejected(where, vendor.menus)
    return causes.not_paired(where, vendor.menus)


def _of_stranger(error: PTPError, address: Address, vendor: Vendor) -> Cause:
    """Return the cause for a port that is open, and does not do the handshake."""
    if (stranger := who_is_it(address)) is not None:
        return stranger
    match error.__cause__:
        case Timeout():
            return causes.silent(str(address), vendor.menus)
        case ProtocolError():
            return causes.not_ptpip(str(address))
        case _:
            return causes.closed_at_once(str(address))


def _of_silence(error: PTPError, address: Address, way: Way, vendor: Vendor) -> Cause:
    """Return the cause for a port that TCP does not reach."""
    reason = error.__cause__
    if isinstance(reason, ConnectionRefusedError):
        return causes.nothing_listens(str(address), vendor.menus)
    number = reason.errno if isinstance(reason, OSError) else None
    if number in _FORBIDDEN:
        return causes.local_firewall(str(address))
    if (detour := diverted(way)) is not None:
        return detour
    if number in _UNREACHABLE or routes.has_neighbour(way.host) is False:
        return causes.no_device(way.host)
    if isinstance(reason, TimeoutError):
        return causes.filtered(str(address))
    return causes.refused(error.message, error.hint)
