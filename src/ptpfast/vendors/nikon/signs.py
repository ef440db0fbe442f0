"""How Nikon cameras are found: by mDNS in connect-to-PC mode, else by their fixed address.

Sources: camcon (instances and TXT records of a Z 8, Z 6 and D850), zcine and airmtp (the address).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..signs import Signs, Told

USB_VENDOR = "04b0"  # a GUID begins with it
CAMERA_CONTROL, PICTURE_TRANSFER = "$DSC", "WT3T"  # the profiles, `apps` in the TXT record
VENDOR_EXTENSION = "A"
_INSTANCE = re.compile(r"([A-Za-z0-9_]{1,40})_([0-9]{4,12})")


def instance(name: str, txt: Mapping[str, str]) -> Told | None:
    """Read an instance such as `Z_8_5000001`, with a TXT record that has Nikon's keys."""
    guid = txt.get("guid", "")
    if not guid.lower().startswith(USB_VENDOR) and txt.get("apps") not in (
        CAMERA_CONTROL,
        PICTURE_TRANSFER,
    ):
        return None
    parts = _INSTANCE.fullmatch(name)
    if parts is None:
        return Told(name, guid=guid)
    return Told(name, parts[1].replace("_", " "), parts[2], guid)


SIGNS = Signs(instance=instance, addresses=("192.168.1.1",))
