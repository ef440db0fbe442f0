"""The events of the log. docs/observability.md has this table; a test compares them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

ROOT = "ptpfast"
DETAIL = "detail"  # the event of records whose text is for people and may change

FIELDS = {
    "attempt": "number of the try to reconnect, from 1",
    "bytes": "number of bytes",
    "camera": "address of the camera, `HOST:PORT`",
    "downloaded": "number of downloaded files",
    "failed": "number of failed files",
    "files": "number of files",
    "handle": "handle of the object, a number",
    "model": "model of the camera",
    "object": "name of the object on the card; empty if it is unknown",
    "objects": "number of objects",
    "path": "path of the file or folder",
    "reason": "why, as a sentence; empty if nothing is wrong",
    "seconds": "duration in seconds",
    "skipped": "number of skipped files",
    "tally": "how the objects were listed, in words",
    "vendor": "vendor that ptpfast speaks as",
}


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An event.

    Attributes:
        name: The attribute `event` of its records.
        logger: The logger.
        level: The level, a number of `logging`.
        fields: The further attributes of its records.
        meaning: When it is logged.
        text: The message, with the fields in it.
    """

    name: str
    logger: str
    level: int
    fields: tuple[str, ...]
    meaning: str
    text: str


def _event(name: str, logger: str, level: int, fields: str, meaning: str, text: str) -> LogEvent:
    return LogEvent(name, f"{ROOT}.{logger}", level, tuple(fields.split()), meaning, text)


_ROWS = (
    _event(
        "connected",
        "connection",
        logging.INFO,
        "camera model vendor seconds",
        "a session is open",
        "%(camera)s: connected to %(model)s",
    ),
    _event(
        "connection_lost",
        "connection",
        logging.WARNING,
        "camera reason attempt",
        "the connection is lost, or could not be made again; another try follows",
        "%(camera)s: %(reason)s; connecting again",
    ),
    _event(
        "reconnected",
        "connection",
        logging.INFO,
        "camera seconds",
        "the session is open again; `seconds` is the time of the last try",
        "%(camera)s: connected again",
    ),
    _event(
        "owner_awaited",
        "connection",
        logging.WARNING,
        "camera reason",
        "the owner has to confirm something on the camera",
        "%(reason)s",
    ),
    _event(
        "pipelining_off",
        "connection",
        logging.WARNING,
        "camera reason",
        "the camera is asked one request at a time from now on",
        "pipelining is switched off: %(reason)s",
    ),
    _event(
        "disconnected",
        "connection",
        logging.INFO,
        "camera",
        "the session is closed",
        "%(camera)s: disconnected",
    ),
    _event(
        "listed",
        "listing",
        logging.INFO,
        "camera objects tally",
        "a listing has ended",
        "listed %(objects)d objects: %(tally)s",
    ),
    _event(
        "object_received",
        "transfer",
        logging.DEBUG,
        "camera handle object bytes seconds",
        "all bytes of a download are in the partial file; `bytes` since the last connection",
        "%(object)s: received %(bytes)d bytes in %(seconds).3f s",
    ),
    _event(
        "object_stored",
        "transfer",
        logging.DEBUG,
        "camera handle object path bytes seconds",
        "a download has its final name; `seconds` is the time that the disk took",
        "%(object)s: stored as %(path)s",
    ),
    _event(
        "run_started",
        "run",
        logging.INFO,
        "camera path",
        "a `pull` begins with a camera",
        "%(camera)s: downloading to %(path)s",
    ),
    _event(
        "file_planned",
        "run",
        logging.DEBUG,
        "camera handle object path",
        "a dry run would download a file",
        "%(object)s: would be stored as %(path)s",
    ),
    _event(
        "file_started",
        "run",
        logging.DEBUG,
        "camera handle object path bytes",
        "a download begins; `bytes` of an earlier run may be of use",
        "%(object)s: downloading to %(path)s",
    ),
    _event(
        "file_downloaded",
        "run",
        logging.INFO,
        "camera handle object path bytes seconds",
        "a file is complete, with all its copies; `seconds` is the time of the transfer",
        "%(object)s: downloaded %(bytes)d bytes to %(path)s in %(seconds).3f s",
    ),
    _event(
        "file_skipped",
        "run",
        logging.DEBUG,
        "camera handle object reason",
        "a file is left alone",
        "%(object)s: skipped: %(reason)s",
    ),
    _event(
        "file_failed",
        "run",
        logging.WARNING,
        "camera handle object reason",
        "a file could not be downloaded; the run continues",
        "%(object)s: failed: %(reason)s",
    ),
    _event(
        "file_unfinished",
        "run",
        logging.INFO,
        "camera handle object bytes reason",
        "the run ends in the middle of a file; `bytes` of it are kept",
        "%(object)s: unfinished, %(bytes)d bytes are kept",
    ),
    _event(
        "object_deleted",
        "run",
        logging.INFO,
        "camera handle object",
        "an object was deleted on the camera, after its copies were proven",
        "%(object)s: deleted on the camera",
    ),
    _event(
        "camera_busy",
        "run",
        logging.INFO,
        "camera reason",
        "the run begins to wait for a busy camera",
        "%(camera)s: the camera is busy: %(reason)s",
    ),
    _event(
        "disk_slow",
        "run",
        logging.INFO,
        "camera files",
        "the run begins to wait for the disk or the server; `files` are not stored yet",
        "%(camera)s: waiting until %(files)d files are stored",
    ),
    _event(
        "disk_full",
        "run",
        logging.WARNING,
        "camera path bytes files",
        "a folder has only `bytes` of room; `files` do not fit",
        "%(path)s: no room for %(files)d files",
    ),
    _event(
        "run_ended",
        "run",
        logging.INFO,
        "camera path downloaded skipped failed bytes seconds reason",
        "a `pull` has ended; `reason` is the error that ended it early",
        "%(camera)s: %(downloaded)d downloaded, %(skipped)d skipped, %(failed)d failed",
    ),
)

EVENTS = {row.name: row for row in _ROWS}
