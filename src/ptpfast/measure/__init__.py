"""Measuring a real camera: what it copes with and how fast it is. Uses the session like anybody.

`tuner` finds how a camera is best read; `run` and `steps` measure it for `ptpfast bench`, with
`waits`, `reads` and `disk` as the ways to ask, `samples` and `acks` for what the answers' times
say, `figures`, `shares` and `verdict` for what they mean, and `report`, `text` and `page` to say
it.
"""

from __future__ import annotations

from .tuner import Finding, tune

__all__ = ["Finding", "tune"]
