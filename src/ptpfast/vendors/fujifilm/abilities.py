"""What ptpfast does with Fujifilm's bodies, and how each ability is known.

Rows: bodies, role, ability, how it is known, note. `capture` means seen in the bytes or the log of
a real camera, `code` in published code that is used with real cameras, `inferred` concluded from
that. ptpfast itself was tried with simulated bodies only.
"""

from __future__ import annotations

MAKER = "Fujifilm"

_ALL = "bodies of 2014 to 2021"
_LATER = "bodies since 2022"
ABILITIES = (
    (_ALL, "both", "approval by the owner", "code", "fudge"),
    (_ALL, "download", "list, read in parts", "capture", "logs of an X-T2, X-T20 and X-T4 (fudge)"),
    (_ALL, "download", "thumbnails", "code", "fudge"),
    (_ALL, "download", "pictures chosen on the body", "code", "fudge, vcam; the end is presumed"),
    (_ALL, "download", "JPEG and MOV only, but by PC AutoSave", "code", "fudge"),
    (_ALL, "download", "PC AutoSave", "code", "fudge, vcam; RAF, and no thumbnails"),
    (_ALL, "download", "the list of a card without folders", "code", "vcam"),
    (_ALL, "download", "more than 4 GiB", "inferred", "as a whole object; sizes have 32 bits"),
    (_ALL, "remote", "properties, events", "capture", "X-T1 (malc0mn/ptp-ip)"),
    (_ALL, "remote", "capture and its preview", "code", "malc0mn/ptp-ip"),
    (_ALL, "remote", "the captured picture", "inferred", "read in the viewer, then back"),
    (_ALL, "remote", "live view", "code", "libgphoto2"),
    (_ALL, "both", "keep-alive", "code", "changes are polled (fudge)"),
    (_ALL, "both", "announcement by broadcast", "code", "PC AutoSave only (vcam, fudge)"),
    (_LATER, "both", "everything", "inferred", "untested: they want pairing over Bluetooth first"),
)
