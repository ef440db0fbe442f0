"""The vendor of a camera that does not let this computer in: it may announce itself.

It is searched for in the one network that leads to it.
"""

from __future__ import annotations

from ..discovery import stream
from ..network import routes
from ..ptp.codes import DEFAULT_PORT
from ..ptp.errors import PTPError
from ..state import identity
from ..vendors import NAMES, Vendor, named

SEARCH_S = 1.5


def vendor_of(host: str) -> Vendor | None:
    """Return the vendor of the camera at an address, also of one that was paired there."""
    known = identity.at(host)
    if known is not None and known.vendor in NAMES:
        return named(known.vendor)
    try:
        return brand_at(host, routes.local_address(host, DEFAULT_PORT))
    except OSError:
        return None


def brand_at(host: str, local: str) -> Vendor | None:
    """Return the vendor of the camera at an address; None if it does not announce itself.

    Args:
        host: the IP address of the camera.
        local: the IPv4 address of this computer in its network.
    """
    try:
        search = stream(SEARCH_S, interfaces=[local], addresses=[])
    except (ModuleNotFoundError, ValueError, PTPError):
        return None  # the extra is missing, or the network is IPv6 only
    try:
        vendors = (each.vendor for each in search if each.host == host)
        found = next(filter(None, vendors), None)
    finally:
        search.close()  # type: ignore[attr-defined] # a generator
    return None if found is None else named(found)
