"""Cameras that listen elsewhere than at PTP/IP's port, and the vendors' reasons for a refusal.

Sources: fudge, malc0mn and libgphoto2 for Fujifilm.
"""

from __future__ import annotations

from ..ptp.codes import DEFAULT_PORT, FailReason
from ..ptp.errors import ConnectFailed, InitFailed, PTPError
from ..transport.contract import Address, Transport
from ..transport.handshake import NothingListens
from . import transports

# Fujifilm's reasons of Init Fail, which are not the standard's: meaning and hint.
REASONS = {
    0x2019: (
        "it is busy or is paired under another name",
        "wait a second and try again, with the name used for pairing",
    ),
    0x201D: (
        "it requires another version of the handshake",
        "connect to a Fujifilm camera at port 55740; if you did, please report its model",
    ),
}


# Reasons that may pass: the camera may still hold the session of an aborted run.
BUSY = frozenset({FailReason.BUSY, 0x2019})


def others(address: Address) -> list[Transport]:
    """Return the transports to try on a host where nothing listens at this address.

    There are none unless it has PTP/IP's port, which people write where they know no other.
    """
    return transports() if address.port == DEFAULT_PORT else []


def explain(error: PTPError, address: Address) -> PTPError:
    """Return the error to raise when a connection failed, with hints about other vendors."""
    if isinstance(error, InitFailed):
        return explain_refusal(error)
    return explain_silence(error, address) if isinstance(error, NothingListens) else error


def explain_refusal(refused: InitFailed) -> InitFailed:
    """Return the error to raise when a camera refuses, with the words for a vendor's reason."""
    if refused.reason not in REASONS:
        return refused
    return InitFailed(refused.reason, where=refused.where, said=REASONS[refused.reason])


def explain_silence(refused: ConnectFailed, address: Address) -> ConnectFailed:
    """Return the error to raise when nothing listens at an address, nor where `others` do."""
    if address.port != DEFAULT_PORT:
        return refused
    tried = ", ".join(str(one.port) for one in others(address) if one.port != DEFAULT_PORT)
    hint = f"{refused.hint}; other vendors' ports were tried, too: {tried}"
    return ConnectFailed(refused.message, hint=hint)
