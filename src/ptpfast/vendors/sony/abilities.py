"""What sessions can do with Sony's cameras, and how each is known.

A row: bodies, role, ability, how it is known, note. "official" is Sony's Camera Control PTP 3
Reference, "code" published programs that are used with cameras, "capture" bytes of a real camera,
"inferred" a conclusion, "simulated" what only the simulated body has shown.
"""

from __future__ import annotations

MAKER = "Sony"

_LISTS = "ILCE-7M4 and other bodies with content lists"
_TRANSFER = "ILCE-7SM3 (firmware 3.00) and other bodies with content transfer"
_SENDS = "ILCE-7RM3 and older bodies"
ABILITIES = (
    (_LISTS, "download", "listing", "official", "paths, UMIDs, 64-bit sizes, local times"),
    (_LISTS, "download", "reading", "official", "64-bit offsets, 3 MiB at a time"),
    (_LISTS, "download", "thumbnails", "official", ""),
    (_LISTS, "download", "deleting", "official", "pictures of one file; the result is checked"),
    (_LISTS, "download", "new pictures", "official", "event ContentInfoListChanged"),
    (_LISTS, "download", "layout of the lists", "inferred", "packed, as the document orders them"),
    (_TRANSFER, "download", "listing", "official", "the standard's operations, each card alone"),
    (_TRANSFER, "download", "reading", "official", "GetPartialLargeObject, 64-bit offsets"),
    (_SENDS, "download", "listing and reading", "code", "airmtp; one session, then sleep"),
    ("all", "remote", "properties", "capture", "property list of an ILCE-6000"),
    (_LISTS, "both", "extended codes", "official", "with the flag, from vendor code 3.10 on"),
    ("all", "remote", "capture", "code", "libgphoto2, alpha-fairy, AlphaWire"),
    ("all", "remote", "RAW and JPEG", "code", "JPEG first; each file has its own handle here"),
    ("all", "remote", "live view", "official", "at most 30 frames a second"),
    ("all", "remote", "events", "official", "polled too: older bodies drop events"),
    (_LISTS, "both", "announcement by SSDP", "official", "pages 39 to 41; headers: camcon"),
    (_SENDS, "both", "announcement for remote control", "inferred", "as current bodies"),
    ("all", "both", "places in the service's description", "inferred", "from clients that read it"),
    ("all", "both", "pairing on the camera", "official", "waited for 90 s"),
    ("all", "both", "access authentication (SSH)", "official", "not supported: switch it off"),
)
