"""The manners of folders, in one table: what real filesystems do that a local disk does not."""

from __future__ import annotations

import errno
from typing import Any

_NO_SPACE_TOLD = dict.fromkeys(("blocks", "bfree", "bavail", "bsize", "frsize"), 0)


def _refuse(**operations: int) -> dict[str, Any]:
    return {"refuse": {name: errno.errorcode[number] for name, number in operations.items()}}


# A pull works on these as on any folder.
KIND: dict[str, dict[str, Any]] = {
    "no oddity": {},
    "new inode numbers at each look-up": {"inodes": "anew"},
    "new inode numbers at each look": {"inodes": "changing"},
    "one inode number for all files": {"inodes": 1},
    "no inode numbers": {"inodes": 0},
    "open files hidden when removed": {"hides": True},
    "open files hidden, new inode numbers": {"hides": True, "inodes": "anew"},
    "open files not removed, EBUSY": _refuse(unlink_open=errno.EBUSY),
    "open files not removed, EACCES": _refuse(unlink_open=errno.EACCES),
    "open files not renamed, EBUSY": _refuse(rename_open=errno.EBUSY),
    "open files not renamed, EACCES": _refuse(rename_open=errno.EACCES),
    "nothing is removed": _refuse(unlink=errno.EPERM),
    "no flush, ENOSYS": _refuse(flush=errno.ENOSYS),
    "no flush, EINVAL": _refuse(flush=errno.EINVAL),
    "no fsync, ENOSYS": _refuse(fsync=errno.ENOSYS, fsyncdir=errno.ENOSYS),
    "no fsync, EINVAL": _refuse(fsync=errno.EINVAL, fsyncdir=errno.EINVAL),
    "no fsync, ENOTSUP": _refuse(fsync=errno.ENOTSUP, fsyncdir=errno.ENOTSUP),
    "folders not flushed, EPERM": _refuse(fsyncdir=errno.EPERM),
    "folders not flushed, EACCES": _refuse(fsyncdir=errno.EACCES),
    "folders not flushed, EISDIR": _refuse(fsyncdir=errno.EISDIR),
    "dates to two seconds": {"dates": {"step": 2}},
    "no RENAME_NOREPLACE, EINVAL": _refuse(rename_flags=errno.EINVAL),
    "no RENAME_NOREPLACE, ENOSYS": _refuse(rename_flags=errno.ENOSYS),
    "no RENAME_NOREPLACE, EPERM": _refuse(rename_flags=errno.EPERM),
    "no links": _refuse(link=errno.EPERM),
    "neither, EINVAL": _refuse(rename_flags=errno.EINVAL, link=errno.EPERM),
    "neither, ENOSYS": _refuse(rename_flags=errno.ENOSYS, link=errno.ENOSYS),
    "neither, ENOTSUP": _refuse(rename_flags=errno.ENOTSUP, link=errno.ENOTSUP),
    "free space of zeros": {"space": _NO_SPACE_TOLD},
    "free space 0 of 0 blocks": {"space": {"blocks": 0, "bfree": 0, "bavail": 0}},
    "free space not told": _refuse(statfs=errno.ENOSYS),
    "free space in blocks of no bytes": {"space": {"bsize": 0, "frsize": 0}},
    "no locks, ENOSYS": _refuse(setlk=errno.ENOSYS),
    "no locks, ENOLCK": _refuse(setlk=errno.ENOLCK),
    "no locks, ENOTSUP": _refuse(setlk=errno.ENOTSUP),
    "no reservation, ENOTSUP": _refuse(fallocate=errno.ENOTSUP),
    "no reservation, ENOSYS": _refuse(fallocate=errno.ENOSYS),
    "no reservation, EPERM": _refuse(fallocate=errno.EPERM),
    "reservation by writing zeros": {"fills": True},
    "no modes": _refuse(chmod=errno.EPERM),
    "files of another user": {"owner": 4242},
    "shared with Windows": _refuse(
        rename_flags=errno.EINVAL,
        link=errno.EPERM,
        rename_open=errno.ETXTBSY,
        unlink_open=errno.ETXTBSY,
        chmod=errno.EPERM,
    ),
}

# Files come whole; that they are here already cannot be told from their dates.
WITHOUT_DATES: dict[str, dict[str, Any]] = {
    "dates refused": _refuse(utimens=errno.EPERM),
    "dates not offered": _refuse(utimens=errno.ENOSYS),
    "dates ignored": {"dates": "ignored"},
    "dates not before 2100": {"dates": {"least": 4102444800}},
    "dates not after 1980": {"dates": {"most": 315532800}},
}

# Bytes may be lost: no file may come to stand under its name as if it were whole.
BROKEN: dict[str, dict[str, Any]] = {
    "flush fails": _refuse(flush=errno.EIO),
    "fsync fails": _refuse(fsync=errno.EIO),
    "writes fail": _refuse(write=errno.EIO),
    "disk gone": _refuse(write=errno.ENOTCONN),
    "too long for the filesystem": {"largest": 10_000},
    "names are ASCII alone": {"names": {"ascii": "EILSEQ"}},
    "names of ten bytes": {"names": {"longest": 10}},
    "renames fail": _refuse(rename=errno.EIO, rename_flags=errno.EIO, link=errno.EIO),
}
