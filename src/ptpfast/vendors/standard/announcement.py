"""What a body of the standard announces: the service of PTP/IP in mDNS (CIPA DC-005).

The standard leaves the TXT record open, so there is none.
"""

from __future__ import annotations

from ..announcement import Announcement, Identity, MdnsAnnouncement


def announces(identity: Identity) -> tuple[Announcement, ...]:
    """Return what a body announces."""
    return (MdnsAnnouncement(f"{identity.model} {identity.serial_number}"),)
