"""Many objects at once: which to take, what to call them, what is here already, what came of it.

`pull` says what is asked for, `run` has the steps. Below them, from the top down: `keep` (what
becomes of a file that is here), `plan` (what is to be done) and `report` (what came of it). Nothing
here knows packets; one object's transfer is `ptpfast.transfer`'s.
"""

from __future__ import annotations

from .pull import PullOptions, pull
from .report.report import Report

__all__ = ["PullOptions", "Report", "pull"]
