"""`ptpfast capture`: take pictures, and download them if a folder is named."""

from __future__ import annotations

import glob
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..transport import contract
from .failure import SOME_FAILED
from .get import session_for
from .options import Address, Common, Seconds, command
from .output import Output, human_size

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo
    from ..session.session import Session


class CameraOrFolder(Address):
    """A camera, or the folder if no camera is named: a word with a slash, `.` or `..`."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return a Path for a folder."""
        if value in (".", "..") or (isinstance(value, str) and "/" in value and "://" not in value):
            return Path(value).expanduser()
        return super().convert(value, param, ctx)


@command(
    "capture 192.168.1.1",
    "capture ./today",
    "capture 192.168.1.1 ~/Pictures/today",
    "capture 192.168.1.1 . --count 10 --interval 30",
)
@click.argument("host", type=CameraOrFolder(), metavar="[CAMERA]", required=False)
@click.argument("dest", type=click.Path(path_type=Path), metavar="[DEST]", required=False)
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    metavar="N",
    help="Pictures to take.",
)
@click.option(
    "--interval",
    type=Seconds(),
    metavar="S",
    help="Seconds from one picture to the next.  [default: as fast as they come]",
)
def capture(
    common: Common,
    host: contract.Address | Path | None,
    dest: Path | None,
    count: int,
    interval: float | None,
) -> int:
    """Take a picture.

    With DEST, it is downloaded there; if the camera makes a RAW file and a JPEG, both are.
    A picture that is on no card is always downloaded, without DEST into the current folder.
    Without CAMERA the only camera that is found is used. DEST needs a slash then: ./today.
    """
    if isinstance(host, Path):
        if dest is not None:
            raise click.UsageError(
                f"{str(host)!r} is a folder: name the camera before {str(dest)!r}"
            )
        host, dest = None, host
    missing = 0
    with session_for(common, host, remote=True) as session:
        due = time.monotonic()
        for number in range(count):
            if number and interval is not None:
                due += interval
                time.sleep(max(0.0, due - time.monotonic()))
            info = session.capture()
            if info is None:
                missing += 1
                common.output.record("capture", name=None, path=None)
                common.output.note("a picture was taken, but no new file was found on the camera")
            else:
                _taken(common.output, session, info, dest)
    return SOME_FAILED if missing else 0


def _taken(output: Output, session: Session, info: ObjectInfo, dest: Path | None) -> None:
    """Write what was taken, and download it, also where it would be lost otherwise."""
    from ..session.capture import is_on_card

    paths = []
    if dest is not None:
        paths = _downloaded(session, info, dest)
    elif not is_on_card(session.link, info):
        paths = _downloaded(session, info, Path())
        output.note(f"{info.name} is on no card of the camera: downloaded into this folder")
    output.record(
        "capture",
        name=info.name,
        handle=info.handle,
        size=info.size,
        path=str(paths[0]) if paths else None,
        paths=[str(path) for path in paths],
    )
    if paths:
        for path in paths:
            output.result(str(path), whole=True)
    else:
        output.result(f"{info.name}\t{human_size(info.size)}")


def _downloaded(session: Session, info: ObjectInfo, dest: Path) -> list[Path]:
    """Download the files of a shot as `pull` does, and return where they are."""
    from ..library.pull import pull
    from ..ownership.folders import make

    stem, dot, _ = info.path.rpartition(".")
    name = glob.escape(stem) + ".*" if dot else glob.escape(info.path)
    options: dict[str, Any] = {"include": name}
    if slot := info.storage_id >> 16:
        options["storage"] = slot
    report = pull(session, dest, **options)
    paths = [result.path for result in report.files if result.path is not None]
    if paths:
        return paths
    # In the camera's memory, where no listing shows it.
    make(dest)
    return [_from_memory(session, info, dest)]


def _from_memory(session: Session, info: ObjectInfo, folder: Path) -> Path:
    """Download a picture that is nowhere else under a free name, and return its path."""
    from ..library.plan.naming import local_name, numbered

    name, number = local_name(info.name), 0
    while True:
        free = numbered(name, number) if number else name
        try:
            return session.download(info, folder / free).path
        except FileExistsError:
            number += 1
