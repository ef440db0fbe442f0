"""Cameras that do not listen at PTP/IP's port, or not yet: what to say when nothing is there.

Sources: fudge and libgphoto2 for Fujifilm, webptz for Panasonic.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import NamedTuple

from ..ptp.codes import DEFAULT_PORT
from ..ptp.errors import ConnectFailed
from ..transport.contract import Address


class Brand(NamedTuple):
    """Whose cameras listen at another port, and why they are not spoken to."""

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
LOOK_S = 0.3  # for one of these ports, on the host that was asked for


def explain(refused: ConnectFailed, address: Address) -> ConnectFailed:
    """Return what to raise when nothing listens at an address: for the usual port with what is
    known of the others on that host, each of which is tried."""
    if address.port != DEFAULT_PORT:
        return refused
    for port, brand in BRAND_PORTS.items():
        with suppress(OSError), socket.create_connection((address.host, port), timeout=LOOK_S):
            return ConnectFailed(
                f"{refused.message}, but port {port} is open, which {brand.who} use",
                hint=brand.hint,
            )
    brands = "; ".join(f"{brand.who} use port {port}" for port, brand in BRAND_PORTS.items())
    return ConnectFailed(refused.message, hint=f"{ConnectFailed.hint}; {brands}")
