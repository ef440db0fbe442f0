"""The simulated camera by default: a body of no vendor."""

from __future__ import annotations

from ..body import Model

MODEL = Model("ptpfast", "Simulated Camera")
