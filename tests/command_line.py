"""The command line in this process, and its lines of JSON."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from ptpfast import __version__
from ptpfast.cli.main import ptpfast
from ptpfast.sim import SimulatedCamera


def run(*arguments: object) -> Result:
    """The command in this process."""
    result = CliRunner().invoke(ptpfast, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def at(camera: SimulatedCamera) -> str:
    return f"{camera.host}:{camera.port}"


def records(text: str) -> list[dict[str, Any]]:
    """The lines of JSON; every one must be an object that begins with its type."""
    rows = [json.loads(line) for line in text.splitlines()]
    assert all(next(iter(row)) == "type" for row in rows)
    assert rows[0]["type"] == "header"
    assert rows[0]["schema"] == 1
    assert rows[0]["version"] == __version__
    return rows
