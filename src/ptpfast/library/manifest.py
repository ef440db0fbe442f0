"""`SHA256SUMS`: checksums of the files of a run, in the format `sha256sum -c` reads.

An existing manifest is kept and added to; lines it does not understand stay as they are. It is
replaced in one step, so there is never half of one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from pathlib import Path

from ..errors import SinkError
from ..readback import read_back

MAX_SIZE = 256 << 20  # a million files with the longest names
_LINE = re.compile(r"(\\?)([0-9a-fA-F]{64}) [ *](.+)")


class Manifest:
    """The checksums of files, by their path from the manifest's folder."""

    def __init__(self, path: Path) -> None:
        """Reads the manifest if there is one. SinkError when it cannot be read."""
        self.path = path
        self._lines: dict[str | int, str] = {}  # by file, or by number when it is no checksum
        self._changed = False
        try:
            content = read_back(path, MAX_SIZE + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _error(path, error) from error
        if len(content) > MAX_SIZE:
            raise _error(path, OSError(errno.EFBIG, "too large for a list of checksums"))
        text = content.decode(errors="surrogateescape")
        for number, line in enumerate(text.removesuffix("\n").split("\n") if text else ()):
            match = _LINE.fullmatch(line.removesuffix("\r"))
            file = None if match is None else _unescape(match[3]) if match[1] else match[3]
            self._lines[number if file is None else file] = line

    def __contains__(self, file: Path) -> bool:
        return self._name(file) in self._lines

    def sha256(self, file: Path) -> str | None:
        """The checksum noted of a file, in hexadecimal; None when there is none."""
        line = self._lines.get(self._name(file))
        match = None if line is None else _LINE.fullmatch(line.removesuffix("\r"))
        return None if match is None else match[2].lower()

    def add(self, file: Path, sha256: str | None = None) -> None:
        """Adds or replaces a file's checksum in hexadecimal; without one the file is read.

        SinkError when it cannot be.
        """
        if sha256 is None:
            try:
                with file.open("rb") as stream:
                    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError as error:
                raise _error(file, error) from error
        name = self._name(file)
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        mark = "\\" if escaped != name else ""
        self._lines[name] = f"{mark}{sha256}  {escaped}"
        self._changed = True

    def write(self) -> None:
        """Writes it in one step if anything was added. SinkError: the old one is still there."""
        if not self._changed:
            return
        content = "".join(line + "\n" for line in self._lines.values())
        temporary = ""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w",
                encoding="utf-8",
                errors="surrogateescape",
                newline="\n",
                dir=self.path.parent,
                prefix=f".{self.path.name}.",
                delete=False,
            ) as file:
                temporary = file.name
                os.fchmod(file.fileno(), 0o666 & ~_umask())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            raise _error(self.path, error) from error
        finally:
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)
        self._changed = False

    def _name(self, file: Path) -> str:
        return os.path.relpath(file, self.path.parent)


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]), text)


def _error(path: Path, error: OSError) -> SinkError:
    return SinkError(
        f"cannot read or write {path}: {error.strerror or error}",
        errno=error.errno or 0,
        hint="check the file, or name another manifest",
    )
