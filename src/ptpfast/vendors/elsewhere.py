"""Hints about cameras that ptpfast does not support yet.

They are used when nothing listens at PTP/IP's port, or when a camera refuses with a vendor's
reason.

Sources: fudge, malc0mn and libgphoto2 for Fujifilm, webptz for Panasonic.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import NamedTuple

from ..ptp.codes import DEFAULT_PORT
from ..ptp.errors import ConnectFailed, InitFailed, PTPError
from ..transport.contract import Address
from ..transport.handshake import NothingListens


class Brand(NamedTuple):
    """A maker whose cameras listen at another port, and the reason why they are not supported."""

    who: str
    hint: str


BRAND_PORTS = {
    55740: Brand(
        "Fujifilm cameras",
        "Fujifilm's dialect of PTP/IP is not supported yet",
    ),
    60606: Brand(
        "Panasonic cameras",
        "they open the port for pictures only after a registration, which is not supported yet",
    ),
}
# Fujifilm's reasons of Init Fail, which are not the standard's: meaning and hint.
REASONS = {
    0x2019: (
        "it is busy or is paired under another name",
        "wait a second and try again, with the name used for pairing",
    ),
    0x201D: (
        "it requires another protocol version",
        "this model needs Fujifilm's own handshake",
    ),
}
LOOK_S = 0.3  # for one of these ports, on the host that was asked for


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
    """Return the error to raise when nothing listens at an address.

    For the usual port, it tries the ports of the other vendors on that host.
    """
    if address.port != DEFAULT_PORT:
        return refused
    for port, brand in BRAND_PORTS.items():
        with suppress(OSError), socket.create_connection((address.host, port), timeout=LOOK_S):
            return ConnectFailed(
                f"{refused.message}, but port {port} is open, which {brand.who} use",
                hint=brand.hint,
            )
    brands = ", ".join(f"{brand.who} ({port})" for port, brand in BRAND_PORTS.items())
    return ConnectFailed(refused.message, hint=f"{refused.hint}; not supported yet: {brands}")
