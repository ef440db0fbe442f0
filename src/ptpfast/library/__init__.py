"""Download many objects: select, name, compare with the folder, fetch, report.

`pull` takes the options, `run` has the steps. Below them, from the top down: `keep` (what happens
to a finished file), `plan` (what to fetch) and `report` (the results). Packets are not known here;
the transfer of one object is in `ptpfast.transfer`.
"""

from __future__ import annotations

from .iterating import PullIterator, pull_iter
from .pull import PullOptions, pull
from .report.report import Report

__all__ = ["PullIterator", "PullOptions", "Report", "pull", "pull_iter"]
