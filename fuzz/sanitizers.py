"""Builds of the compiled modules under sanitizers, and processes that run with them.

Two kinds, each in a folder of its own below `build/`, so that the usual modules stay as they are:

    asan     AddressSanitizer and UndefinedBehaviorSanitizer, by the usual compiler
    fuzzer   the same by clang, with edge counters; atheris brings the runtime along
"""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import ROOT

CLANG = ("clang", *(f"clang-{version}" for version in range(22, 13, -1)))


class UnavailableError(Exception):
    """What is needed for this kind of build is not on this machine; the message says what."""


def library(kind: str) -> Path:
    """The folder with the package built for this kind; it goes into PYTHONPATH."""
    return ROOT / "build" / kind / "lib"


def build(kind: str) -> None:
    """Builds what is not up to date. UnavailableError."""
    environment = dict(os.environ, PTPFAST_SANITIZE="1")
    if kind == "fuzzer":
        clang = _clang()
        environment |= {"PTPFAST_SANITIZE": "fuzzer", "CC": clang, "LDSHARED": f"{clang} -shared"}
    _runtime(kind)
    base = library(kind).parent
    command = [sys.executable, "setup.py", "--quiet", "build"]
    command += ["--build-base", str(base), "--build-lib", str(library(kind))]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise UnavailableError(f"the {kind} build has failed:\n{done.stderr}")


def environment(kind: str, *, leaks: bool = False, **options: str | int) -> dict[str, str]:
    """Variables of a process that uses this build. `options` are AddressSanitizer's."""
    settings = {
        "detect_leaks": int(leaks),
        "detect_stack_use_after_return": 1,
        "allocator_may_return_null": 1,  # MemoryError, as without sanitizers
        "handle_segv": 1,
        **options,
    }
    return dict(
        os.environ,
        LD_PRELOAD=_runtime(kind),
        PYTHONPATH=os.pathsep.join([str(library(kind)), str(ROOT)]),
        PYTHONMALLOC="malloc",  # Python's own arenas would hide what lies beside a block
        ASAN_OPTIONS=":".join(f"{name}={value}" for name, value in settings.items()),
        UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
    )


def plain_environment() -> dict[str, str]:
    """Variables of a process that uses the package as it is, from within one that does not."""
    ours = ("LD_PRELOAD", "PYTHONPATH", "PYTHONMALLOC", "ASAN_OPTIONS", "UBSAN_OPTIONS")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _clang() -> str:
    for name in CLANG:
        if found := shutil.which(name):
            return found
    raise UnavailableError("there is no clang here (Debian: apt install clang)")


def _runtime(kind: str) -> str:
    """The shared library that must be there before Python is."""
    if kind == "fuzzer":
        found = importlib.util.find_spec("atheris")
        if found is None or found.origin is None:
            raise UnavailableError("there is no atheris here (pip install atheris)")
        return str(Path(found.origin).parents[1] / "asan_with_fuzzer.so")
    compiler = os.environ.get("CC", "gcc").split()[0]
    answer = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=False
    )
    path = answer.stdout.strip()
    if answer.returncode or not os.path.isabs(path):
        raise UnavailableError(f"{compiler} has no AddressSanitizer (Debian: apt install gcc)")
    return path


# A camera's bytes in 16 bytes of memory that claim to be 64: reading them must be caught, or the
# sanitizer is not there and its silence means nothing.
_CANARY = """
import ctypes, numpy
from ptpfast.engine.wire import Cursor
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
block = (ctypes.c_ubyte * 64).from_address(libc.malloc(16))
cursor = Cursor(numpy.frombuffer(block, numpy.uint8))
cursor.take(16)
cursor.u32()
"""


def prove(kind: str) -> None:
    """Shows that this build catches what it is there for. AssertionError if it does not."""
    done = subprocess.run(
        [sys.executable, "-c", _CANARY],
        env=environment(kind),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode, "reading behind a block of memory was not caught"
    assert "heap-buffer-overflow" in done.stderr, done.stderr
    for module in glob.glob(str(library(kind) / "ptpfast" / "_*.so")):
        content = Path(module).read_bytes()
        assert b"__asan_report" in content and b"__ubsan_handle" in content, module
