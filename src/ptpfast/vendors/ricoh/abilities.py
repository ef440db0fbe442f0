"""What ptpfast does with Ricoh's cameras, and how each ability is known.

Rows: bodies, role, ability, how it is known, note. `official` means Ricoh's "PTP-IP reference",
`code` published code that is used with real cameras. ptpfast itself was tried with a simulated body
only.
"""

from __future__ import annotations

MAKER = "Ricoh Theta"

_THETA = "Theta, Theta m15"
ABILITIES = (
    (_THETA, "both", "list, whole objects, thumbnails", "official", "no reads of parts"),
    (_THETA, "both", "JPEG only", "capture", "the formats that a Theta m15 lists (libgphoto2)"),
    (_THETA, "both", "capture, events", "official", ""),
    (_THETA, "both", "properties", "capture", "report of a Theta m15 (libgphoto2, over USB)"),
    (_THETA, "both", "resized pictures", "code", "theta4j; `session.transaction(0x1022, …)`"),
    ("Theta S and later", "both", "nothing", "official", "they speak HTTP over Wi-Fi"),
)
