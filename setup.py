"""Builds the six compiled modules; everything else is in pyproject.toml."""

import gzip
import os
import tarfile
import time
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.sdist import sdist

# PTPFAST_TRACE=1: line tracing, bounds checks. PTPFAST_SANITIZE=1: ASan and UBSan; =fuzzer: and
# clang's edge counters. PTPFAST_WERROR=1: warnings are errors (not with a user's newer compiler).
# PTPFAST_UNCOMPILED=1: an editable install without the modules; `make` compiles them in place.
TRACE = os.environ.get("PTPFAST_TRACE") == "1"
SANITIZE = {
    "1": ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"],
    "fuzzer": ["-fsanitize=address,undefined,fuzzer-no-link", "-fno-sanitize=function"],
}.get(os.environ.get("PTPFAST_SANITIZE", ""), [])

# Cython and the C compilers run side by side: they are most of what a first build takes.
JOBS = os.cpu_count() or 1

compile_args = ["-O1" if SANITIZE else "-O3", "-Wall", "-Wextra", *SANITIZE]
# What Cython writes has both, and neither is a defect there.
compile_args += ["-Wno-unused-parameter", "-Wno-missing-field-initializers"]
if not (SANITIZE or TRACE):
    # Python's own flags have both, but a CFLAGS in the environment replaces those.
    compile_args += ["-DNDEBUG", "-fwrapv"]
if os.environ.get("PTPFAST_WERROR") == "1":
    compile_args.append("-Werror")

extensions = [
    Extension(
        f"ptpfast.engine.{name}",
        [f"src/ptpfast/engine/{name}.pyx"],
        include_dirs=["src/ptpfast/engine"],
        depends=["src/ptpfast/engine/checksum.h"],
        extra_compile_args=compile_args,
        extra_link_args=SANITIZE,
        define_macros=[("CYTHON_TRACE_NOGIL", "1")] if TRACE else [],
    )
    for name in ("wire", "sink", "phase", "framing", "channel", "tap")
    if os.environ.get("PTPFAST_UNCOMPILED") != "1"
]


class ReproducibleSdist(sdist):
    """An sdist that depends on the files alone: not on who builds it, where, and when.

    SOURCE_DATE_EPOCH sets the time of all files.
    """

    def make_archive(self, base_name, format, root_dir=None, base_dir=None, owner=None, group=None):
        """Write the files in order, with one time, no owner, and usual modes."""
        if format != "gztar":
            return super().make_archive(base_name, format, root_dir, base_dir, owner, group)
        moment = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))

        def usual(member):
            member.mtime, member.mode = moment, 0o755 if member.mode & 0o100 else 0o644
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            return member

        archive = Path(f"{base_name}.tar.gz")
        with (
            archive.open("wb") as raw,
            gzip.GzipFile("", "wb", mtime=moment, fileobj=raw) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for path in sorted(path for path in Path(base_dir).rglob("*") if path.is_file()):
                tar.add(path, path.as_posix(), filter=usual)
        return str(archive)


# Cython's processes may import this file again.
if __name__ == "__main__":
    setup(
        cmdclass={"sdist": ReproducibleSdist},
        options={"build_ext": {"parallel": JOBS}},
        ext_modules=cythonize(
            extensions,
            build_dir="build/cython",
            include_path=["src"],
            annotate=TRACE,
            nthreads=JOBS,
            quiet=True,
            compiler_directives={
                "language_level": "3",
                "embedsignature": True,
                "auto_pickle": False,
                "autotestdict": False,
                "boundscheck": TRACE,
                "wraparound": False,
                "linetrace": TRACE,
                "freethreading_compatible": True,
            },
        ),
    )
