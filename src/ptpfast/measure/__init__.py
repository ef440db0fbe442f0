"""Measuring a real camera: what it copes with and how fast it is. Uses the session like anybody."""

from __future__ import annotations

from .tuner import Finding, tune

__all__ = ["Finding", "tune"]
