"""The methods of fsspec that write, each refused: ptpfast only reads from a card.

fsspec's own versions of some of them do nothing, and those of others delete.
"""

from __future__ import annotations

import errno
from typing import Any, NoReturn


def refuse(what: str, path: object) -> NoReturn:
    """Raise the error of a read-only filesystem."""
    raise OSError(errno.EROFS, f"a camera's card is read-only through ptpip://: {what}", str(path))


class ReadOnly:
    """Refusals of everything that writes."""

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> NoReturn:
        """Refuse to make a folder."""
        refuse("no folder can be made", path)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Refuse to make folders, unless `exist_ok` and the folder exists."""
        if not (exist_ok and self.isdir(path)):  # type: ignore[attr-defined]
            refuse("no folder can be made", path)

    def rmdir(self, path: str) -> NoReturn:
        """Refuse to remove a folder."""
        refuse("no folder can be removed", path)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> NoReturn:
        """Refuse to copy within the card."""
        refuse("nothing can be copied to it", path2)

    def copy(self, path1: str, path2: str, *more: Any, **kwargs: Any) -> NoReturn:
        """Refuse to copy within the card."""
        refuse("nothing can be copied to it", path2)

    def mv(self, path1: str, path2: str, *more: Any, **kwargs: Any) -> NoReturn:
        """Refuse to move."""
        refuse("nothing can be moved", path1)

    def put_file(self, lpath: str, rpath: str, *more: Any, **kwargs: Any) -> NoReturn:
        """Refuse to upload."""
        refuse("nothing can be uploaded", rpath)

    def put(self, lpath: str, rpath: str, *more: Any, **kwargs: Any) -> NoReturn:
        """Refuse to upload."""
        refuse("nothing can be uploaded", rpath)

    def pipe_file(self, path: str, value: bytes, *more: Any, **kwargs: Any) -> NoReturn:
        """Refuse to write."""
        refuse("nothing can be written", path)

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> NoReturn:
        """Refuse to make or change a file."""
        refuse("nothing can be written", path)
