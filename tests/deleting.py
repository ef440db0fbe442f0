"""Pulls that delete on the camera, and what was noted of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conftest import PATIENT
from ptpfast import (
    OperationCode,
    Report,
    pull,
)
from ptpfast.library.keep.deletion_journal import JOURNAL_NAME
from ptpfast.sim import SimulatedCamera


def fetch(camera: SimulatedCamera, folder: Path, **options: Any) -> Report:
    options = {"timeouts": PATIENT, "delete_verified": True} | options
    return pull(f"{camera.host}:{camera.port}", folder, **options)


def deletions(camera: SimulatedCamera) -> int:
    return camera.operations[OperationCode.DeleteObject]


def noted(folder: Path) -> list[tuple[str, str]]:
    """What the journal says, of which file."""
    lines = (folder / JOURNAL_NAME).read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [(entry["what"], entry["object"]["name"]) for entry in entries]
