"""A folder for copies that is another one by another way holds no copy, and nothing is deleted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENT, Cameras
from ptpfast import pull
from ptpfast.library.keep import copies
from ptpfast.library.plan import apart
from ptpfast.library.plan.apart import is_one
from ptpfast.sim import SimulatedCamera

Mirror = Callable[[Path, Path], None]


def fetch(sim: SimulatedCamera, folder: Path, *more: Path, **options: Any) -> Any:
    options.setdefault("delete_verified", True)
    return pull(f"{sim.host}:{sim.port}", folder, copies=more, timeouts=PATIENT, **options)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """mirror(mount, upper): what is made below the one appears below the other, as with an overlay
    and its upper folder, both with their own inode numbers."""
    original = apart.marker
    ways: list[tuple[Path, Path]] = []

    @contextmanager
    def marker(folder: str) -> Iterator[tuple[str, bytes]]:
        with original(folder) as (name, token):
            made = []
            for mount, upper in ways:
                if Path(folder).is_relative_to(mount):
                    place = upper / Path(folder).relative_to(mount)
                    place.mkdir(parents=True, exist_ok=True)  # an overlay copies folders up
                    (place / name).write_bytes(token)
                    made.append(place / name)
            yield name, token
            for path in made:
                path.unlink()

    def make(mount: Path, upper: Path) -> None:
        mount.mkdir()
        upper.mkdir()
        ways.append((mount, upper))

    monkeypatch.setattr(apart, "marker", marker)
    return make


@pytest.mark.parametrize("below", ["", "to be/made"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("delete", [False, True])
def test_a_folder_that_is_the_destination_by_another_way_is_refused(
    camera: Cameras, tmp_path: Path, mirror: Mirror, below: str, turned: bool, delete: bool
) -> None:
    sim = camera()
    mirror(tmp_path / "mount", tmp_path / "upper")
    folders = [tmp_path / "mount" / below, tmp_path / "upper" / below]
    if turned:
        folders.reverse()
    with pytest.raises(ValueError, match="are the same folder"):
        fetch(sim, *folders, delete_verified=delete)
    assert len(sim.store.files()) == 4
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_so_are_two_folders_for_copies(camera: Cameras, tmp_path: Path, mirror: Mirror) -> None:
    mirror(tmp_path / "mount", tmp_path / "upper")
    with pytest.raises(ValueError, match="are the same folder"):
        fetch(camera(), tmp_path / "main", tmp_path / "upper", tmp_path / "mount")


def test_a_folder_that_only_the_mount_has_is_found_in_the_upper_one(
    tmp_path: Path, mirror: Mirror
) -> None:
    mirror(tmp_path / "mount", tmp_path / "upper")
    (tmp_path / "mount" / "lower").mkdir()
    assert is_one(tmp_path / "upper" / "lower", tmp_path / "mount" / "lower")


def test_folders_of_one_name_in_different_places_are_two(
    camera: Cameras, tmp_path: Path, mirror: Mirror
) -> None:
    mirror(tmp_path / "mount", tmp_path / "upper")
    sim = camera()
    report = fetch(sim, tmp_path / "mount" / "a" / "x", tmp_path / "upper" / "b" / "x")
    assert report.deleted == 4


def test_a_folder_within_another_is_a_folder_of_its_own(camera: Cameras, tmp_path: Path) -> None:
    assert fetch(camera(), tmp_path / "main", tmp_path / "main" / "copies").deleted == 4


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_turns_out_to_be_one_when_it_is_made_holds_no_copy(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """As one that nothing could be made beside, or that was mounted meanwhile."""
    sim = camera()
    folders = [tmp_path / "mount", tmp_path / "upper"]
    if again:
        fetch(sim, *folders, delete_verified=False)
    monkeypatch.setattr(copies, "is_one", lambda *_: True)
    report = fetch(sim, *folders)
    assert (report.deleted, report.left, report.copies("failed")) == (0, 4, 4)
    assert "are the same folder" in report.files[0].copies[0].reason
    assert len(sim.store.files()) == 4


def test_a_dry_run_makes_no_file_to_find_out(
    camera: Cameras, tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror(tmp_path / "mount", tmp_path / "upper")
    monkeypatch.setattr(apart, "marker", None)
    assert fetch(camera(), tmp_path / "mount", tmp_path / "upper", dry_run=True).count("planned")


def test_a_place_where_nothing_can_be_made_does_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(folder: str) -> None:
        raise PermissionError(folder)

    monkeypatch.setattr(apart, "marker", refused)
    assert not is_one(tmp_path / "a", tmp_path / "b")


IN_A_NAMESPACE = """
import sys
from pathlib import Path
from ptpfast.library.plan.apart import is_one
mount, upper = Path(sys.argv[1]), Path(sys.argv[2])
assert not mount.samefile(upper)
for below in ("", "new", "new/folder", "lower"):
    assert is_one(mount / below, upper / below), below
    assert is_one(upper / below, mount / below), below
assert not is_one(mount / "a", upper / "b")
assert not any(path.is_file() for path in mount.rglob("*"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="overlays are Linux's")
def test_a_real_overlay_and_its_upper_folder_are_one(tmp_path: Path) -> None:
    names = ("lower", "upper", "work", "mount")
    lower, upper, work, mount = (tmp_path / name for name in names)
    for folder in (lower, upper, work, mount):
        folder.mkdir()
    (lower / "lower").mkdir()
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    overlay = ["mount", "-t", "overlay", "overlay", "-o", options, str(mount)]
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    words = " ".join(overlay)
    tried = subprocess.run([*inside, words], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no overlay in a namespace of its own: {tried.stderr.strip()}")
    script = [*inside, f'{words} && exec "$@"', "sh", sys.executable, "-c", IN_A_NAMESPACE]
    done = subprocess.run(
        [*script, mount, upper], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
