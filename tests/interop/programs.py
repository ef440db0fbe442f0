"""Finds programs that are not ours. A missing one skips; PTPFAST_INTEROP=1 forbids that."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest


def program(name: str) -> str:
    """The program's path; skips the test without it, or fails it where it must be there."""
    path = shutil.which(name)
    if path is None:
        message = f"{name} is not installed (Debian: apt-get install -y {name})"
        if os.environ.get("PTPFAST_INTEROP") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return path


def module(name: str, package: str) -> None:
    """Skips the test without a Python module that is not ours, or fails it likewise."""
    if importlib.util.find_spec(name) is None:
        message = f"{name} is not installed (pip install {package})"
        if os.environ.get("PTPFAST_INTEROP") == "1":
            pytest.fail(message)
        pytest.skip(message)
