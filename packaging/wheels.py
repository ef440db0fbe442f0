"""Build a release for this computer: the sdist, wheels, and the bill of materials.

    python packaging/wheels.py [PYTHON...]

Each wheel is built from the sdist alone, stripped, and renamed by auditwheel to the oldest system
that it runs on. It is installed into a new environment, where its tests and the demo run. Without
PYTHON: every supported version that this computer has. Everything is in dist/. `make wheels` runs
it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.13t", "3.14t")  # t: without the GIL
LARGEST = 1_500_000  # bytes of a wheel: a quarter is compiled, the rest is Python
# What an installed wheel can run: no test here reads the checkout, or needs other programs.
TESTED = ("engine", "ptp", "raw", "session", "transport")
# It imports every module, and so needs every extra.
LEFT_OUT = "not every_error_class"
NEEDS = ("pytest>=8.2", "pytest-timeout>=2.3", "pytest-xdist>=3.6", "hypothesis>=6.100")


def say(text: str) -> None:
    sys.stderr.write(f"wheels: {text}\n")


def run(*command: object, cwd: Path = ROOT, **settings: str) -> str:
    """Return the output of a command; end the program if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **settings}, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def moment() -> str:
    """SOURCE_DATE_EPOCH: as set, or the time of the commit."""
    return os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct").strip()


def pythons(given: list[str]) -> Iterator[str]:
    """Yield the interpreters to build for."""
    names = given or [f"python{version}" for version in VERSIONS]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for name in names:
        version = name.removeprefix("python")
        number, free = version.removesuffix("t"), "t" if version.endswith("t") else ""
        found = pyenv.glob(f"{number}.*[0-9]{free}/bin/python")
        beside = [] if given else sorted(map(str, found))
        for command in (name, *beside):
            works = (
                shutil.which(command)
                and not subprocess.run([command, "-c", "pass"], capture_output=True).returncode
            )
            if works:
                yield command
                break
        else:
            if given:
                sys.exit(f"there is no {name} here")
            say(f"there is no {name} here")


def environment(python: str, folder: Path, *packages: object) -> Path:
    """Make an environment, and return its interpreter."""
    run(python, "-m", "venv", folder)
    inside = folder / "bin" / "python"
    if packages:
        # An older wheel before a newer sdist, which may need a compiler of another language.
        run(inside, "-m", "pip", "install", "--quiet", "--prefer-binary", *packages)
    return inside


def sdist(work: Path) -> Path:
    """Build the sdist twice: it must come out the same, byte for byte."""
    builds = []
    for name in ("first", "second"):
        run(
            sys.executable,
            "-m",
            "build",
            "--sdist",
            "--no-isolation",
            "--outdir",
            work / name,
            ROOT,
        )
        (built,) = (work / name).glob("*.tar.gz")
        builds.append(built)
    if len({build.read_bytes() for build in builds}) != 1:
        sys.exit("the sdist is not reproducible: two builds differ")
    return Path(shutil.copy(builds[0], DIST))


def flags() -> dict[str, str]:
    """Return the compiler's flags of a wheel for this system."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    system = "linux" if sys.platform == "linux" else "macos"
    flags: dict[str, str] = settings["tool"]["cibuildwheel"][system]["environment"]
    if system == "linux":
        # Some Pythons link with a path to their own library, which would be stored in each module.
        flags = {"LDSHARED": f"{os.environ.get('CC', 'cc')} -shared", **flags}
    return flags


def wheel(python: str, source: Path, work: Path) -> Path:
    """Build the wheel of an interpreter; on Linux, auditwheel repairs it."""
    builder = environment(python, work / "builder", "setuptools>=77", "Cython>=3.1,<4")
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", work / "raw")
    run(builder, "-m", "pip", "wheel", "--quiet", *options, source, **flags())
    (raw,) = (work / "raw").glob("*.whl")
    if sys.platform != "linux":
        return Path(shutil.copy(raw, DIST))
    auditwheel = (sys.executable, "-m", "auditwheel")
    run(
        *auditwheel,
        "repair",
        "--strip",
        "--zip-compression-level",
        "9",
        "--wheel-dir",
        work / "repaired",
        raw,
    )
    (repaired,) = (work / "repaired").glob("*.whl")
    return Path(shutil.copy(repaired, DIST))


def contents(built: Path, prefix: str) -> None:
    """End the program if a compiled module names a folder of this computer."""
    with zipfile.ZipFile(built) as archive:
        for name in archive.namelist():
            data = archive.read(name) if name.endswith(".so") else b""
            if any(folder.encode() in data for folder in (prefix, str(ROOT))):
                sys.exit(f"{built.name}: {name} names a folder of this computer")


def check(python: str, built: Path, work: Path) -> str:
    """Install the wheel into a new environment and use it; returns what its tests said."""
    size = built.stat().st_size
    if size >= LARGEST:
        sys.exit(f"{built.name} has {size:,} bytes; it must have fewer than {LARGEST:,}")
    prefix = run(python, "-c", "import sys; print(sys.base_prefix)").strip()
    if prefix not in ("/usr", "/usr/local"):
        contents(built, prefix)
    inside = environment(python, work / "clean", f"{built}[cli]", *NEEDS)
    tests = work / "tests"
    shutil.copytree(ROOT / "tests", tests, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", work)  # pytest's settings
    run(inside, "-m", "ptpfast", "demo", "--pairs", "1", cwd=work)
    if "t-" in built.name:  # cp314-cp314t-manylinux...
        run(inside, "-c", "import ptpfast, sys; sys.exit(sys._is_gil_enabled())", cwd=work)
    options = ("-q", "-n", "2", "-p", "no:cacheprovider", "-k", LEFT_OUT)
    ran = run(inside, "-m", "pytest", *options, *(tests / name for name in TESTED), cwd=work)
    return ran.strip().splitlines()[-1]


def materials(python: str, built: Path, work: Path) -> None:
    """Write the bill of materials (CycloneDX) of the wheel with what it installs."""
    inside = environment(python, work / "bill", f"{built}[all]")
    target = DIST / f"{'-'.join(built.name.split('-')[:2])}.cdx.json"
    tool = (sys.executable, "-m", "cyclonedx_py", "environment")
    options = ("--output-reproducible", "--pyproject", ROOT / "pyproject.toml")
    run(*tool, *options, "--output-file", target, inside)
    parts = json.loads(target.read_text(encoding="utf-8"))["components"]
    say(f"{target.name}: {len(parts)} components")


def main() -> None:
    os.environ["SOURCE_DATE_EPOCH"] = moment()
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source = sdist(work)
        say(f"{source.name}: two builds are equal")
        first = ""
        for number, python in enumerate(pythons(sys.argv[1:])):
            here = work / str(number)
            here.mkdir()
            built = wheel(python, source, here)
            say(f"{built.name}: {built.stat().st_size:,} bytes")
            say(f"{built.name}: {check(python, built, here)}")
            if not first:
                materials(python, built, here)
            first = first or python
    if not first:
        sys.exit("there is no supported Python here")
    sums = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(DIST.iterdir())
    ]
    (DIST / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    say(f"everything is in {DIST}")


if __name__ == "__main__":
    main()
