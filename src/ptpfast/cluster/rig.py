"""A rig: cameras, and which workers can reach them; from a TOML file or from Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ..library.plan.naming import local_name
from ..ownership.readback import read_back
from ..ownership.toml import parse_toml
from ..ptp.arguments import check_names
from ..session.address import address_of

LARGEST_FILE = 1 << 20
MOST_CAMERAS = 10_000
MOST_NAME = 100


@dataclass(frozen=True)
class Camera:
    """A camera of a rig.

    Attributes:
        address: as for `pull`.
        name: its folder below the destination; the address by default.
        resource: the worker resource of those that can reach it; None if all can.
    """

    address: str
    name: str = ""
    resource: str | None = None

    def __post_init__(self) -> None:
        for key, value in (("address", self.address), ("name", self.name)):
            if not isinstance(value, str) or len(value) > MOST_NAME:
                raise ValueError(f"{key} is a text of up to {MOST_NAME} characters: {value!r:.60}")
        if self.resource is not None and not (
            isinstance(self.resource, str) and 0 < len(self.resource) <= MOST_NAME
        ):
            raise ValueError(f"resource is the name of a worker resource: {self.resource!r:.60}")
        at = address_of(self.address, None)
        name = self.name or str(at).replace(":", "_").strip("[]")
        if local_name(name) != name:
            raise ValueError(f"name: {name!r} cannot be the name of a folder")
        object.__setattr__(self, "name", name)


def _name(camera: Camera) -> str:
    return camera.name


def _place(camera: Camera) -> str:
    return str(address_of(camera.address, None))


@dataclass(frozen=True)
class Rig:
    """The cameras of a rig, and how their files are downloaded.

    Attributes:
        cameras: each with an address and a name of its own.
        options: options of `ptpfast.pull` for all of them.
    """

    cameras: Sequence[Camera]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < len(self.cameras) <= MOST_CAMERAS:
            raise ValueError(f"a rig has 1 to {MOST_CAMERAS:,} cameras, not {len(self.cameras):,}")
        # One camera has many addresses: its port may be written, and it may have a nickname.
        for what, of in (("name", _name), ("address", _place)):
            seen: set[str] = set()
            for camera in self.cameras:
                value = of(camera).casefold()
                if value in seen:
                    raise ValueError(f"two cameras have the {what} {getattr(camera, what)!r}")
                seen.add(value)
        if {"observer", "copies", "manifest"} & set(self.options):
            raise ValueError("observer, copies and manifest are of one computer: leave them out")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Return the rig that a TOML file describes.

        Args:
            path: the file: a table `[[camera]]` for each camera, with `address`, and if wanted
                `name` and `resource`; and `[options]`, as those of `ptpfast.pull`.

        Raises:
            ValueError: the file is no such description; the message says where.
            OSError: the file cannot be read.
        """
        content = read_back(Path(path), LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ValueError(f"{path} is larger than {LARGEST_FILE >> 20} MiB")
        try:
            table = parse_toml(content.decode())
        except ValueError as error:
            raise ValueError(f"{path} is no TOML: {error}") from None
        try:
            return cls._of(table)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: {error}") from None

    @classmethod
    def _of(cls, table: dict[str, Any]) -> Self:
        check_names("a rig", table, {"camera", "options"})
        rows, options = table.get("camera", []), table.get("options", {})
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("write each camera as a table [[camera]]")
        if not isinstance(options, dict):
            raise ValueError("write the options as a table [options]")
        cameras = []
        for number, row in enumerate(rows, start=1):
            check_names(f"camera {number}", row, {"address", "name", "resource"})
            if "address" not in row:
                raise ValueError(f"camera {number} has no address")
            cameras.append(Camera(**row))
        return cls(cameras, options)
