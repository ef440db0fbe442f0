"""Journals of part files, as tests read and change them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ptpfast.transfer.journal import Kept
from ptpfast.transfer.notes import line


def read_note(path: Path) -> dict[str, Any]:
    """The JSON of a journal; "arrived" is the larger of its further lines, if it has any."""
    first, *lines = path.read_bytes().split(b"\n")
    told: dict[str, Any] = json.loads(first)
    found = [json.loads(each) for each in lines if each.strip(b"\0 ")]
    if found:
        told["arrived"] = max(found, key=lambda each: each["size"])
    return told


def write_note(path: Path, told: dict[str, Any]) -> None:
    """The opposite."""
    told = dict(told)
    arrived = told.pop("arrived", None)
    text = json.dumps(told).encode() + b"\n"
    path.write_bytes(text if arrived is None else text + line(Kept(**arrived)))
