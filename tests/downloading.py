"""Downloads that say what comes next, as a run does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ptpfast import ObjectInfo, Session, Transfer
from ptpfast.transfer import Download, DownloadOptions, Progress


def download(
    session: Session,
    info: ObjectInfo,
    path: Path,
    *,
    then: Sequence[ObjectInfo],
    progress: Progress | None = None,
    **options: Any,
) -> Transfer:
    """One object; `then`: what is downloaded after it."""
    told = DownloadOptions(**options)
    return Download(session.camera, info, path, told, progress=progress, then=then).run()
