"""Mounts a folder with odd manners for a test, or says why none can be mounted here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).with_name("odd_folder.py")
TIMEOUT_S = 10


def why_not() -> str | None:
    """Why no folder can be mounted here; None when one can."""
    if sys.platform != "linux":
        return "needs FUSE as on Linux"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "needs /dev/fuse"
    if shutil.which("fusermount3") is None:
        return "needs fusermount3 (Debian: apt-get install -y fuse3)"
    return None


def need_fuse() -> None:
    """Skips the test where no folder can be mounted, or fails it where one must be."""
    if (reason := why_not()) is not None:
        if os.environ.get("PTPFAST_INTEROP") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def mounted(home: Path, manner: dict[str, Any]) -> Iterator[Path]:
    """A folder in `home` with that manner (see `odd_folder`)."""
    path, below = home / "mounted", home / "below"
    path.mkdir(parents=True)
    below.mkdir()
    words = [sys.executable, str(SERVER), str(below), str(path), json.dumps(manner)]
    with (
        (home / "server.err").open("w+") as said,
        subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                pytest.fail((home / "server.err").read_text())
            yield path
        finally:
            subprocess.run(["fusermount3", "-u", "-z", str(path)], timeout=TIMEOUT_S, check=False)
            process.kill()
    assert "Traceback" not in (home / "server.err").read_text()
