"""A file that an earlier run has begun under a numbered name is continued under that name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ptpfast
from command_line import at
from conftest import PATIENT, Cameras
from objects_of import content
from ptpfast.library.report.observer import Observer

SIZE = 900_000


class _StoppedError(Exception):
    pass


class _Stopping(Observer):
    """Ends the run in the middle of a file."""

    def progress(self, info: Any, received: int, size: int | None) -> None:
        if received and received != size:
            raise _StoppedError


def test_a_numbered_part_is_continued_when_the_plain_name_has_become_free(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=1, size=SIZE)
    name = sim.store.files()[0].name
    (tmp_path / name).write_bytes(b"a file of another camera")
    options: dict[str, Any] = {"chunk": 65_536, "timeouts": PATIENT}
    try:
        ptpfast.pull(at(sim), tmp_path, observer=_Stopping(), **options)
    except _StoppedError:
        pass
    (part,) = tmp_path.glob("*.part")
    assert part.name != f"{name}.part"
    (tmp_path / name).unlink()
    report = ptpfast.pull(at(sim), tmp_path, **options)
    (result,) = report.files
    assert result.path == part.with_suffix("")
    assert result.transfer is not None
    assert result.transfer.resumed_at >= 65_536
    assert result.path.read_bytes() == content(sim, result.handle)
    assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == [result.path.name]
