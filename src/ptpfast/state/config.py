"""The user's settings: `config.toml`, which ptpfast reads and never writes.

It is in the user's configuration folder. The command line judges the options in it, because they
are those of its commands; what is here are the tables, their lines, and the cameras by nickname.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..engine.text import printable
from ..ownership.followed import NotFollowed, read_followed
from ..ownership.toml import parse_toml
from ..ptp.errors import SinkError
from .places import user_folder

log: logging.Logger = logging.getLogger("ptpfast")

CONFIG_NAME = "config.toml"
MAX_FILE_SIZE = 1 << 18
CAMERAS, DEFAULTS = "cameras", "defaults"
# Of a camera's table; each other key of it is an option.
CAMERA_KEYS = ("address", "vendor", "destination")
LONGEST = 200  # lines of one value, up to which the lines are known
MOST_PARSED = 1 << 19  # characters that are parsed to learn the lines: more would take seconds
_PLACE = re.compile(r" \(at (.*)\)$")

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Config:
    """What the file has.

    Attributes:
        file: Its path; None for a user without a home folder.
        tables: Its content.
        lines: The line of each key and table, by all keys that lead to it.
        exists: Whether there is a file.
    """

    file: Path | None = None
    tables: dict[str, Any] = field(default_factory=dict)
    lines: dict[Keys, int] = field(default_factory=dict)
    exists: bool = False

    def where(self, *keys: str) -> str:
        """Return file and line of a key or table, for messages."""
        line = self.lines.get(keys)
        return f"{self.file}, line {line}" if line else str(self.file)

    def table(self, *keys: str) -> dict[str, Any]:
        """Return the table with this name; an empty one if it is missing or is no table."""
        found: Any = self.tables
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def camera(self, nickname: str) -> tuple[str, dict[str, Any]] | None:
        """Return nickname and table of a camera, in any case; None if it has no table."""
        for name, table in self.table(CAMERAS).items():
            if name.lower() == nickname.lower() and isinstance(table, dict):
                return name, table
        return None


def path() -> Path:
    """Return the path of the file. RuntimeError for a user without a home."""
    mac = "Library/Application Support"
    return user_folder("PTPFAST_CONFIG", mac, "XDG_CONFIG_HOME", ".config") / CONFIG_NAME


def load() -> Config:
    """Return the settings; empty ones if there is no file.

    Raises:
        OSError: the file cannot be read, or is no valid TOML.
    """
    try:
        file = path()
    except RuntimeError:
        return Config()
    try:
        content = read_followed(file, MAX_FILE_SIZE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return Config(file)
    except NotFollowed as error:
        why, number = error.strerror or str(error), error.errno or errno.EIO
        raise _unusable(file, why, number, error.hint) from error
    except OSError as error:
        raise _unusable(file, error.strerror or str(error), error.errno or errno.EIO) from error
    if len(content) > MAX_FILE_SIZE:
        raise _unusable(file, f"it is larger than {MAX_FILE_SIZE >> 10} KiB")
    try:
        text = content.decode()
        tables = parse_toml(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unusable(file, f"line {line} is not UTF-8") from error
    except ValueError as error:
        raise _unusable(file, _why(error)) from error
    return Config(file, tables, dict(_lines(text)), exists=True)


def cameras() -> Config:
    """Return the settings for their cameras; empty ones if they cannot be used. Never raises."""
    try:
        return load()
    except OSError as error:
        log.warning("the cameras of the settings are not used: %s", error)
        return Config()


def address(nickname: str) -> tuple[str, str] | None:
    """Return address and vendor of the camera with a nickname; None if it has no address."""
    found = cameras().camera(nickname)
    if found is None or not isinstance(found[1].get("address"), str):
        return None
    vendor = found[1].get("vendor")
    return found[1]["address"], vendor if isinstance(vendor, str) else ""


def _why(error: ValueError) -> str:
    """Return what is wrong with the TOML, its place first."""
    text = printable(str(error))
    if (place := _PLACE.search(text)) is None:
        return text
    return f"{place[1]}: {text[: place.start()]}"


def _unusable(
    file: Path,
    why: str,
    number: int = errno.EINVAL,
    hint: str = "repair it, or move it away",
) -> SinkError:
    return SinkError(f"cannot use {os.fspath(file)}: {why}", errno=number, hint=hint)


def _lines(text: str) -> Iterator[tuple[Keys, int]]:
    """Yield the keys and tables of a valid TOML file, each with the line where it begins.

    `tomllib` does not tell. Each header and each `key = value` is valid TOML by itself, and no part
    of one is, so the lines are gathered until they are.
    """
    header: Keys = ()
    gathered, begins, parsed = "", 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        if not gathered:
            begins = number
        if number - begins > LONGEST:
            return  # to parse so much for each line would take minutes
        gathered += line + "\n"
        parsed += len(gathered)
        if parsed > MOST_PARSED:
            return
        try:
            statement = tomllib.loads(gathered)
        except ValueError:
            continue
        is_header = gathered.lstrip().startswith("[")
        gathered = ""
        found = list(_walk(statement))
        if is_header and found:
            header = found[-1]  # the walk ends at the header's own table
        else:
            found = [header + keys for keys in found]
        for keys in found:
            yield keys, begins


def _walk(table: dict[str, Any]) -> Iterator[Keys]:
    for key, value in table.items():
        yield (key,)
        if isinstance(value, list) and value and isinstance(value[0], dict):  # [[a header]]
            value = value[0]
        if isinstance(value, dict):
            for below in _walk(value):
                yield (key, *below)
