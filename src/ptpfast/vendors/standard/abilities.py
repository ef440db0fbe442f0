"""What works with cameras of no vendor's folder, and how it is known."""

from __future__ import annotations

MAKER = "Other cameras"

_ANY = "any camera that follows ISO 15740"
ABILITIES = (
    (_ANY, "both", "list, thumbnails, read in parts or whole", "official", "ISO 15740"),
    (_ANY, "both", "list in bulk", "official", "MTP's GetObjectPropList, where it is listed"),
    (_ANY, "both", "capture, events, properties", "official", "ISO 15740"),
    (_ANY, "both", "announcement by mDNS", "official", "CIPA DC-005 names `_ptp._tcp`"),
    ("Android devices", "both", "read 4 GiB and more", "code", "AOSP's MtpServer"),
)
