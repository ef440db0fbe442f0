"""Find out whether the files of a folder are only in memory.

Linux describes each mount (proc(5), /proc/self/mountinfo). Layers are followed: the upper folder of
an overlay, the file of a loop device, the source of an encrypting or binding filesystem. On other
systems, and where a container hides the layers, a folder counts as one on a disk.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ...engine.sink import Descriptor
from ...ptp.errors import SinkError
from ..plan.places import nearest

MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs", "rootfs", "hugetlbfs"})
MEMORY_DISK = re.compile(r"z?ram\d+")  # names of block devices
ALLOW = "PTPFAST_ALLOW_MEMORY"
MOUNTS, DESCRIPTORS, DEVICES = "/proc/self/mountinfo", "/proc/self/fdinfo", "/sys/dev/block"
MAX_BELOW = 8


class Mount(NamedTuple):
    """A line of mountinfo. device: `major:minor`."""

    device: str
    type: str
    source: str
    options: list[str]


def check_lasting(path: Path) -> None:
    """SinkError for a folder whose files are in memory, unless the environment allows it."""
    kind = "" if os.environ.get(ALLOW) == "1" else in_memory(path)
    if kind:
        raise SinkError(
            f"{path} is in memory ({kind}): its files are lost when the computer is switched "
            "off, so ptpfast does not delete the originals",
            errno=errno.EINVAL,
            hint="choose a folder on a disk, or leave the deletion out",
        )


class Lasting:
    """The folders of files, each looked at once: something may be mounted in a destination."""

    def __init__(self) -> None:
        self._kinds: dict[Path, str] = {}

    def why_not(self, paths: Iterable[Path]) -> str:
        """Return why not all of the files are on a disk; '' if they are, or need not be."""
        if os.environ.get(ALLOW) == "1":
            return ""
        for folder in {path.parent for path in paths}:
            if folder not in self._kinds:
                self._kinds[folder] = in_memory(folder)
            if kind := self._kinds[folder]:
                return f"{folder} is in memory ({kind})"
        return ""


def in_memory(path: Path, below: int = 0) -> str:
    """Return what keeps the files of a folder in memory, such as `tmpfs`; '' if nothing does.

    The folder need not exist yet.
    """
    mount = _mount_of(nearest(Path(os.path.realpath(path))))
    if mount is None:
        return ""
    if mount.type in MEMORY:
        return mount.type
    disk = _disk(mount)
    if disk is not None and MEMORY_DISK.fullmatch(disk.name):
        return disk.name
    for place in _below(mount, disk):
        if below < MAX_BELOW and os.path.lexists(place) and (kind := in_memory(place, below + 1)):
            return kind
    return ""


def _below(mount: Mount, disk: Path | None) -> Iterator[Path]:
    """Where the files of a mount are kept, if that is another folder or file."""
    if mount.type == "overlay":
        for option in mount.options:
            name, _, value = option.partition("=")
            if name == "upperdir" and value.startswith("/"):  # others are from an unknown folder
                yield Path(value)
    elif disk is not None:
        for device in (disk, disk.parent):  # one of its partitions
            try:
                yield Path((device / "loop" / "backing_file").read_text().rstrip("\n"))
            except OSError:
                continue
    elif mount.source.startswith("/") and os.path.isdir(mount.source):
        yield Path(mount.source)


def _disk(mount: Mount) -> Path | None:
    """Return the block device of a mount, in sysfs."""
    device = mount.device
    try:  # btrfs has one device number for each subvolume
        status = os.stat(mount.source)
        if stat.S_ISBLK(status.st_mode):
            device = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    except (OSError, ValueError):
        pass
    link = os.path.join(DEVICES, device)
    return Path(os.path.realpath(link)) if os.path.lexists(link) else None


def _mount_of(path: Path) -> Mount | None:
    """Return the mount of a path; None if the system does not tell."""
    try:
        wanted = _number_of(path)
        mounts = os.fsdecode(Path(MOUNTS).read_bytes())
    except OSError:
        return None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        number, _, device, *_ = before.split(" ")
        if number == wanted:
            kind, source, options = after.split(" ", 2)
            return Mount(device, kind, _plain(source), [_plain(o) for o in options.split(",")])
    return None


def _number_of(path: Path) -> str:
    """Return the number of the mount of a path; '' if the system does not tell. OSError."""
    if not hasattr(os, "O_PATH"):
        return ""
    with Descriptor(path, os.O_PATH | os.O_CLOEXEC) as held:
        told = Path(DESCRIPTORS, str(held.number)).read_text()
    found = re.search(r"^mnt_id:\s*(\d+)", told, re.MULTILINE)
    return found[1] if found else ""


def _plain(text: str) -> str:
    r"""Without the escapes of mountinfo, as `\040` for a space."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
