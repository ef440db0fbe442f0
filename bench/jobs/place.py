"""A camera, a folder and a home for one run of one job."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ptpfast.ownership.names import is_reserved
from ptpfast.sim import SimulatedCamera

from .. import peers

GPHOTO2, PTPFAST = "gphoto2", "ptpfast"
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Here:
    """What is in the folder: files of the card by handle, files with the name of one and wrong
    bytes, and others, which are neither (unfinished ones, for example)."""

    right: frozenset[int]
    wrong: int
    other: int

    @property
    def words(self) -> str:
        """What is not as it should be, for the table."""
        found = {"wrong": self.wrong, "unfinished": self.other}
        return "".join(f", {count} {what}" for what, count in found.items() if count)


@dataclass
class Place:
    """A camera, a folder and a home for one run of one job."""

    camera: SimulatedCamera
    folder: Path
    home: Path

    def command(self, program: str, line: str) -> list[str]:
        """Return the words of a line; CAMERA and DEST stand for the camera and the folder."""
        if program == GPHOTO2:
            port = self.camera.port
            address = f"ptpip:{self.camera.host}:{port}:{port}"
            return ["gphoto2", "--port", address, *line.split()[1:]]
        words = {"CAMERA": f"{self.camera.host}:{self.camera.port}", "DEST": str(self.folder)}
        return [*peers.PYTHON, "-m", *(words.get(word, word) for word in line.split())]

    def start(self, program: str, line: str) -> subprocess.Popen[str]:
        """Start a line in the folder."""
        return subprocess.Popen(
            self.command(program, line),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def environment(self) -> dict[str, str]:
        """Return the environment of a program: without a setting of this computer."""
        home = str(self.home)
        return {
            **peers.environment(),
            "HOME": home,
            "LC_ALL": "C.UTF-8",
            "PTPFAST_CONFIG": f"{home}/config",
            "PTPFAST_CACHE": f"{home}/cache",
            "PTPFAST_DATA": f"{home}/data",
        }

    def run(self, program: str, line: str) -> str:
        """Run a line to its end; return what it says, whatever its status is."""
        process = self.start(program, line)
        try:
            return process.communicate(timeout=PATIENCE_S)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0]

    def __post_init__(self) -> None:
        self._known: dict[tuple[str, int, int], str] = {}  # digests of files that are here
        self._card: dict[str, int] = {}  # handles by digest
        self._names: set[str] = set()
        self.look_at_card()

    def look_at_card(self) -> None:
        """Learn the bytes of what is new on the card."""
        for stored in self.camera.store.files():
            if stored.handle not in self._card.values() and stored.content is not None:
                content = b"".join(stored.content.spans(0, stored.size))
                self._card[hashlib.sha256(content).hexdigest()] = stored.handle
                self._names.add(stored.name.lower())

    @property
    def on_card(self) -> frozenset[int]:
        """The files that are, or were, on the card."""
        return frozenset(self._card.values())

    def here(self) -> Here:
        """Return what is in the folder."""
        right, wrong, other = set[int](), 0, 0
        for path in self.folder.rglob("*"):
            if not path.is_file() or is_reserved(path.name):
                continue
            handle = self._card.get(self._digest(path))
            if handle is not None:
                right.add(handle)
            elif path.name.lower() in self._names:
                wrong += 1
            else:
                other += 1
        return Here(frozenset(right), wrong, other)

    def _digest(self, path: Path) -> str:
        status = path.stat()
        key = str(path), status.st_size, status.st_mtime_ns
        if key not in self._known:
            self._known[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._known[key]
