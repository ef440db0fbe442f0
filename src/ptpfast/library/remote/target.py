"""One destination on another computer: what a run asks of it, with sorted errors.

A lost connection is tried again, with pauses. The filesystem's objects are this run's alone, so
that a lost one can be replaced by a new one, and all are closed at the end.
"""

from __future__ import annotations

import errno
import math
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ...link.patience import Patience
from ...ownership.names import TEMPORARY_PREFIX
from ...ptp.errors import SinkError
from ...transfer.hashing import new_hash
from ..keep.volatile import ALLOW
from . import opening
from .failures import TargetLost, failure, is_missing
from .opening import Kind
from .place import RemotePath, as_path, place_of

T = TypeVar("T")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
MOST_MADE_AGAIN = 3  # times that a folder is made which other programs remove
MOST_TRIES = 8  # also where the camera is waited for without end
PART = 8 << 20  # bytes that are written at a time
MOST_PARTS = 6  # of all files of a run that wait in memory
S3_PARTS = 9000  # S3 takes 10,000
UNKNOWN_PART = 4 * PART  # where the size of an object is not known
_LATEST_S = 1 << 40  # since 1970: a later time is none


class Entry(NamedTuple):
    """A file or folder there.

    Attributes:
        name: Its name.
        size: Bytes of a file.
        modified: Seconds since 1970; 0 if the filesystem does not tell.
        is_file, is_folder: What it is; neither for a link.
        etag: Its ETag without quotes; empty if there is none.
    """

    name: str
    size: int
    modified: float
    is_file: bool
    is_folder: bool
    etag: str = ""


class Target:
    """The destination of a run. Any thread may use it.

    Attributes:
        place: Its folder, as a path whose text is the URL.
        kind: What its filesystem can do.
        budget: The parts that may wait in memory.
        tries: How often in a row a lost connection is tried again.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        """Check the URL, and that the packages are here. Nothing is connected.

        Raises:
            MissingPackage: a package is not installed.
            ValueError: the URL is none, or nothing can be written there.
        """
        self.place: RemotePath = place_of(url)
        self.kind: Kind = Kind.of(url)
        opening.check(url)
        self.budget: threading.BoundedSemaphore = threading.BoundedSemaphore(MOST_PARTS)
        self.tries: int = MOST_TRIES
        self._url = url
        self._options = dict(options or {})
        self._lock = threading.RLock()
        self._filesystem: Any = None
        self._root = ""
        self._made: set[RemotePath] = set()
        self._made_again: Counter[RemotePath] = Counter()  # and nothing was written there since
        self._was_reached = False  # until then nothing is tried again
        self._old: list[Any] = []

    @property
    def path(self) -> Path:
        """The folder where the type of a report is `Path`."""
        return as_path(self.place)

    def limit_tries(self, most: int | None) -> None:
        """Set `tries` as the option `retry` asks."""
        self.tries = MOST_TRIES if most is None else min(most, MOST_TRIES)

    def check_lasting(self) -> None:
        """SinkError for a filesystem in memory, unless the environment allows it."""
        if self.kind.scheme == "memory" and os.environ.get(ALLOW) != "1":
            raise SinkError(
                f"{self.place} is in the memory of this process: its files are lost at its end, "
                "so ptpfast does not delete the originals",
                errno=errno.EINVAL,
                hint="choose another destination, or leave the deletion out",
            )

    def part_size(self, size: int | None) -> int:
        """Return the size of the parts of an object of `size` bytes."""
        if size is None:
            return UNKNOWN_PART if self.kind.is_s3 else PART
        return max(PART, -(-size // S3_PARTS)) if self.kind.is_s3 else PART

    def close(self) -> None:
        """Close all connections. Never raises."""
        with self._lock:
            there, self._old = [*self._old, self._filesystem], []
            self._filesystem = None
        for filesystem in there:
            if filesystem is not None:
                opening.close(filesystem)

    def entries(self, folder: RemotePath) -> list[Entry]:
        """Return what is in a folder; nothing if there is no such folder. SinkError."""
        return self._call(f"list {folder}", lambda fs: self._listed(fs, folder))

    def _listed(self, filesystem: Any, folder: RemotePath) -> list[Entry]:
        path = self.inner(folder)
        filesystem.invalidate_cache()
        try:
            found = filesystem.ls(path, detail=True)
        except FileNotFoundError:
            return []
        entries = [_entry(each) for each in found if each["name"].strip("/") != path.strip("/")]
        if len(found) == 1 and not entries and found[0].get("type") == "file":
            raise NotADirectoryError(f"{folder} is a file")
        return entries

    def look(self, path: RemotePath) -> Entry | None:
        """Return a file or folder; None if there is nothing of that name. SinkError."""

        return self._call(f"look at {path}", lambda fs: self._looked(fs, path))

    def _looked(self, filesystem: Any, path: RemotePath) -> Entry | None:
        filesystem.invalidate_cache()
        try:
            return _entry(filesystem.info(self.inner(path)))
        except FileNotFoundError:
            return None

    def make(self, folder: RemotePath) -> None:
        """Make a folder and those above it, once. SinkError."""
        if not self.kind.has_folders or folder in self._made:
            return
        path = self.inner(folder)

        def make(filesystem: Any) -> None:
            if path.strip("/"):
                filesystem.makedirs(path, exist_ok=True)

        self._call(f"make the folder {folder}", make)
        self._made.add(folder)

    def temporary(self, path: RemotePath) -> RemotePath:
        """Return an unpredictable name beside a file, which no object of a camera can have."""
        return path.parent / f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}"

    def move(self, path: RemotePath, to: RemotePath, *, overwrite: bool) -> None:
        """Give a file another name.

        Raises:
            FileExistsError: there is something of that name, and it must not be replaced.
            SinkError: it cannot be moved.
        """
        old, new, tries = self.inner(path), self.inner(to), 0

        def move(filesystem: Any) -> None:
            nonlocal tries
            tries += 1
            if tries > 1 and self._looked(filesystem, path) is None:
                return  # it was moved, and the answer was lost
            if self.kind.is_webdav:
                filesystem.client.move(old, new, overwrite=overwrite)
            elif self.kind.scheme == "memory":
                filesystem.cp_file(old, new)
                filesystem.rm_file(old)
            else:
                filesystem.mv(old, new)

        if not overwrite and self.look(to) is not None:
            raise taken(to)
        with self._in_folder_of(to):
            self._call(f"give {to} its name", move)

    def remove(self, path: RemotePath) -> None:
        """Delete a file of this run; this is tried once. SinkError."""

        def remove(filesystem: Any) -> None:
            try:
                filesystem.rm_file(self.inner(path))
            except FileNotFoundError:
                pass

        self._call(f"delete {path}", remove, tries=0)

    def hexdigest(self, path: RemotePath, algorithm: str) -> str:
        """Return the digest of a file as it is read back from the destination. SinkError."""

        def read(filesystem: Any) -> str:
            digest = new_hash(algorithm)
            for block in self._blocks(filesystem, path):
                digest.update(block)
            return str(digest.hexdigest())

        return self._call(f"read {path} back", read)

    def _blocks(self, filesystem: Any, path: RemotePath) -> Iterator[bytes]:
        filesystem.invalidate_cache()
        # asyncssh would ask for that much in one packet.
        more = {} if self.kind.is_sftp else {"block_size": PART}
        with filesystem.open(self.inner(path), "rb", **more) as file:
            while block := file.read(PART):
                yield block

    def inner(self, path: RemotePath) -> str:
        """Return a path as its filesystem takes it."""
        below = "/".join(path.parts[len(self.place.parts) :])
        if self.kind.is_webdav:  # which takes a path for a part of a URL
            below = below.replace("%", "%25").replace("#", "%23").replace("?", "%3F")
        return f"{self._root}/{below}" if below else self._root or "/"

    def write(self, path: RemotePath, work: Callable[[Any], T]) -> T:
        """Call `work`, which writes a file, with the filesystem, once.

        Raises:
            TargetLost: the connection was lost, or the folder was removed since it was made.
            SinkError: it cannot be written.
        """
        with self._in_folder_of(path):
            done = self._call(f"write {path}", work, tries=0)
        if path.parent in self._made:  # else it was removed since, as another thread has found
            self._made_again.pop(path.parent, None)
        return done

    @contextmanager
    def _in_folder_of(self, path: RemotePath) -> Iterator[None]:
        """Have a folder that was removed be made again. TargetLost: send the file again."""
        try:
            yield
        except SinkError as error:
            folder = path.parent
            if not is_missing(error.__cause__):
                raise
            if folder in self._made:
                self._made.discard(folder)
                if self._made_again[folder] >= MOST_MADE_AGAIN:
                    raise  # that does not help
                self._made_again[folder] += 1
            elif folder not in self._made_again:
                raise
            message = f"{folder} was removed during the run ({error.message})"
            raise TargetLost(message, errno=errno.EIO, hint=error.hint) from error.__cause__

    def patience(self, tries: int | None = None) -> Patience:
        """Return the pauses between tries; `tries` instead of those of the run."""
        most = self.tries if tries is None else tries
        most = most if self._was_reached else 0
        return Patience(math.inf, first_s=FIRST_PAUSE_S, most_s=LONGEST_PAUSE_S, tries=most)

    def _call(self, doing: str, work: Callable[[Any], T], tries: int | None = None) -> T:
        patience = self.patience(tries)
        while True:
            used = None
            try:
                used = self._opened()
                done = work(used)
                self._was_reached = True
                return done
            except Exception as error:
                if isinstance(error, FileExistsError) and error.filename is not None:
                    raise
                found = failure(error, doing)
                if not isinstance(found, TargetLost):
                    raise found from error
                self.renew(used)
                found.__cause__ = error
                patience.wait(found)

    def _opened(self) -> Any:
        with self._lock:
            if self._filesystem is None:
                self._filesystem = opening.opened(self._url, self._options)
                self._root = opening.root_of(self._url, self._filesystem)
            return self._filesystem

    def renew(self, used: Any) -> None:
        """Have the next use open another filesystem, if `used` is the present one."""
        with self._lock:
            if used is None or used is not self._filesystem or not self.kind.is_sftp:
                return
            # Files of other threads may still be open in it.
            self._old.append(self._filesystem)
            self._filesystem = None


def taken(path: RemotePath) -> FileExistsError:
    """Return the error about a name that something else has by now."""
    return FileExistsError(errno.EEXIST, "a file with that name exists", str(path))


def _entry(found: Mapping[str, Any]) -> Entry:
    name = str(found["name"]).rstrip("/").rpartition("/")[2]
    kind, size = found.get("type"), found.get("size")
    etag = found.get("ETag") or found.get("etag") or ""
    return Entry(
        name,
        int(size) if isinstance(size, int | float) else 0,
        _modified(found),
        kind == "file",
        kind == "directory",
        str(etag).strip('"'),
    )


def _modified(found: Mapping[str, Any]) -> float:
    for key in ("mtime", "LastModified", "modified", "last_modified", "updated", "created"):
        value = found.get(key)
        if isinstance(value, datetime):
            moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
            return moment.timestamp()
        if isinstance(value, int | float) and abs(value) <= _LATEST_S:
            return float(value)
    return 0.0
