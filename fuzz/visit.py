"""One fuzzed session: everything a user does with a camera, against one that lies.

Each step ends with a value or with an error of ours; anything else is a finding. When the session
is over, nothing of it is left: no thread, no descriptor, no file where none may be, and no file
under its final name that is not the camera's object.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ptpfast
from ptpfast import PTPError, Session
from ptpfast.library.plan.naming import local_name
from ptpfast.ownership.names import JOURNAL_SUFFIX, PART_SUFFIX
from ptpfast.ptp.codes import DevicePropCode, OperationCode
from ptpfast.ptp.objects import ObjectInfo, ObjectTable
from ptpfast.sim import Store
from ptpfast.vendors import Vendor, named

from .cameras import BODIES

HASTY = ptpfast.Timeouts(connect=0.5, operation=0.12, idle=0.12, close=0.1)
PATIENT = ptpfast.Timeouts(connect=10, operation=10, idle=10, close=2)
# How a step may end without a value: with our own errors, or with a file that is in the way.
EXPECTED = (PTPError, FileExistsError)


class FindingError(AssertionError):
    """Something that must not be."""


@dataclass
class Visit:
    """A session's seed, where it may write, and what it has read. `claims` are checked when it is
    known what was done to the packets: handle, the size the camera said, and the bytes or file."""

    seed: int
    number: int
    folder: Path
    card: Store
    port: int = 0
    calm: bool = False
    steps: list[str] = field(default_factory=list)
    claims: list[tuple[int, int | None, bytes | Path]] = field(default_factory=list)
    compared: int = 0  # objects, byte by byte

    def __post_init__(self) -> None:
        self.name = f"{self.seed} visit {self.number}"
        self.chance = random.Random(self.name)
        self.body = self.seed % len(BODIES)
        self.before = set(os.listdir(self.folder))

    def run(self) -> None:
        """All of it. FindingError for what must not be."""
        threads, descriptors = set(threading.enumerate()), _descriptors()
        self._attempt("session", self._session)
        gc.collect(0)
        for thread in set(threading.enumerate()) - threads:
            thread.join(5)
            if thread.is_alive():
                raise FindingError(f"a thread is left: {thread}")
        if left := _descriptors() - descriptors:
            raise FindingError(f"descriptors are left: {left}")

    def _attempt(self, what: str, step: Callable[[], Any]) -> Any:
        """A step's value; None when it ended with an error it may end with."""
        try:
            value = step()
        except EXPECTED as error:
            self.steps.append(f"{what}: {type(error).__name__}: {error}")
            if self.calm:
                raise FindingError(f"an honest camera, and yet: {what}: {error!r}") from error
            return None
        except FindingError:
            raise
        except BaseException as error:
            raise FindingError(f"{what}: {error!r}\n{traceback.format_exc()}") from error
        self.steps.append(f"{what}: done")
        return value

    def _session(self) -> None:
        depth = self.chance.choice((1, 1, 2, 4))
        with ptpfast.connect(
            "127.0.0.1",
            port=self.port,
            timeouts=PATIENT if self.calm else HASTY,
            vendor=_vendor(BODIES[self.body].vendor),
            depth=depth,
        ) as session:
            self._attempt("info", lambda: self._info(session))
            table: ObjectTable | None = self._attempt("list", session.objects)
            steps = [self._look, self._read_whole, self._read_parts, self._download, self._pull]
            self.chance.shuffle(steps)
            for step in [self._pull] if self.calm else steps[: self.chance.randint(1, 5)]:
                step(session, table or ObjectTable([]))

    def _info(self, session: Session) -> None:
        assert isinstance(session.device_info.model, str)
        for storage_id in session.storage_ids()[:3]:
            assert session.storage_info(storage_id).max_capacity >= 0

    def _pick(self, table: ObjectTable) -> ObjectInfo | int:
        """An object of the listing, or a handle, as users have it."""
        handles = [stored.handle for stored in self.card.files()]
        choices: list[ObjectInfo | int] = [*table, *handles[:2], 0xBAD]
        return self.chance.choice(choices)

    def _claim(self, what: str, target: ObjectInfo | int, read: Callable[[], bytes | None]) -> None:
        content = self._attempt(what, read)
        if content is not None and isinstance(target, ObjectInfo):
            self.claims.append((target.handle, target.size, content))

    def _look(self, session: Session, table: ObjectTable) -> None:
        target = self._pick(table)
        self._attempt("thumbnail", lambda: session.thumbnail(target))
        self._attempt("property", lambda: session.property(DevicePropCode.BatteryLevel))
        self._attempt("events", lambda: list(_some(session.events(timeout=0.01))))
        self._attempt("transaction", lambda: session.transaction(OperationCode.GetDeviceInfo))
        self._attempt("columns", lambda: (table.captured, table.size, table.handle, repr(table)))

    def _read_whole(self, session: Session, table: ObjectTable) -> None:
        target = self._pick(table)
        self._claim("read", target, lambda: bytes(session.read(target)))
        size = self.chance.choice((1000, 5000, 1 << 20))
        self._claim(
            "stream", target, lambda: b"".join(map(bytes, session.stream(target, chunk_size=size)))
        )

    def _read_parts(self, session: Session, table: ObjectTable) -> None:
        target = self._pick(table)
        if not isinstance(target, ObjectInfo) or not target.size:
            return
        size = target.size

        def opened() -> bytes:
            with session.open(target) as file:
                return file.read()

        self._claim("open", target, opened)
        if size <= 1 << 20:
            buffer = bytearray(size)
            if self._attempt("read into", lambda: session.read_into(target, buffer)) == size:
                self.claims.append((target.handle, size, bytes(buffer)))
            offset = self.chance.randrange(size)
            self._attempt("range", lambda: session.read_into(target, buffer, offset=offset))

    def _download(self, session: Session, table: ObjectTable) -> None:
        target = self._pick(table)
        name = local_name(target.name) if isinstance(target, ObjectInfo) else "by handle"
        options = self._options()
        path = self.folder / name
        transfer = self._attempt(
            "download", lambda: session.download(target, path, overwrite=True, **options)
        )
        if transfer is not None:
            self.claims.append((transfer.object.handle, transfer.object.size, path))

    def _options(self) -> dict[str, Any]:
        return {
            "verify": self.chance.choice(("size", "size", "hash")),
            "chunk": self.chance.choice((None, None, 0, 4096, 30_000, 65_536)),
        }

    def _pull(self, session: Session, table: ObjectTable) -> None:
        options = self._options()
        if self.chance.random() < 0.3:
            options["manifest"] = True
        options["retry"] = self.chance.choice((0, 0, 1))
        policy = self.chance.choice(("rename", "rename", "overwrite", "skip", "fail"))
        report = self._attempt(
            "pull", lambda: _reported(session, self.folder, on_conflict=policy, **options)
        )
        if report is None:
            return
        for result in report.having("downloaded"):
            if result.path is None or result.object is None:
                raise FindingError(f"downloaded, and yet nowhere: {result}")
            # A later step may have replaced it by another object of the same name.
            self.claims.append((result.handle, result.object.size, result.path))
        if self.calm and policy != "fail" and report.failed:
            raise FindingError(f"an honest camera, and yet: {report.having('failed')}")

    def check(self, risky: set[int]) -> None:
        """What was read and written, against the card. `risky` objects only by their size."""
        files = {}
        for handle, size, content in self.claims:
            if isinstance(content, Path):
                files[content] = handle, size  # the last that was written there
            else:
                self._compare(handle, size, content, risky)
        for path, (handle, size) in files.items():
            self._compare(handle, size, path.read_bytes(), risky)
        self._check_folder(files)

    def _compare(self, handle: int, size: int | None, content: bytes, risky: set[int]) -> None:
        stored = self.card.get(handle)
        if stored is None:
            raise FindingError(f"bytes of 0x{handle:X}, which the camera does not have")
        if size and size < len(content) == stored.size:
            size = stored.size  # its end was looked for, behind the one described
        if size and len(content) != size:
            raise FindingError(f"{len(content)} bytes of 0x{handle:X}, listed with {size}")
        # A size is the camera's word: an object that is said to be shorter ends there.
        expected = b"".join(
            self.card.expected(handle).spans(0, min(size or stored.size, stored.size))
        )
        self.compared += handle not in risky
        if handle not in risky and content != expected:
            where = next(
                (n for n, (a, b) in enumerate(zip(content, expected, strict=False)) if a != b), -1
            )
            raise FindingError(
                f"0x{handle:X} is wrong from byte {where}: {len(content)} bytes, "
                f"{len(expected)} are right"
            )

    def _check_folder(self, files: dict[Path, Any]) -> None:
        """Nothing but what was there, what was claimed, unfinished files and checksums."""
        own = {path.name for path in files} | self.before | {"SHA256SUMS"}
        for path in self.folder.iterdir():
            if not path.is_file() or path.is_symlink():
                raise FindingError(f"no file: {path}")
            unfinished = path.name.endswith((PART_SUFFIX, JOURNAL_SUFFIX))
            if path.name not in own and not unfinished:
                raise FindingError(f"nobody said that there is {path.name!r}")


def _reported(session: Session, folder: Path, **options: Any) -> ptpfast.Report:
    """A pull's report, also of one that ended early; nothing is raised that carries one."""
    try:
        return ptpfast.pull(session, folder, **options)
    except PTPError as error:
        report: ptpfast.Report | None = getattr(error, "report", None)
        if report is None:
            raise
        return report


def _vendor(name: str) -> Vendor:
    """The vendor, without the pauses that real bodies need."""
    vendor = named(name)
    quirks = replace(vendor.quirks, close_after_open_s=0, reconnect_pause_s=0, event_poll_s=0.005)
    return replace(vendor, quirks=quirks)


def _some(events: Iterator[Any]) -> Iterator[Any]:
    """No more than a few; a camera may report for ever."""
    for _, event in zip(range(20), events, strict=False):
        yield event


def _descriptors() -> set[str]:
    """Sockets, pipes and files this process has open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
    return found
