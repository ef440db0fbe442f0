"""The names of all files that the package makes beside a user's files.

Temporary files begin with `.ptpfast-`. The local name of an object never begins with a dot, so an
object cannot get such a name. `is_reserved` reserves the others; `library.plan.naming` calls it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator

from ..engine.text import in_text

# Beside a file NAME that is not complete yet.
PART_SUFFIX = ".part"
JOURNAL_SUFFIX = ".part.json"
# In the destination.
MANIFEST_NAME = "SHA256SUMS"
DELETIONS_NAME = ".ptpfast-deletions.jsonl"
# Temporaries: of a file that is to replace one, of a trial whether a folder can be written, of a
# measurement of the disk, of a marker.
TEMPORARY_PREFIX = ".ptpfast-"
# In the user's configuration, cache and data folders.
TUNINGS_NAME = "cameras.json"
CHUNKS_NAME = "chunks.json"
IDENTITY_NAME = "identity.json"
INDEX_SUFFIX = ".sqlite"
INDEX_COMPANIONS = ("-journal", "-wal", "-shm")  # SQLite's own, behind the index's name
_INDEX = re.compile(r"[0-9a-f]{32}\.sqlite(-journal|-wal|-shm)?")
CATALOG_NAME = "catalog.sqlite"
CATALOG_ASIDE = "catalog-damaged-{}.sqlite"  # a catalog that cannot be used, kept for the user
_CATALOG = re.compile(r"catalog(-damaged-\d+)?\.sqlite(-journal|-wal|-shm)?")

_RANDOM = re.compile(re.escape(TEMPORARY_PREFIX) + "[0-9a-f]{16}")

RESERVED_ENDINGS = (PART_SUFFIX, JOURNAL_SUFFIX)
RESERVED_NAMES = (MANIFEST_NAME, DELETIONS_NAME)
_MOST_TEMPORARIES = 100  # of one file: each beyond the first stands beside something planted

# Letters and marks without a shape, which ext4 (with casefold) and HFS+ leave out when they compare
# names (Unicode's Default_Ignorable_Code_Point).
_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def same_name(name: str) -> str:
    """Return a key that is equal for names that some filesystem takes for the same one."""
    return same_text(in_text(name))


def same_text(text: str) -> str:
    """Return `same_name` of a name as text, such as a camera's."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFC", _IGNORED.sub("", text))
    return unicodedata.normalize("NFC", text.casefold())


def keys(text: str) -> frozenset[str]:
    """Return keys of which two names, as text, share one if any filesystem takes them for one."""
    # ZFS can compare in compatibility forms; SMB and FAT drop dots and blanks at the end.
    forms = (same_text(text), same_text(unicodedata.normalize("NFKC", same_text(text))))
    return frozenset(form.rstrip(" .") for form in forms)


def is_reserved(name: str) -> bool:
    """Return whether a filesystem could take `name`, as text, for one of the package's own."""
    return any(
        key.endswith(RESERVED_ENDINGS) or key.startswith(TEMPORARY_PREFIX) or key in _RESERVED_KEYS
        for key in keys(name)
    )


def is_ours_for_another_use(name: str) -> bool:
    """Return whether a list of checksums cannot have that name: it is that of another file."""
    if not keys(name).isdisjoint({MANIFEST_NAME.lower()}):
        return False
    if is_reserved(name) or name in (TUNINGS_NAME, CHUNKS_NAME, IDENTITY_NAME):
        return True
    return any(pattern.fullmatch(name) for pattern in (_INDEX, _CATALOG))


_RESERVED_KEYS = frozenset(map(same_name, RESERVED_NAMES))


def temporaries(path: str, key: str = "") -> Iterator[str]:
    """Yield the names of temporary files that replace `path`, the usual one first.

    They are the same in each process, so a later run finds those of a killed one. `key` sets
    processes apart.
    """
    folder, name = os.path.split(path)
    import hashlib  # slow to import

    digest = hashlib.sha256(f"{key}\0{name}".encode(errors="surrogateescape")).hexdigest()[:16]
    for number in range(_MOST_TEMPORARIES):
        yield os.path.join(folder, f"{TEMPORARY_PREFIX}{digest}-{number}")


def random_name(folder: str) -> str:
    """Return an unpredictable name in `folder`."""
    return os.path.join(folder, f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}")


def is_random_name(name: str) -> bool:
    """Return whether a name can be one of `random_name`."""
    return _RANDOM.fullmatch(name) is not None
