"""The contenders: who is compared, what starts each of them, and why one of them may be missing.

Every one is a fresh process that fetches the whole card of a camera, prints one line of JSON
(bytes, seconds, CPU, peak memory, reads) and is measured over the downloads alone. The C programs
are in `peers/initiator.c`, the others in a file each.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from .. import peers

C, SPLICE, DROPPED = "C", "C splice", "(C, dropped)"
PTPFAST, WHOLE = "ptpfast", "ptpfast GetObject"
RECV_INTO, SEED = "Python recv_into", "the seed"
GPHOTO2, PYTHON_GPHOTO2 = "gphoto2", "python-gphoto2"

# Programs that are not ours, which a machine may not have.
FOREIGN = (GPHOTO2, PYTHON_GPHOTO2)
# What may bring wrong bytes and is then shown as doing so: with all others that is a failure.
KNOWN_TO_FAIL = (SEED,)

_MODULES = {
    PTPFAST: "session",
    RECV_INTO: "recv_into",
    SEED: "seed",
    GPHOTO2: "gphoto2",
    PYTHON_GPHOTO2: "python_gphoto2",
}


def command(name: str, port: int, **options: object) -> list[str]:
    """What starts a contender written in Python; options as in its file."""
    program = [*peers.PYTHON, "-m", f"bench.contenders.{_MODULES[name]}"]
    return [*program, *peers.words({"port": port, **options})]


def into_files(
    port: int, directory: Path, objects: int, size: int, host: str = "127.0.0.1"
) -> dict[str, list[str]]:
    """Everybody, each as it comes, fetching the card into a directory: the commands by name,
    without those that are missing."""
    where = {"host": host, "dir": directory}
    commands = {
        PTPFAST: command(PTPFAST, port, into="file", **where),
        WHOLE: command(PTPFAST, port, into="file", chunk=0, **where),
        RECV_INTO: command(RECV_INTO, port, into="file", **where),
        SEED: command(SEED, port, objects=objects, **where),
    }
    if host == "127.0.0.1":
        c = {
            C: peers.initiator_command(port, "file", dir=directory),
            SPLICE: peers.initiator_command(port, "splice", dir=directory),
            DROPPED: peers.initiator_command(port, "discard"),
        }
        commands = {**c, **commands}
    if missing(GPHOTO2) is None:
        commands[GPHOTO2] = command(GPHOTO2, port, bytes=objects * size, **where)
    if missing(PYTHON_GPHOTO2) is None:
        commands[PYTHON_GPHOTO2] = command(PYTHON_GPHOTO2, port, **where)
    return commands


@cache
def missing(name: str) -> str | None:
    """Why a contender cannot take part here, or None."""
    if name == GPHOTO2 and shutil.which("gphoto2") is None:
        return "the program gphoto2 is not installed (Debian: apt-get install gphoto2)"
    if name == PYTHON_GPHOTO2 and (said := _import_gphoto2())[0] is None:
        return said[1]
    return None


def all_missing() -> dict[str, str]:
    """The reasons by name; empty if everybody is here."""
    return {name: reason for name in FOREIGN if (reason := missing(name)) is not None}


def versions() -> dict[str, str]:
    """Of the programs that are not ours, of those that are here."""
    found = {}
    if missing(GPHOTO2) is None:
        done = subprocess.run(["gphoto2", "--version"], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            if line.startswith(("gphoto2 ", "libgphoto2 ")):
                name, number, *_ = line.split()
                found[name] = number
    if (version := _import_gphoto2()[0]) is not None:
        found[PYTHON_GPHOTO2] = version
    return found


@cache
def _import_gphoto2() -> tuple[str | None, str]:
    """Version of python-gphoto2 and of its library, or None; and what went wrong."""
    show = "import gphoto2 as g; print(g.__version__, g.gp_library_version(0)[0])"
    done = subprocess.run([*peers.PYTHON, "-c", show], capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it cannot be imported"])[-1]
        return None, f"{why} (`make bench` installs it from PyPI where there is a wheel)"
    version, library = done.stdout.split()
    return f"{version} (libgphoto2 {library})", ""
