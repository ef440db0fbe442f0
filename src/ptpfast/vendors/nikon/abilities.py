"""What ptpfast does with Nikon's bodies, and how each ability is known.

Rows: body, role, ability, how it is known, note. `capture` means seen in the bytes or the log of a
real camera, `code` in published code that is used with real cameras, `inferred` concluded from
other bodies. ptpfast itself was tried with simulated bodies only.
"""

from __future__ import annotations

MAKER = "Nikon"

_DSLR = "DSLR with built-in Wi-Fi or a WU-1 adapter"
_NIKON_1 = "Nikon 1"
_FIRST = "Z 5, Z 6, Z 7, Z 50"
_SECOND = "Z 6II, Z 7II, Z fc, Z 30"
_LATER = "Z 8, Z 9, Z 6III, Z f, Z 5II, Z 50II, ZR"

ABILITIES = (
    (_DSLR, "download", "list, read in parts", "code", "airmtp, libgphoto2"),
    (_DSLR, "download", "transfer list", "code", "airmtp; D7200, D750; `Session.marked`"),
    (_DSLR, "remote", "capture to the card, events", "code", "libgphoto2"),
    (_DSLR, "remote", "live view", "code", "libgphoto2"),
    (_DSLR, "remote", "properties", "code", "libgphoto2"),
    ("D850", "both", "its list of operations", "inferred", "what older and newer bodies list"),
    (_NIKON_1, "download", "list, read in parts", "code", "airmtp"),
    (_NIKON_1, "remote", "events", "code", "not polled: libgphoto2 calls the operation unreliable"),
    (_FIRST, "download", "list, read in parts, beyond 4 GiB", "capture", "reports of a Z 6"),
    (
        _FIRST,
        "download",
        "end an application mode left on",
        "code",
        "libgphoto2: it hides the card",
    ),
    (_FIRST, "download", "no approval", "code", "zcine: never asked for pairing"),
    (_FIRST, "remote", "capture, events", "capture", "published logs of a Z 6"),
    (_FIRST, "remote", "live view", "code", "zcine: a header of 512 bytes on a Z 7"),
    (_SECOND, "both", "everything", "inferred", "no body of this generation is simulated"),
    (_LATER, "both", "approval by the owner", "capture", "camcon: Z 8, Z 6"),
    ("ZR", "both", "approval in its own network", "code", "zcine: under the name `WTU-iPhone`"),
    (_LATER, "download", "list, read in parts, beyond 4 GiB", "code", "camcon, libgphoto2"),
    (_LATER, "download", "picture transfer: the owner's queue", "capture", "camcon: Z 8, Z 6"),
    (_LATER, "download", "a queue that goes on after a lost connection", "inferred", ""),
    (_LATER, "remote", "capture, events", "code", "camcon, zcine"),
    (_LATER, "remote", "live view", "code", "zcine: a header of 1024 bytes on a ZR"),
    (_LATER, "remote", "focus areas in live view", "code", "zcine: a ZR; units are inferred"),
    (_LATER, "remote", "properties with codes of 32 bits", "code", "zcine: a ZR"),
    ("Z 8", "both", "its announcement by mDNS", "capture", "camcon; its TXT record"),
    ("Z 6, D850", "both", "their names in mDNS", "capture", "camcon"),
    ("Z 6, Z 6III, Z 9, D850", "both", "their TXT records", "inferred", "as that of a Z 8"),
    (_DSLR, "both", "no announcement", "code", "a fixed address (libgphoto2, airmtp)"),
    ("Z 8, Z 6III", "both", "their lists of operations", "inferred", "those of a Z 9"),
)
