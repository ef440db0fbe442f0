"""The recipes of packages agree with pyproject.toml, and with each other."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import ptpfast

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA = (ROOT / "packaging" / "conda-forge" / "recipe.yaml").read_text(encoding="utf-8")
DEBIAN = ROOT / "packaging" / "debian"
WHEELS = (ROOT / "packaging" / "wheels.py").read_text(encoding="utf-8")
# What conda-forge and Debian call a package of PyPI.
CONDA_NAMES = {"xxhash": "python-xxhash"}


def requirements(*extras: str) -> dict[str, str]:
    """Name → version, of the library and of these extras."""
    rows = list(PROJECT["project"]["dependencies"])
    for extra in extras:
        rows += PROJECT["project"]["optional-dependencies"][extra]
    return dict(re.fullmatch(r"([\w-]+)(.*)", row).groups() for row in rows)  # type: ignore[union-attr]


def test_recipe_of_conda_needs_what_the_project_needs() -> None:
    run = CONDA.partition("\n  run:\n")[2].partition("\n\n")[0]
    found = dict(re.findall(r"- ([\w-]+) (>=\S+)", run))
    needed = requirements("cli", "discovery")
    assert found == {CONDA_NAMES.get(name, name): version for name, version in needed.items()}
    for row in PROJECT["build-system"]["requires"]:
        name, version = re.fullmatch(r"(\w+)(.*)", row).groups()  # type: ignore[union-attr]
        assert f"- {name.lower()} {version}" in CONDA


def test_recipes_have_the_version_of_the_project() -> None:
    assert f'version: "{ptpfast.__version__}"' in CONDA
    changes = (DEBIAN / "changelog").read_text(encoding="utf-8")
    assert changes.startswith(f"ptpfast ({ptpfast.__version__}-1) ")


def test_package_of_debian_builds_with_what_the_demo_runs() -> None:
    control = (DEBIAN / "control").read_text(encoding="utf-8")
    builds, _, package = control.partition("\nPackage:")
    for name in requirements("cli"):
        assert f" python3-{name} <!nocheck>," in builds
    for name in requirements("discovery").keys() - requirements():
        assert f" python3-{name}," in package
    assert (DEBIAN / "rules").stat().st_mode & 0o100
    done = subprocess.run(["make", "-n", "-f", "debian/rules", "build"], cwd=DEBIAN.parent)
    assert done.returncode == 0


def test_wheels_are_tried_in_the_same_way_everywhere() -> None:
    tested = re.findall(r'"(\w+)"', re.search(r"TESTED = \((.*)\)", WHEELS)[1])  # type: ignore[index]
    settings = PROJECT["tool"]["cibuildwheel"]
    assert re.findall(r"tests/(\w+)", settings["test-command"]) == tested
    assert all(list((ROOT / "tests" / name).glob("test_*.py")) for name in tested)
    needs = re.findall(r'"([^"]+)"', re.search(r"NEEDS = \((.*)\)", WHEELS)[1])  # type: ignore[index]
    assert settings["test-requires"] == needs


def test_every_supported_python_has_a_wheel() -> None:
    named = [
        line.rpartition(" ")[2]
        for line in PROJECT["project"]["classifiers"]
        if re.search(r":: 3\.\d+$", line)
    ]
    builds = [f"cp{version.replace('.', '')}-*" for version in named]
    # 3.13 without the GIL was an experiment, and cibuildwheel builds for it no more.
    assert PROJECT["tool"]["cibuildwheel"]["build"] == [*builds, "cp314t-*"]
    assert "skip" not in PROJECT["tool"]["cibuildwheel"]
    assert re.findall(r'"(3\.\d+t?)"', WHEELS) == [*named, "3.13t", "3.14t"]
