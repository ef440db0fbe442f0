"""What ptpfast does with Panasonic's bodies, and how each ability is known: experimental.

Rows: bodies, role, ability, how it is known, note. `code` means published code that is used with
real cameras, `inferred` concluded from what bodies do over USB. ptpfast itself was tried with a
simulated body only.
"""

from __future__ import annotations

MAKER = "Panasonic (experimental)"

_BGH1 = "DC-BGH1"
ABILITIES = (
    (_BGH1, "both", "the HTTP gate, sessions", "code", "webptz; the token is the user's to give"),
    (_BGH1, "both", "list, read in parts", "inferred", "the standard's operations"),
    (_BGH1, "download", "RAW files", "inferred", "like any file; a GH5 lists no format of theirs"),
    (_BGH1, "remote", "capture, events", "inferred", "as over USB (libgphoto2)"),
    (_BGH1, "remote", "live view", "inferred", "as over USB; a body over a network may use HTTP"),
    ("other bodies with LUMIX Tether over a network", "both", "everything", "inferred", ""),
    ("GH3 to S5 II with an app", "both", "nothing", "code", "they speak HTTP only"),
)
