"""The filesystem: what fsspec asks for, by what a session can do."""

from __future__ import annotations

import errno
import hashlib
import os
import weakref
from datetime import datetime
from types import TracebackType
from typing import Any, ClassVar, Self, cast

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.spec import AbstractFileSystem
from fsspec.utils import isfilelike

from ..ownership import folders
from ..ptp.arguments import switches, whole
from ..ptp.objects import ObjectInfo
from ..session.address import address_of
from ..session.session import Session
from ..transport.contract import Address
from .camera import OpenCamera
from .entry import as_os_error, date_of, entry
from .file import PtpIpFile
from .options import of_connect
from .queue import RangeQueue
from .ranges import MERGED_GAP, Spans
from .refused import ReadOnly, refuse
from .sharing import leave_soon, shared
from .target import Target
from .tree import Node, Tree
from .url import PROTOCOL, divided, options_of, url_of


class _User:
    """Who uses a camera, for a filesystem that may be collected."""


class PtpIpFileSystem(ReadOnly, AbstractFileSystem):  # type: ignore[misc]
    """The cards of a camera as an fsspec filesystem. It reads; it can delete if that is allowed.

    Args:
        host: the camera, as in `ptpfast.connect`.
        port: its port.
        nickname: your name for the camera. It keeps cached data of two cameras apart that have the
            same address at different times.
        storage: the root is this card: a slot (1, 2) or a storage id. By default all cards.
        allow_delete: let `rm` delete files on the camera.
        options: `vendor`, `timeouts` (`Timeouts`, or a dict of seconds), `depth`, `index`, `role`,
            `name`, `guid` as in `ptpfast.connect`; `retry`, how often in a row a lost session is
            opened again (8); `use_listings_cache` and `listings_expiry_time` (seconds) as in
            fsspec.

    Raises:
        TypeError, ValueError: an argument is wrong.

    Notes:
        The session is opened when it is first needed, and shared by all filesystems of a process
            for this address. `close` or `with` ends it when no other uses it; after that it is
            opened again when it is needed.
        Errors are `FileNotFoundError`, `PermissionError`, `OSError` or a `PTPError`.

    Example:
        fs = fsspec.filesystem("ptpip", host="192.168.1.1")
        with fs, fs.open(fs.glob("/DCIM/**/*.NEF")[0]) as file:
            header = file.read(4096)
    """

    protocol: ClassVar[str] = PROTOCOL
    root_marker = "/"

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        nickname: str | None = None,
        storage: int | None = None,
        allow_delete: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if host is None:
            raise ValueError('name the camera: host="192.168.1.1", or ptpip://192.168.1.1/DCIM')
        self._options = of_connect(options)
        self._address: Address = address_of(host, port, 0)
        self._nickname = nickname
        self._storage = None if storage is None else whole("storage", storage, "a card, such as 1")
        switches(allow_delete=allow_delete)
        self._allow_delete = allow_delete
        self._user = _User()
        weakref.finalize(self, leave_soon, self._address, self._user).atexit = False

    # The session

    def camera(self) -> OpenCamera:
        """Return the open camera that this process shares."""
        return self.queue().camera

    def queue(self) -> RangeQueue:
        """Return the queue of ranges that are read from the camera."""
        return shared(self._address).use(self._user, self._options)

    @property
    def session(self) -> Session:
        """The session, for what a filesystem cannot do: `fs.session.thumbnail(info["handle"])`."""
        return self.camera().session

    def close(self) -> None:
        """End the session, unless another filesystem of this process uses it."""
        shared(self._address).leave(self._user)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Paths and addresses

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return divided(path).path

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, Any]:
        return options_of(path)

    @property
    def fsid(self) -> str:
        """The address, with the nickname."""
        return self.unstrip_protocol("/").rstrip("/")

    def unstrip_protocol(self, name: str) -> str:
        """Return the URL of a path.

        Args:
            name: the path.
        """
        host, port = self._address
        return url_of(self._nickname, host, port or None, self._strip_protocol(name))

    # The card

    def _tree(self, *, refresh: bool = False) -> Tree:
        age = self.dircache.listings_expiry_time
        if refresh or not self.dircache.use_listings_cache:
            age = 0.0
        return self.camera().tree(age)

    def _node(self, path: str, *, refresh: bool = False) -> tuple[str, Node]:
        path = self._strip_protocol(path)
        with as_os_error(path):
            return path, self._tree(refresh=refresh).find(path, self._storage)

    def _object(self, path: str) -> ObjectInfo:
        path, node = self._node(path)
        if node.info is None:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return node.info

    def target(self, path: str) -> Target:
        """Return the object at a path, for reading.

        Args:
            path: the path of a file.
        """
        return Target(self._object(path))

    def ls(self, path: str, detail: bool = True, refresh: bool = False, **kwargs: Any) -> Any:
        """List a folder.

        Args:
            path: a folder, or a file.
            detail: return dicts as `info` does, not only paths.
            refresh: ask the camera again.
            kwargs: not used.

        Raises:
            FileNotFoundError: there is no such path.
        """
        path, node = self._node(path, refresh=refresh)
        if not node.is_folder:
            return [entry(path, node)] if detail else [path]
        names = {f"{path.rstrip('/')}/{part}": child for part, child in node.children.items()}
        return [entry(*row) for row in names.items()] if detail else sorted(names)

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Describe a file or folder.

        Args:
            path: the path.
            kwargs: `refresh` as in `ls`.

        Returns:
            name, size (None if only a read tells it) and type (`file` or `directory`). Files also
            have created and mtime: None if unknown; without a time zone they are in this
            computer's. Further fields of files are format in words (`RAW`, `JPEG`, `movie`),
            handle, storage_id, protected, and object_name, the name on the card.

        Raises:
            FileNotFoundError: there is no such path.
        """
        return entry(*self._node(path, refresh=bool(kwargs.get("refresh"))))

    def invalidate_cache(self, path: str | None = None) -> None:
        """List the card again before the next use.

        Args:
            path: not used: the card is listed as a whole.
        """
        self.camera().forget_tree()
        super().invalidate_cache(path)

    def created(self, path: str) -> datetime:
        """Return the capture time of a file.

        Args:
            path: the path.

        Raises:
            ValueError: the camera reports none.
        """
        return date_of(path, self.info(path).get("created"))

    def modified(self, path: str) -> datetime:
        """Return the modification time of a file, or else its capture time.

        Args:
            path: the path.

        Raises:
            ValueError: the camera reports none.
        """
        found = self.info(path)
        return date_of(path, found.get("mtime") or found.get("created"))

    def ukey(self, path: str) -> str:
        """Return a text that changes when the file at a path changes.

        Args:
            path: the path.
        """
        info = self._object(path)
        facts = (info.storage_id, info.path, info.size, info.captured, info.modified)
        body = self.session.device_info.body
        return hashlib.sha256(repr((body, facts)).encode(errors="replace")).hexdigest()

    def checksum(self, path: str) -> int:
        """Return `ukey` as a number.

        Args:
            path: the path.
        """
        return int(self.ukey(path), 16)

    # Reading

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> PtpIpFile:
        if mode != "rb":
            refuse(f"mode {mode!r} is not possible, only 'rb'", path)
        with as_os_error(path):
            return PtpIpFile(self, path, mode, **kwargs)

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any
    ) -> bytes:
        """Return the bytes of a file, or of a range of it.

        Args:
            path: the path.
            start: the first byte; from the end if negative.
            end: the byte behind the last.
            kwargs: not used.
        """
        (result,) = self.cat_ranges([path], [start], [end], on_error="raise")
        return cast(bytes, result)

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[bytes | BaseException]:
        """Return the bytes of many ranges. Neighbours are read at once, and requests pipelined.

        Args:
            paths: a path for each range.
            starts: the first byte of each range, or one number for all; from the end if negative.
            ends: the byte behind the last, in the same form.
            max_gap: read ranges of a file at once if at most so many bytes are between them; 64 KiB
                by default.
            on_error: `return` puts the exception of a range in its place, `raise` raises it.
            kwargs: not used.
        """
        if not isinstance(paths, list):
            raise TypeError("paths takes a list of paths")
        starts, ends = (
            each if isinstance(each, list) else [each] * len(paths) for each in (starts, ends)
        )
        if not len(paths) == len(starts) == len(ends):
            raise ValueError("paths, starts and ends differ in length")
        spans = Spans(self.queue(), self.target)
        try:
            for row in zip(paths, starts, ends, strict=True):
                spans.add(*row)
            results = spans.read(MERGED_GAP if max_gap is None else max_gap)
        finally:
            spans.close()
        for path, result in zip(paths, results, strict=True):
            if isinstance(result, BaseException) and on_error == "raise":
                with as_os_error(path):
                    raise result
        return results

    def get_file(
        self,
        rpath: str,
        lpath: Any = None,
        callback: Any = DEFAULT_CALLBACK,
        outfile: Any = None,
        **kwargs: Any,
    ) -> None:
        """Download a file by `Session.download`: it has its name when it is complete.

        Args:
            rpath: the path on the card.
            lpath: the file on this computer, which is replaced, or a file object.
            callback: as fsspec has it.
            outfile: a file object.
            kwargs: arguments of `Session.download`.
        """
        if outfile is not None or isfilelike(lpath):
            super().get_file(rpath, lpath, callback=callback, outfile=outfile, **kwargs)
            return
        path, node = self._node(rpath)
        if node.info is None:
            folders.make(lpath)
            return
        target = Target(node.info)
        callback.set_size(node.info.size)
        folders.make(os.path.dirname(os.path.abspath(lpath)))
        with as_os_error(path):
            target.download(
                self.camera(),
                lpath,
                progress=lambda received, size: callback.absolute_update(received),
                **{"overwrite": True, **kwargs},
            )

    # Deletion

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Delete files on the camera, if the filesystem was made with `allow_delete=True`.

        Args:
            path: a path or several, also with wildcards.
            recursive: delete all files below folders. The camera keeps the folders.
            maxdepth: how deep.

        Raises:
            PermissionError: it is not allowed, here or by the camera.
            IsADirectoryError: a folder, without `recursive`.
        """
        if not self._allow_delete:
            what = "deletion is off; make the filesystem with allow_delete=True"
            raise PermissionError(errno.EPERM, what, str(path))
        found = [self._node(each) for each in self.expand_path(path, recursive, maxdepth)]
        for each, node in found:
            if node.is_folder and not recursive:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), each)
        camera = self.camera()
        try:
            for each, node in found:
                if node.info is not None:
                    with as_os_error(each):
                        Target(node.info).delete(camera)
        finally:
            camera.forget_tree()

    def rm_file(self, path: str) -> None:
        """Delete one file, as `rm`.

        Args:
            path: the path.
        """
        self.rm([path])

    _rm = rm_file
