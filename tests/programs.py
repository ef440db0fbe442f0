"""Finds programs and modules that are not ours. A missing one skips; PTPFAST_INTEROP=1 forbids
that."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import NoReturn

import pytest


def program(name: str, package: str = "") -> str:
    """The program's path; skips the test without it, or fails it where it must be there."""
    # Daemons are in a folder that is in no user's PATH.
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if path is None:
        missing(f"{name} is not installed (Debian: apt-get install -y {package or name})")
    return path


def module(name: str, package: str = "") -> None:
    """Skips or fails the test without a Python module that is not ours."""
    if importlib.util.find_spec(name) is None:
        missing(f"{name} is not installed (pip install {package or name})")


def missing(message: str) -> NoReturn:
    """Skips the test, or fails it where nothing may be missing."""
    if os.environ.get("PTPFAST_INTEROP") == "1":
        pytest.fail(message)
    pytest.skip(message)
