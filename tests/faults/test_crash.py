"""kill -9 at every call that changes the folder, the disk full at every one of them, and the power
cut there: no wrong file under its name, nothing deleted that is not safe, and the next run
finishes.

`make crash` takes every call, the suite some of them in turns. The command line runs under
tests/crash/shim.c; what a disk still has after a power cut is worked out from its log
(tests/crash/disk.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from conftest import without_pauses
from crash.disk import Disk, Survival, records
from noted import read_note
from ptpfast.sim import SimulatedCamera, Store, check

HERE = Path(__file__).parents[1] / "crash"
COMPILER = shutil.which("cc")
OBJECTS, SIZE, CHUNK = 2, 150_000, 1 << 16
WATCH, KILL, FULL = 1, 2, 3
# All that can happen at each call; else one of it, in turns.
THOROUGH = bool(os.environ.get("THOROUGH"))
T = TypeVar("T")
KEPT = {"SHA256SUMS", ".ptpfast-deletions.jsonl"}

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD as on Linux"),
    pytest.mark.skipif(COMPILER is None, reason="needs a C compiler"),
]


class Zygote:
    """A process that runs the command line as often as it is asked to."""

    def __init__(self, shim: Path) -> None:
        environment = {**os.environ, "LD_PRELOAD": str(shim), "PTPFAST_ALLOW_MEMORY": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "zygote.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, **request: Any) -> int:
        """The exit status; negative, the signal that ended it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        status: int = json.loads(self._process.stdout.readline())["status"]
        return status

    def end(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    shim = tmp_path_factory.mktemp("shim") / "shim.so"
    words = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(shim)]
    subprocess.run([str(COMPILER), *words, str(HERE / "shim.c")], check=True)
    zygote = Zygote(shim)
    yield zygote
    zygote.end()


@dataclass
class Scene:
    """A card, the folders its files go to, and runs with these options."""

    zygote: Zygote
    tmp: Path
    options: tuple[str, ...]
    copies: bool = False
    index: bool = False  # is what the listings remember on that disk too
    before: Callable[[Scene], None] | None = None
    status: int = 0
    over: bool = False
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.tmp / "disk"
        self.cache = self.root / "cache" if self.index else self.tmp / "cache"
        self.folders = [self.root / "card", *([self.root / "copy"] if self.copies else [])]
        self.output, self.log = self.tmp / "output", self.tmp / "log"

    def begin(self) -> None:
        """A new card and empty folders, or what `before` makes of them."""
        for path in (self.root, self.cache, self.tmp / "data"):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        for folder in self.folders:
            folder.mkdir()
        self.status = 0
        self.output.unlink(missing_ok=True)
        self.store = Store.synthetic(OBJECTS, SIZE, seed="crash", pairs=False)
        self.card = {
            stored.name: self.store.expected(stored.handle) for stored in self.store.files()
        }
        self.digests = {
            name: hashlib.sha256(b"".join(content.spans(0, SIZE))).hexdigest()
            for name, content in self.card.items()
        }
        if self.before is not None:
            self._prepare(self.before)
        self.disk = Disk(self.root)
        self.log.unlink(missing_ok=True)

    def _prepare(self, before: Callable[[Scene], None]) -> None:
        saved = self.tmp / "saved"
        if not saved.exists():
            before(self)
            shutil.copytree(self.root, saved / "disk")
            shutil.copytree(self.cache, saved / "cache")
        shutil.copytree(saved / "disk", self.root, dirs_exist_ok=True)
        shutil.copytree(saved / "cache", self.cache, dirs_exist_ok=True)

    def run(self, mode: int = 0, at: int = 0, room: int = 0) -> int:
        """One run of `pull`; its exit status."""
        with SimulatedCamera(store=self.store, vendor=without_pauses("standard")) as camera:
            words = ["pull", f"{camera.host}:{camera.port}", str(self.folders[0])]
            words += ["--chunk", str(CHUNK), *self.options]
            words += ["--copies", str(self.folders[1])] if self.copies else []
            return self.zygote.run(
                words=words,
                folder=str(self.root),
                cache=str(self.cache),
                data=str(self.tmp / "data"),
                output=str(self.output),
                log=str(self.log) if mode else "",
                mode=mode,
                at=at,
                room=room,
            )

    def stopped(self, mode: int, at: int, room: int = 0) -> bool:
        """Whether a run met that; `status` is how it ended."""
        self.log.unlink(missing_ok=True)
        self.status = self.run(mode, at, room)
        seen = max((record.call for record in records(self._logged())), default=0)
        self.over = not self.status and seen < at
        return not self.over

    def _logged(self) -> bytes:
        return self.log.read_bytes() if self.log.exists() else b""

    def cut_power(self, survival: Survival, dice: random.Random) -> None:
        """What was not flushed is lost as `survival` says, and the system starts anew."""
        self.disk.play(self._logged())
        left = self.disk.after(survival, dice)
        for path in self.root.rglob("*"):
            if path.is_file():
                path.unlink()
        for name, file in left.items():
            Path(name).write_bytes(file.data)
            if file.modified is not None:
                os.utime(name, ns=(file.modified, file.modified))

    def final(self, folder: Path) -> set[str]:
        """The names of finished files there, each of them the camera's object."""
        names = {p.name for p in folder.iterdir() if p.name in self.card}
        for name in names:
            assert check(self.card[name], folder / name), f"{name} is wrong"
        return names

    def check_manifest(self, folder: Path, *, whole: bool) -> None:
        """What is in it is true, of files that are there and of those a power cut has taken."""
        manifest = folder / "SHA256SUMS"
        found = {}
        for line in manifest.read_text().splitlines() if manifest.exists() else ():
            digest, name = line.split("  ")
            assert digest == self.digests[name], line
            found[name] = digest
        assert not whole or found == self.digests

    def check(self, *, whole: bool = False) -> None:
        """No wrong file or line, and nothing deleted that is not in every folder; or all there."""
        on_camera = set() if whole else {stored.name for stored in self.store.files()}
        for folder in self.folders:
            missing = self.card.keys() - on_camera - self.final(folder)
            assert not missing, f"{missing} is neither on the camera nor in {folder}"
            self.check_manifest(folder, whole=whole and "--manifest" in self.options)

    def finish(self) -> None:
        """The next run does the rest, and leaves nothing but the card."""
        assert self.run() == 0, self.output.read_text()
        for folder in self.folders:
            assert self.final(folder) == self.card.keys()
            assert {p.name for p in folder.iterdir()} <= self.card.keys() | KEPT
            self.check_manifest(folder, whole="--manifest" in self.options)


def interrupted(scene: Scene) -> None:
    """The first file is begun: a run was killed in its middle."""
    folder, (first, _) = scene.folders[0], scene.card
    at = 0
    for _ in range(2000):
        at += 1
        over = scene.run(KILL, at) != -9
        parts = list(folder.glob("*.part"))
        if parts == [folder / f"{first}.part"] and parts[0].stat().st_size > 70_000:
            return
        # Flushes have a thread: a run may get further than its number of calls says.
        if over or len(parts) > 1 or scene.final(folder):
            at = 0
            for path in folder.iterdir():
                path.unlink()
    raise AssertionError("no run was killed in the middle of the first file")


def spoilt(scene: Scene) -> None:
    """So it is, but the bytes are another object's: it has to be begun anew."""
    interrupted(scene)
    part = next(scene.folders[0].glob("*.part"))
    part.write_bytes(bytes(part.stat().st_size))


def outlived(scene: Scene) -> None:
    """The first file was finished and put elsewhere, and its note is still there: the run was
    killed between the two."""
    folder, options, (first, _) = scene.folders[0], scene.options, scene.card
    scene.options = (*options, "--include", first)  # or the second is begun by then
    at = 0
    for _ in range(2000):
        at += 1
        # Flushes have a thread: which call is the one between the two is not always the same.
        if scene.run(KILL, at) != -9:
            at = 0
        for name in (done := scene.final(folder)):
            (folder / name).unlink()
        if done and [folder / f"{name}.part.json" for name in done] == list(folder.iterdir()):
            scene.options = options
            return
        for path in folder.iterdir():
            path.unlink()
    raise AssertionError("no run left a note beside a finished file")


def changed(scene: Scene) -> None:
    """The first file is begun, but its object has changed since: all but its last bytes."""
    interrupted(scene)
    (part,) = scene.folders[0].glob("*.part")
    content = bytearray(part.read_bytes())
    content[: -(1 << 14)] = bytes(len(content) - (1 << 14))
    part.write_bytes(content)
    note = part.with_name(part.name + ".json")
    told = read_note(note)
    told["object"]["size"] -= 1
    note.write_text(json.dumps(told))


SCENES: dict[str, dict[str, Any]] = {
    "plain": {"options": ()},
    "hash and manifest": {"options": ("--verify", "hash", "--manifest")},
    "goes on": {"options": (), "before": interrupted},
    "goes on by hash": {"options": ("--verify", "hash"), "before": interrupted},
    "begins anew": {"options": (), "before": spoilt},
    "begins anew, the seam is equal": {"options": (), "before": changed},
    "a note is left": {"options": (), "before": outlived},
    "index": {"options": (), "index": True},
    "copies and deletion": {"options": ("--delete-verified",), "copies": True},
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """In memory where that can be had: a real disk's fsync is not what is looked at here."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="ptpfast-crash-", dir=memory) as path:
        yield Path(path)


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest, zygote: Zygote, place: Path) -> Scene:
    return Scene(zygote, place, **SCENES[request.param])


def calls(scene: Scene, variants: Sequence[T], first: int = 1) -> Iterator[tuple[int, T]]:
    """Where to stop a new run, until there was one with fewer calls: at each of them if thorough,
    else at every third; in scenes that differ little from another one at every sixth."""
    step = 1 if THOROUGH else 3 if scene.before is None else 6
    for at in range(1 if THOROUGH else first, 10_000, step):
        for variant in variants if THOROUGH else (variants[at // step % len(variants)],):
            scene.begin()
            yield at, variant
            if scene.over:
                assert at > 20, "the shim sees nothing"
                return


def test_killed_at_any_call(scene: Scene) -> None:
    for at, room in calls(scene, (0, 1000)):
        if scene.stopped(KILL, at, room):
            assert scene.status == -9, (at, scene.output.read_text())
            scene.check()
            scene.finish()


def test_the_disk_is_full_at_any_call(scene: Scene) -> None:
    """Only a note that is not needed any more, or the index, can do without room."""
    statuses = []
    for at, room in calls(scene, (0, 1, 1000), first=2):
        if scene.stopped(FULL, at, room):
            statuses.append(scene.status)
            assert scene.status in (0, 6), (at, scene.output.read_text())
            scene.check(whole=scene.status == 0)
            scene.finish()
    assert 6 in statuses
    # Of a few calls, those that can do without may be many.
    assert not THOROUGH or statuses.count(6) > len(statuses) / 2


def test_the_power_is_cut_at_any_call(scene: Scene) -> None:
    dice = random.Random("power")
    tries = (*Survival, *[Survival.SOME] * 8) if THOROUGH else tuple(Survival)
    for at, survival in calls(scene, tries, first=3):
        if scene.stopped(KILL, at):
            scene.cut_power(survival, dice)
            scene.check()
            scene.finish()


def test_a_power_cut_costs_no_more_than_what_came_since_the_last_note(
    zygote: Zygote, place: Path
) -> None:
    scene = Scene(zygote, place, ())
    kept: list[int] = []
    for at, survival in calls(scene, (Survival.NOTHING,)):
        if scene.stopped(KILL, at):
            scene.cut_power(survival, random.Random())
            for note in scene.folders[0].glob("*.part.json"):
                if not note.read_bytes().strip(b"\0"):
                    continue  # of the second file: nothing of it was flushed yet
                part = scene.folders[0] / note.name.removesuffix(".json")
                kept.append(read_note(note)["kept"]["size"])
                assert part.stat().st_size >= kept[-1]
    # One flush at a time: at two chunks that of the first may be under way, and at the end that of
    # the first two.
    assert CHUNK in kept
    assert max(kept) in (2 * CHUNK, SIZE)
