"""What Nikon bodies in connect-to-PC mode announce: a service in mDNS.

The TXT record is that of a Z 8 (camcon), which has also seen the instances of a Z 6 and a D850. The
records of all other bodies are inferred. The bodies with a network of their own and nothing else
(D5300, D7200) have a fixed address and are not known to announce anything.
"""

from __future__ import annotations

from ..announcement import Announcement, Announces, Identity, MdnsAnnouncement
from .signs import CAMERA_CONTROL, PICTURE_TRANSFER, USB_VENDOR, VENDOR_EXTENSION


def guid_head(product: int) -> bytes:
    """Return the first bytes of a body's GUID, from its USB product id; the MAC follows."""
    return bytes.fromhex(f"{USB_VENDOR}{product:04x}000010018001")


def announcing(product: int, *, transfers: bool = False) -> Announces:
    """Return what bodies of a model announce.

    Args:
        product: their USB product id.
        transfers: the profile is picture transfer, not camera control.
    """

    def announces(identity: Identity) -> tuple[Announcement, ...]:
        model = identity.model.replace(" ", "_")
        txt = {
            "apps": PICTURE_TRANSFER if transfers else CAMERA_CONTROL,
            "vid": VENDOR_EXTENSION,
            "pid": f"{product:x}",
            "guid": identity.uuid,
        }
        return (MdnsAnnouncement(f"{model}_{identity.serial_number}", txt),)

    return announces
