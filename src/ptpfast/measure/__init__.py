"""Measure a camera, its link and the disk, with the public methods of the session.

`tuner` finds the best settings. `run` and `steps` are `ptpfast bench`: `waits`, `reads` and `disk`
measure, `samples` and `acks` analyse the times, `figures`, `shares` and `verdict` interpret them,
and `report`, `text` and `page` show the result.
"""

from __future__ import annotations

from .tuner import Finding, tune

__all__ = ["Finding", "tune"]
