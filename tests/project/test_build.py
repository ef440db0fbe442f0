"""The package as others get it: sdist → wheel → installed elsewhere → a megabyte downloaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import wheels  # noqa: E402

pytestmark = [pytest.mark.build, pytest.mark.timeout(600)]

DOWNLOAD = """
import pathlib, sys
import ptpfast
from ptpfast.sim import SimulatedCamera, check

assert "site-packages" in ptpfast.__file__, ptpfast.__file__
with SimulatedCamera(objects=1, size=1 << 20) as camera:
    with ptpfast.connect(camera.host, port=camera.port) as session:
        info = session.objects()[0]
        session.download(info, pathlib.Path(sys.argv[1]))
    content = camera.store.expected(info.handle)
    assert check(content, pathlib.Path(sys.argv[1])), "bytes differ"
print("right")
"""


def run(*command: object, cwd: Path, **settings: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this tree and the wheel built from that sdist alone."""
    folder = tmp_path_factory.mktemp("dist")
    words = (sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    run(*words, cwd=folder, **wheels.flags())
    return folder


def test_the_sdist_holds_the_sources_and_no_generated_code(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [Path(name).name for name in archive.getnames()]
    assert "checksum.h" in names
    for name in ("wire", "sink", "channel"):
        assert {f"{name}.pyx", f"{name}.pxd", f"{name}.pyi"} <= set(names)
        assert f"{name}.c" not in names
    assert "LICENSE" in names
    assert not [name for name in names if name.endswith(".so")]


def sdist_of_a_checkout(folder: Path, moment: int, mask: int) -> bytes:
    """The sdist of a copy of the checkout elsewhere, by another user, at another time."""
    folder.mkdir()
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    for path in folder.rglob("*"):
        os.utime(path, (moment, moment))
        path.chmod((0o777 if path.is_dir() else 0o666) & ~mask)
    out = folder.parent / f"{folder.name}-sdist"
    options = ("--sdist", "--no-isolation", "--outdir", out)
    run(sys.executable, "-m", "build", *options, folder, cwd=folder, SOURCE_DATE_EPOCH="1790000000")
    (sdist,) = out.glob("*.tar.gz")
    return sdist.read_bytes()


def test_the_sdist_is_the_same_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    first = sdist_of_a_checkout(tmp_path / "one", 1_700_000_000, 0o022)
    second = sdist_of_a_checkout(tmp_path / "another", 1_750_000_000, 0o077)
    assert first == second


def test_the_wheel_holds_modules_stubs_and_the_typing_marker(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("wire", "sink", "channel"):
        assert [n for n in names if n.startswith(f"ptpfast/engine/{name}.") and n.endswith(".so")]
        assert f"ptpfast/engine/{name}.pyi" in names
    assert "ptpfast/py.typed" in names
    assert not [n for n in names if n.startswith(("tests/", "bench/"))]
    assert not [n for n in names if n.endswith((".pyx", ".pxd", ".h", ".c"))]


@pytest.mark.skipif(shutil.which("strip") is None, reason="needs strip")
def test_the_stripped_wheel_is_smaller_than_its_limit(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    packed = tmp_path / "stripped.whl"
    with (
        zipfile.ZipFile(wheel) as whole,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small,
    ):
        for name in whole.namelist():
            file = Path(whole.extract(name, tmp_path))
            if name.endswith(".so"):
                run("strip", *(("-x",) if sys.platform == "darwin" else ()), file, cwd=tmp_path)
                compiled = file.read_bytes()
                assert str(ROOT).encode() not in compiled
            small.write(file, name)
    assert packed.stat().st_size < wheels.LARGEST


@pytest.mark.skipif(sys.platform != "linux", reason="the flags are those of Linux")
def test_the_flags_of_a_wheel_are_added_to_those_of_python() -> None:
    # CFLAGS would replace them: no -DNDEBUG, so every check of Python's headers would run.
    assert "CFLAGS" not in wheels.flags()
    assert "-ffunction-sections" in wheels.flags()["CPPFLAGS"]


def test_the_wheel_works_where_there_is_nothing_else_of_ours(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    # numpy comes from the outer environment, so that this needs no network.
    venv.create(tmp_path / "venv", system_site_packages=False, with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    outer = run(sys.executable, "-c", "import numpy; print(numpy.__path__[0])", cwd=tmp_path)
    site = run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path)
    numpy = Path(outer.strip())
    for part in (numpy, *numpy.parent.glob("numpy.libs")):
        (Path(site.strip()) / part.name).symlink_to(part)
    assert run(python, "-c", DOWNLOAD, tmp_path / "x", cwd=tmp_path) == "right\n"
    run(tmp_path / "venv" / "bin" / "python", "-c", "import ptpfast.ptpip", cwd=tmp_path)
