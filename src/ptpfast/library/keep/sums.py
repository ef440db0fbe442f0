"""The checksums of a run's files, in its manifest if it has one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...ptp.errors import SinkError
from ..report.results import ALREADY_HERE

if TYPE_CHECKING:
    from ..plan.destination import Destination
    from ..report.observer import Observer
    from ..report.report import Report
    from .manifest import Manifest

log: logging.Logger = logging.getLogger("ptpfast")


class Sums:
    """Adds what a run has had, and found here already, to a manifest. Does nothing without one."""

    def __init__(self, manifest: Manifest | None, destination: Destination, report: Report) -> None:
        self._manifest = manifest
        self._destination = destination
        self._report = report

    def add(self, path: Path, sha256: str | None) -> None:
        """Add a file of this run. SinkError if it must be read and cannot be."""
        if self._manifest is not None:
            self._manifest.add(path, sha256)

    def complete(self, proven: Mapping[Path, str], observer: Observer) -> None:
        """Add the files that were here before, and write the manifest.

        Failed files are left out. The destination must still be the same folder if it holds the
        manifest.

        Raises:
            SinkError: a file could not be read; raised at the end.
        """
        manifest, unread = self._manifest, None
        if manifest is None:
            return
        manifest.check()
        for result in self._report.having("skipped"):
            path = result.path
            if result.reason != ALREADY_HERE or path is None or path in manifest:
                continue
            sent = proven.get(path)
            if sent is None:
                observer.hashing(path)
            try:
                manifest.add(path, sent)
            except SinkError as error:
                unread = unread or error
        self._write(manifest)
        if unread is not None:
            raise unread

    def save(self) -> None:
        """Save the checksums of a run that ended early. Never raises."""
        if self._manifest is None:
            return
        try:
            self._write(self._manifest)
        except SinkError as error:
            log.warning("no manifest: %s", error)

    def _write(self, manifest: Manifest) -> None:
        is_there = manifest.path.parent == self._destination.path
        manifest.write(self._destination.held if is_there else None)
        self._report.manifest = manifest.path
