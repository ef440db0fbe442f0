"""Nothing is deleted on the camera for files that are only in memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENT, Cameras
from ptpfast import SinkError, pull
from ptpfast.library.keep import volatile
from ptpfast.library.keep.volatile import in_memory
from ptpfast.sim import SimulatedCamera

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mountinfo is Linux's")

SHM = Path("/dev/shm")
Told = Callable[..., None]


@pytest.fixture(autouse=True)
def _not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(volatile.ALLOW)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """told(folder, type, source, options, device): how the system says that a folder of the test
    is stored. Folders of which nothing is told are on an ordinary disk."""
    system = tmp_path / "system"
    (system / "block").mkdir(parents=True)
    lines = ["1 0 9:9 / / rw shared:1 - ext4 /dev/none rw"]
    numbers: dict[Path, int] = {}

    def number_of(path: Path) -> str:
        known = (numbers[place] for place in (path, *path.parents) if place in numbers)
        return str(next(known, 1))

    def tell(
        folder: Path, kind: str, source: str, options: str = "rw", device: str = "0:5"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        numbers[folder] = len(lines) + 1
        lines.append(f"{numbers[folder]} 1 {device} / {folder} rw - {kind} {source} {options}")
        (system / "mountinfo").write_text("\n".join(lines) + "\n")

    (system / "mountinfo").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(volatile, "_number_of", number_of)
    monkeypatch.setattr(volatile, "MOUNTS", str(system / "mountinfo"))
    monkeypatch.setattr(volatile, "DEVICES", str(system / "block"))
    return tell


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Any:
    options.setdefault("delete_verified", True)
    return pull(f"{sim.host}:{sim.port}", folder, timeouts=PATIENT, **options)


@pytest.mark.parametrize("kind", ["tmpfs", "ramfs", "devtmpfs", "rootfs", "hugetlbfs"])
@pytest.mark.parametrize("there", [True, False])
def test_a_destination_in_memory_is_refused_before_anything_is_fetched(
    camera: Cameras, tmp_path: Path, told: Told, kind: str, there: bool
) -> None:
    sim = camera()
    told(tmp_path / "memory", kind, kind)
    folder = tmp_path / "memory" / ("" if there else "to be/made")
    with pytest.raises(SinkError, match=rf"is in memory \({kind}\)"):
        fetch(sim, folder)
    assert not list((tmp_path / "memory").iterdir())
    assert len(sim.store.files()) == 4


def test_so_is_a_folder_for_copies(camera: Cameras, tmp_path: Path, told: Told) -> None:
    sim = camera()
    told(tmp_path / "memory", "tmpfs", "tmpfs")
    with pytest.raises(SinkError, match="in memory"):
        fetch(sim, tmp_path / "disk", copies=[tmp_path / "memory"])
    assert len(sim.store.files()) == 4


def test_without_deletion_memory_will_do(camera: Cameras, tmp_path: Path, told: Told) -> None:
    told(tmp_path / "memory", "tmpfs", "tmpfs")
    assert fetch(camera(), tmp_path / "memory", delete_verified=False).downloaded == 4


def test_so_it_will_where_it_is_allowed(
    camera: Cameras, tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(tmp_path / "memory", "tmpfs", "tmpfs")
    monkeypatch.setenv(volatile.ALLOW, "1")
    assert fetch(camera(), tmp_path / "memory").deleted == 4


def test_a_folder_on_a_disk_will_do(camera: Cameras, tmp_path: Path, told: Told) -> None:
    told(tmp_path / "disk", "ext4", "/dev/none")
    assert fetch(camera(), tmp_path / "disk").deleted == 4


def test_a_link_to_a_folder_in_memory_is_one(tmp_path: Path, told: Told) -> None:
    told(tmp_path / "memory", "tmpfs", "tmpfs")
    (tmp_path / "link").symlink_to(tmp_path / "memory")
    assert in_memory(tmp_path / "link" / "below") == "tmpfs"


def test_the_upper_folder_of_an_overlay_tells(tmp_path: Path, told: Told) -> None:
    told(tmp_path / "my memory", "tmpfs", "tmpfs")
    (tmp_path / "my memory" / "upper").mkdir()
    (tmp_path / "upper").mkdir()
    escaped = str(tmp_path / "my memory" / "upper").replace(" ", "\\040")
    told(tmp_path / "over", "overlay", "overlay", f"rw,lowerdir=/,upperdir={escaped},workdir=/w")
    told(tmp_path / "disk", "overlay", "overlay", f"rw,lowerdir=/,upperdir={tmp_path}/upper")
    told(tmp_path / "hidden", "overlay", "overlay", "rw,lowerdir=/,upperdir=/not/here,workdir=/w")
    assert in_memory(tmp_path / "over") == "tmpfs"
    assert in_memory(tmp_path / "disk") == ""
    assert in_memory(tmp_path / "hidden") == ""


@pytest.mark.parametrize("partition", [False, True])
def test_the_file_of_a_loop_device_tells(tmp_path: Path, told: Told, partition: bool) -> None:
    told(tmp_path / "memory", "tmpfs", "tmpfs")
    image = tmp_path / "memory" / "disk image"
    image.touch()
    loop = tmp_path / "system" / "devices" / "loop0"
    (loop / "loop").mkdir(parents=True)
    (loop / "loop" / "backing_file").write_text(f"{image}\n")
    device = loop / "loop0p1" if partition else loop
    device.mkdir(exist_ok=True)
    (tmp_path / "system" / "block" / "7:0").symlink_to(device)
    told(tmp_path / "mounted", "ext4", "/dev/none", device="7:0")
    assert in_memory(tmp_path / "mounted") == "tmpfs"


@pytest.mark.parametrize("name", ["ram0", "zram1"])
def test_a_ram_disk_is_memory(tmp_path: Path, told: Told, name: str) -> None:
    (tmp_path / "system" / name).mkdir()
    (tmp_path / "system" / "block" / "1:0").symlink_to(tmp_path / "system" / name)
    told(tmp_path / "mounted", "ext4", "/dev/none", device="1:0")
    assert in_memory(tmp_path / "mounted") == name


def test_the_folder_that_a_filesystem_shows_tells(tmp_path: Path, told: Told) -> None:
    told(tmp_path / "memory", "tmpfs", "tmpfs")
    told(tmp_path / "shown", "fuse.bindfs", str(tmp_path / "memory"))
    assert in_memory(tmp_path / "shown") == "tmpfs"


def test_folders_that_name_each_other_end(tmp_path: Path, told: Told) -> None:
    told(tmp_path / "a", "fuse.bindfs", str(tmp_path / "b"))
    told(tmp_path / "b", "fuse.bindfs", str(tmp_path / "a"))
    assert in_memory(tmp_path / "a") == ""


@pytest.mark.parametrize("missing", ["MOUNTS", "DESCRIPTORS"])
def test_a_system_that_does_not_tell_is_no_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr(volatile, missing, str(tmp_path / "none"))
    assert in_memory(tmp_path) == ""


@pytest.fixture
def shm() -> Iterator[Path]:
    if not SHM.is_dir() or "tmpfs" not in _type_of(SHM):
        pytest.skip("no tmpfs at /dev/shm")
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        yield Path(folder)


def _type_of(path: Path) -> str:
    done = subprocess.run(
        ["stat", "-f", "-c", "%T", path], capture_output=True, text=True, check=False
    )
    return done.stdout


def test_a_real_one_is_found(camera: Cameras, shm: Path) -> None:
    sim = camera()
    with pytest.raises(SinkError, match=r"in memory \(tmpfs\).*not") as caught:
        fetch(sim, shm / "new")
    assert "a disk" in str(caught.value)
    assert len(sim.store.files()) == 4
