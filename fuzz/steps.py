"""What the user of a fuzzed session does, once it is open: each step is a use of the public API.

A step ends with a value or with an error of ours (`Visit.attempt`). What it has read or written is
claimed, to be compared at the end.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import ptpfast
from ptpfast import PTPError, Session
from ptpfast.library.plan.naming import local_name
from ptpfast.ptp.codes import DevicePropCode, OperationCode
from ptpfast.ptp.objects import ObjectInfo, ObjectTable

from .visit import FindingError, Visit

Step = Callable[[Visit, Session, ObjectTable], None]
MOST_EVENTS, MOST_FRAMES, MOST_PROPERTIES = 20, 3, 6
IDLE_S = 0.07  # long enough for some keep-alive requests of a hurried session
NUMBERS = (0, 1, 2, 7, 255, 65_535, -1, "", "A", "x" * 300)


def _bytes_of(session: Session, target: ObjectInfo | int) -> bytes:
    return bytes(session.read(target))


def look(visit: Visit, session: Session, table: ObjectTable) -> None:
    """What a program shows of a camera."""
    target = visit.pick(table)
    visit.attempt("thumbnail", lambda: session.thumbnail(target))
    visit.attempt("thumbnails", lambda: list(session.thumbnails(table[:3])))
    visit.attempt("property", lambda: session.property(DevicePropCode.BatteryLevel))
    visit.attempt("transaction", lambda: session.transaction(OperationCode.GetDeviceInfo))
    visit.attempt("columns", lambda: (table.captured, table.size, table.handle, repr(table)))


def watch(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Wait for events, and describe what is new."""

    def some() -> list[ptpfast.Event]:
        return list(itertools.islice(session.events(timeout=0.02), MOST_EVENTS))

    for event in visit.attempt("events", some) or ():
        if event.code == ptpfast.EventCode.ObjectAdded and event.parameters:
            handle = event.parameters[0]
            info = visit.attempt("describe", partial(session.object_info, handle))
            if info is not None and visit.chance.random() < 0.5:
                visit.claim("read new", info, partial(_bytes_of, session, info))


def shoot(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Take a picture, and read it."""
    info = visit.attempt("capture", session.capture)
    if info is not None:
        visit.claim("read picture", info, partial(_bytes_of, session, info))


def show(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Show some live view frames."""

    def some() -> list[bytes]:
        frames: Any = session.live_view()
        with contextlib.closing(frames):
            return list(itertools.islice(frames, MOST_FRAMES))

    for frame in visit.attempt("live view", some) or ():
        if not isinstance(frame, bytes | bytearray | memoryview):
            raise FindingError(f"a frame that is no bytes: {frame!r:.80}")


def set_up(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Describe some properties, and set them."""
    codes = visit.attempt("property codes", session.property_codes) or []
    for code in visit.chance.sample(codes, min(len(codes), MOST_PROPERTIES)):
        desc = visit.attempt(f"property {code:#x}", partial(session.property_desc, code))
        if desc is None or not desc.writable or visit.chance.random() < 0.5:
            continue
        form = [*desc.form] if isinstance(desc.form, list | tuple) else []
        value = visit.chance.choice([desc.current, *form[:20], *NUMBERS])
        visit.attempt(f"set {code:#x}", partial(_set, session, code, value))


def _set(session: Session, code: int, value: Any) -> None:
    """Set a property; a value that does not fit its type is refused before the camera is asked."""
    with contextlib.suppress(ValueError, TypeError):
        session.set_property(code, value)


def mark(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Read what the owner has marked for transfer, and remove the marks."""
    for handle in (visit.attempt("marked", session.marked) or [])[:3]:
        info = visit.attempt("describe", partial(session.object_info, handle))
        if info is not None:
            visit.claim("read marked", info, partial(_bytes_of, session, info))
        visit.attempt("unmark", partial(session.unmark, handle))


def idle(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Do nothing for a moment, then what a keep-alive does."""
    if visit.plan.hurried:
        time.sleep(IDLE_S)
    visit.attempt("keep-alive", session.link.dialect.keep_awake)
    visit.attempt("storages", session.storage_ids)


def delete(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Delete an object, now and then."""
    if visit.chance.random() < 0.3:
        target = visit.pick(table)
        visit.attempt("delete", lambda: session.delete(target, busy_s=0.02))


def read_whole(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Read an object into memory, and in pieces."""
    target = visit.pick(table)
    visit.claim("read", target, partial(_bytes_of, session, target))
    size = visit.chance.choice((1000, 5000, 1 << 20))
    visit.claim(
        "stream", target, lambda: b"".join(map(bytes, session.stream(target, chunk_size=size)))
    )


def read_parts(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Read an object as a file, and into memory of the user."""
    target = visit.pick(table)
    if not isinstance(target, ObjectInfo) or not target.size:
        return
    size = target.size

    def opened() -> bytes:
        with session.open(target) as file:
            return file.read()

    visit.claim("open", target, opened)
    if size <= 1 << 20:
        buffer = bytearray(size)
        if visit.attempt("read into", lambda: session.read_into(target, buffer)) == size:
            visit.claims.append((target.handle, size, bytes(buffer)))
        offset = visit.chance.randrange(size)
        visit.attempt("range", lambda: session.read_into(target, buffer, offset=offset))


def download(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Download an object into a file."""
    target = visit.pick(table)
    name = local_name(target.name) if isinstance(target, ObjectInfo) else "by handle"
    options, path = _options(visit), visit.folder / name
    transfer = visit.attempt(
        "download", lambda: session.download(target, path, overwrite=True, **options)
    )
    if transfer is not None:
        visit.claims.append((transfer.object.handle, transfer.object.size, path))


def _options(visit: Visit) -> dict[str, Any]:
    return {
        "verify": visit.chance.choice(("size", "size", "hash")),
        "chunk": visit.chance.choice((None, None, 0, 4096, 30_000, 65_536)),
    }


def pull(visit: Visit, session: Session, table: ObjectTable) -> None:
    """Pull the card into the folder."""
    options = _options(visit)
    if visit.chance.random() < 0.3:
        options["manifest"] = True
    options["retry"] = visit.chance.choice((0, 0, 1))
    if visit.plan.menu == "selection":
        options["chunk"] = None  # the body has one size of a read
    policy = visit.chance.choice(("rename", "rename", "overwrite", "skip", "fail"))
    report = visit.attempt("pull", lambda: _reported(session, visit, on_conflict=policy, **options))
    if report is None:
        return
    for result in report.having("downloaded"):
        if result.path is None or result.object is None:
            raise FindingError(f"downloaded, and yet nowhere: {result}")
        # A later step may have replaced it by another object of the same name.
        visit.claims.append((result.handle, result.object.size, result.path))
    if visit.calm and policy != "fail" and report.failed:
        raise FindingError(f"an honest camera, and yet: {report.having('failed')}")


def _reported(session: Session, visit: Visit, **options: Any) -> ptpfast.Report:
    """A pull's report, also of one that ended early; nothing is raised that carries one."""
    try:
        return ptpfast.pull(session, visit.folder, **options)
    except PTPError as error:
        report: ptpfast.Report | None = getattr(error, "report", None)
        if report is None:
            raise
        return report


STEPS: tuple[Step, ...] = (
    *(look, watch, shoot, show, set_up, mark, idle, delete),
    *(read_whole, read_parts, download, pull),
)
# Without remote control the camera is read, above all.
READING: tuple[Step, ...] = (look, read_whole, read_parts, download, pull, watch)


def chosen(visit: Visit) -> list[Step]:
    """The steps of a session, in their order."""
    if visit.calm:
        return [pull]
    steps = list(STEPS if visit.plan.role == "remote" or visit.chance.random() < 0.3 else READING)
    visit.chance.shuffle(steps)
    return steps[: visit.chance.randint(1, 5)]
