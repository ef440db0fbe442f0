"""Tell the kind of a file from the extension of its name.

Format codes do not tell it: NEF is 0x3000 or 0x3800, and 0xB103 is both Canon's CR2 and Fujifilm's
RAF. This is the only table of extensions. Its keys are the kinds of `--format`.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["raw", "jpeg", "heif", "video", "audio", "other"]

_EXTENSIONS: dict[Kind, str] = {
    "raw": """
        3FR ARI ARQ ARW CAP CR2 CR3 CRW DCR DCS DNG EIP ERF FFF GPR IIQ K25 KDC MDC MEF MOS MRW NEF
        NRW ORF ORI PEF PTX PXN RAF RAW RW2 RWL RWZ SR2 SRF SRW X3F X3I
    """,
    "jpeg": "JPG JPEG JPE JFIF MPO INSP",
    "heif": "HIF HEIC HEIF HEICS HEIFS AVIF",
    "video": """
        360 3G2 3GP 3GPP ASF AVI BRAW CINE CRM DV F4V INSV LRF LRV M2P M2T M2TS M2V M4V MJPG MKV MOD
        MOV MP4 MPE MPEG MPG MPV MTS MXF NEV OSV QT R3D RMF TOD TRV TS VOB WEBM WMV XAVC
    """,
    "audio": "AAC AIF AIFF FLAC M4A MP2 MP3 OGG OPUS WAV WMA",
}
KINDS: tuple[Kind, ...] = (*_EXTENSIONS, "other")
_KINDS: dict[str, Kind] = {
    extension: kind for kind, extensions in _EXTENSIONS.items() for extension in extensions.split()
}

# One file and several, for people.
_NAMES: dict[Kind, tuple[str, str]] = {
    "raw": ("RAW", "RAW"),
    "jpeg": ("JPEG", "JPEG"),
    "heif": ("HEIF", "HEIF"),
    "video": ("movie", "movies"),
    "audio": ("sound", "sounds"),
    "other": ("other", "other"),
}


def extension(name: str) -> str:
    """Return the extension of a file name in capitals; `DSC_0001.nef` gives `NEF`, and no extension
    gives ''."""
    stem, dot, tail = name.rpartition(".")
    return tail.upper() if dot and stem else ""


def kind_of(name: str) -> Kind:
    """Return the kind of a file from the extension of its name."""
    return _KINDS.get(extension(name), "other")


def kind_name(kind: str, count: int = 1) -> str:
    """Return the name of a kind for people: `RAW`, `movies`."""
    one, many = next((words for key, words in _NAMES.items() if key == kind), (kind, kind))
    return one if count == 1 else many
