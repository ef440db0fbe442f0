"""The simulated camera by default: a body of no vendor."""

from __future__ import annotations

from ..body import Model
from .announcement import announces

MODEL = Model("ptpfast", "Simulated Camera", announces=announces)
