"""One fuzzed session: everything a user does with a camera, against one that lies.

Each step (`steps`) ends with a value or with an error of ours; anything else is a finding. When the
session is over, nothing of it is left: no thread, no descriptor, no file where none may be, and no
file under its final name that is not the camera's object.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ptpfast
from ptpfast import PTPError, Session
from ptpfast.ownership.names import JOURNAL_SUFFIX, PART_SUFFIX
from ptpfast.ptp.objects import ObjectInfo, ObjectTable
from ptpfast.sim import Store
from ptpfast.vendors import Dialect
from ptpfast.vendors.fujifilm.dialect import FujifilmDialect
from ptpfast.vendors.sony.contentlists import ContentLists
from ptpfast.vendors.sony.remote import RemoteControl

from .cameras import Plan, card
from .truth import Told, Truth

# The owner approves after a hundredth of a second.
HASTY = ptpfast.Timeouts(connect=0.5, operation=0.12, idle=0.12, close=0.1, held=0.2, approval=0.3)
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
    plan: Plan
    calm: bool = False
    steps: list[str] = field(default_factory=list)
    claims: list[tuple[int, int | None, bytes | Path]] = field(default_factory=list)
    compared: int = 0  # objects, byte by byte
    space: str = "camera"  # `truth.SPACES`

    def __post_init__(self) -> None:
        self.name = f"{self.seed} visit {self.number}"
        self.chance = random.Random(self.name)
        self.before = set(os.listdir(self.folder))

    @property
    def card(self) -> Store:
        """The card of the camera, as it was at first."""
        return card(self.plan.body)

    def run(self, port: int, gate_port: int | None) -> None:
        """All of it. FindingError for what must not be."""
        threads, descriptors = set(threading.enumerate()), _descriptors()
        self.attempt("session", lambda: self._session(port, gate_port))
        gc.collect(0)
        for thread in set(threading.enumerate()) - threads:
            thread.join(5)
            if thread.is_alive():
                raise FindingError(f"a thread is left: {thread}")
        if left := _descriptors() - descriptors:
            raise FindingError(f"descriptors are left: {left}")

    def attempt(self, what: str, step: Callable[[], Any]) -> Any:
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

    def pick(self, table: ObjectTable) -> ObjectInfo | int:
        """An object of the listing, or a handle, as users have it."""
        handles = [stored.handle for stored in self.card.files()]
        choices: list[ObjectInfo | int] = [*table, *handles[:2], 0xBAD]
        return self.chance.choice(choices)

    def claim(self, what: str, target: ObjectInfo | int, read: Callable[[], bytes | None]) -> None:
        """Attempt to read an object, and note its bytes."""
        content = self.attempt(what, read)
        if content is not None and isinstance(target, ObjectInfo):
            self.claims.append((target.handle, target.size, content))

    def _session(self, port: int, gate_port: int | None) -> None:
        from .steps import chosen

        plan = self.plan
        with ptpfast.connect(
            "127.0.0.1",
            port=port,
            timeouts=PATIENT if self.calm else HASTY,
            vendor=plan.vendor(gate_port),
            depth=self.chance.choice((1, 1, 2, 4)),
            role=plan.role,
            waiting=(lambda error: None) if self.chance.random() < 0.5 else None,
        ) as session:
            dialect = session.link.dialect
            self.space = _space_of(dialect, plan)
            if plan.hurried:
                dialect.quirks = replace(dialect.quirks, keep_awake_s=0.03, busy_poll_s=0.05)
            self.attempt("info", lambda: self._info(session))
            table: ObjectTable | None = self.attempt("list", session.objects)
            for step in chosen(self):
                step(self, session, table or ObjectTable([]))

    def _info(self, session: Session) -> None:
        assert isinstance(session.device_info.model, str)
        for storage_id in session.storage_ids()[:3]:
            assert session.storage_info(storage_id).max_capacity >= 0

    def check(self, told: Told, risky: set[int] | None = None) -> None:
        """What was read and written, against the card. Objects that are risky, now or by an earlier
        visit, only by their size."""
        if told.defects:
            raise FindingError(f"the simulated camera itself has failed: {told.defects} times")
        told = replace(told, risky=told.risky | (risky or set()))
        truth, files = Truth(self.card, self.space, told), {}
        for handle, size, content in self.claims:
            if isinstance(content, Path):
                files[content] = handle, size  # the last that was written there
            else:
                self._compare(truth, handle, size, content)
        for path, (handle, size) in files.items():
            self._compare(truth, handle, size, path.read_bytes())
        self._check_folder(files)

    def _compare(self, truth: Truth, handle: int, size: int | None, content: bytes) -> None:
        sources = truth.sources(handle)
        is_risky = truth.is_risky(sources)
        if not sources and not is_risky:
            raise FindingError(f"bytes of 0x{handle:X}, which the camera does not have")
        if size and any(size < len(content) == truth.size(source) for source in sources):
            size = len(content)  # its end was looked for, behind the one described
        if size and len(content) != size:
            raise FindingError(f"{len(content)} bytes of 0x{handle:X}, listed with {size}")
        if is_risky:
            return
        self.compared += 1
        # A size is the camera's word: an object that is said to be shorter ends there.
        right = [truth.expected(source, size or truth.size(source)) for source in sources]
        if content not in right:
            expected = right[0]
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


def _space_of(dialect: Dialect, plan: Plan) -> str:
    """Return what the handles of a session are (`truth.SPACES`)."""
    if isinstance(dialect, RemoteControl):
        return "memory"
    if isinstance(dialect, ContentLists):
        return "contents"
    if isinstance(dialect, FujifilmDialect) and plan.menu == "selection":
        return "turns"
    return "camera"


def _descriptors() -> set[str]:
    """Sockets, pipes and files this process has open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
    return found
