"""Many objects at once: which to take, what to call them, what is here already, what came of it.

Modules: `pull` (what is asked for), `run` (its steps), `selection`, `planning`, `naming`, `folder`,
`persistence`, `manifest`, `leftovers`, `safekeeping` with `copies`, `deletion` and
`deletion_journal`, `report`, `observer`, `address`. Nothing here knows packets; one object's
transfer is `ptpfast.transfer`'s.
"""

from __future__ import annotations

from .pull import pull
from .report import Report

__all__ = ["Report", "pull"]
