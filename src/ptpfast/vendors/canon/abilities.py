"""What works with EOS bodies, and how it is known.

A row has the body, the role of the session, the ability, the evidence and a note. The evidence is
`capture` (bytes of a real body), `code` (published code that works with real bodies), `inferred`,
or `simulated` (the simulated body only).
"""

from __future__ import annotations

MAKER = "Canon EOS"

_ALL, _M, _OLD, _R5 = "EOS", "EOS M", "EOS without RemoteReleaseOn", "EOS R5 Mark II"
_DOWNLOAD, _REMOTE, _BOTH = "download", "remote", "both"

ABILITIES = (
    (_ALL, _BOTH, "connect after OK on the camera", "capture", "an EOS 80D answers Init late"),
    (_ALL, _DOWNLOAD, "list", "code", "by folder; libgphoto2"),
    (_ALL, _DOWNLOAD, "thumbnails", "code", "the standard's operation"),
    (_ALL, _DOWNLOAD, "read", "capture", "in pieces of 1 MiB, as EOS Utility and libgphoto2"),
    (_ALL, _DOWNLOAD, "read 4 GiB and more", "inferred", "whole, without resuming"),
    (_ALL, _DOWNLOAD, "events", "capture", "polled; logs of an EOS R6 Mark II and an 80D"),
    (_ALL, _BOTH, "keep awake", "code", "KeepDeviceOn every 30 s"),
    (_ALL, _BOTH, "properties", "code", "their types are guessed from their values"),
    (_ALL, _REMOTE, "capture to the card", "code", "libgphoto2"),
    (_ALL, _REMOTE, "capture to the camera's memory", "code", "libgphoto2, indigo"),
    (_ALL, _REMOTE, "live view", "code", "libgphoto2; R bodies show it on their display too"),
    (_ALL, _BOTH, "announcement by SSDP", "capture", "headers of EOS bodies, a T6's description"),
    (_M, _REMOTE, "capture", "code", "an M200 closes the connection (libgphoto2 issue 1062)"),
    (_OLD, _REMOTE, "capture", "code", "RemoteRelease"),
    (_R5, _DOWNLOAD, "list", "code", "object by object: it has no listing of folders"),
    (_R5, _BOTH, "events", "code", "records with long names (libgphoto2 issue 1028, indigo)"),
    (_R5, _REMOTE, "capture", "simulated", "firmware 1.0.0 and 1.0.1 hang at GetDeviceInfoEx"),
)
