"""Pulls by the command, and what is in folders and on the card afterwards."""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner, Result

from ptpfast import (
    OperationCode,
)
from ptpfast.cli.main import ptpfast
from ptpfast.sim import SimulatedCamera


def run(camera: SimulatedCamera, *words: object) -> Result:
    where = f"{camera.host}:{camera.port}"
    result = CliRunner().invoke(ptpfast, ["pull", where, *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name[0] != "."}


def on_card(camera: SimulatedCamera) -> dict[str, bytes]:
    return {
        stored.name: b"".join(camera.store.expected(stored.handle).spans(0, stored.size))
        for stored in camera.store.files()
    }


def payload(camera: SimulatedCamera) -> int:
    data = (OperationCode.GetObject, OperationCode.GetPartialObject)
    return sum(row.payload for row in camera.log if row.operation in data)


def damage(path: Path) -> None:
    """A byte changes, and neither size nor date."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(4711)
        (byte,) = file.read(1)
        file.seek(4711)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
