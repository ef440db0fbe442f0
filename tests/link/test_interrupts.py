"""A handler that raises at any moment of a download: whatever line of ours it is, no note stays
beside a finished file, none says more than is there, and the next download is right."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from conftest import Cameras, Sessions
from noted import read_note
from ptpfast import Session, TransferError
from ptpfast.engine.sink import Checksum
from ptpfast.ownership import files
from ptpfast.transfer import checkpoint, download, journal, notes, proof
from ptpfast.transfer.hashing import digest_of
from ptpfast.transfer.journal import Journal
from ptpfast.transfer.part import PartFile

SIZE, CHUNK = 100_000, 50_000
# Opening and closing the part file are not among them: whose descriptor it is then is another
# matter (a leaked one keeps the lock).
FUNCTIONS: list[Callable[..., Any]] = [
    *(value for value in vars(download.Download).values() if callable(value)),
    *(value for value in vars(checkpoint.Checkpoint).values() if callable(value)),
    *(value for value in vars(Journal).values() if callable(value)),
    *(PartFile.publish, PartFile.cut, PartFile.sync, PartFile.date, PartFile._tidy),
    *(
        files.publish,
        files._link_new,
        files._reserve_and_rename,
        files.remove,
        files._make_temporary,
    ),
    *(journal._write_new, notes.first_line, proof.seal, proof.prove, proof._read),
]
CODES: set[CodeType] = {function.__code__ for function in FUNCTIONS}


class Raised(BaseException):
    """What the handler raises."""


class Handler:
    """Raises once, at the n-th line of those functions."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.lines = 0
        self.place = ""

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        return self._line if frame.f_code in CODES else None

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                self.place = f"{frame.f_code.co_name}:{frame.f_lineno}"
                raise Raised
        return self._line

    def watch(self, work: Callable[[], object]) -> None:
        """Runs it under this handler. What it ends with is of no interest."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            work()
        except (Raised, TransferError):
            pass
        finally:
            sys.settrace(before)


def assert_nothing_wrong(folder: Path, whole: bytes, where: str) -> None:
    names = {path.name for path in folder.iterdir()}
    if "x" in names:
        assert names == {"x"}, where
        assert (folder / "x").read_bytes() == whole, where
    if "x.part.json" not in names:
        return
    there = (folder / "x.part").read_bytes()
    with suppress(json.JSONDecodeError):  # its writing was interrupted: it says nothing
        told = read_note(folder / "x.part.json")
        for kept in [told["kept"], *([told["arrived"]] if "arrived" in told else [])]:
            checksum = Checksum()
            checksum.update(whole[: kept["size"]])
            assert kept["size"] <= len(there), where
            assert not kept["size"] or kept["digest"] == digest_of(checksum), where


def download_at(session: Session, folder: Path, verify: str, **options: Any) -> None:
    (info,) = session.objects()
    session.download(info, folder / "x", chunk=CHUNK, verify=verify, **options)


@pytest.mark.parametrize(
    ("goes_on", "verify", "overwrite"),
    [(False, "size", True), (True, "hash", False)],
    ids=["begun", "continued"],
)
def test_a_handler_may_raise_at_any_line(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    goes_on: bool,
    verify: str,
    overwrite: bool,
) -> None:
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    sim = camera(objects=1, size=SIZE)
    (stored,) = sim.store.files()
    whole = b"".join(sim.store.expected(stored.handle).spans(0, SIZE))
    session = connect(sim)

    def stop(received: int, size: int | None) -> None:
        raise Raised

    at = 0
    while True:
        at += 1
        folder = tmp_path / f"{at}"
        folder.mkdir()
        if not session.usable:
            session.reconnect()
        if goes_on:
            with pytest.raises(Raised):
                download_at(session, folder, verify, progress=stop)
            monkeypatch.setattr(journal, "_own", {})
        handler = Handler(at)
        handler.watch(lambda: download_at(session, folder, verify, overwrite=overwrite))  # noqa: B023
        if not handler.place:
            break
        assert_nothing_wrong(folder, whole, handler.place)
        (folder / "x").unlink(missing_ok=True)
        if not session.usable:
            session.reconnect()
        download_at(session, folder, verify)
        assert [path.name for path in folder.iterdir()] == ["x"], handler.place
        assert (folder / "x").read_bytes() == whole, handler.place
    assert at > 100
