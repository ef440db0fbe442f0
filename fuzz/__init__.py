"""Hostile bytes by the million: what reads a camera's bytes, and whole sessions, under sanitizers.

`python -m fuzz` says what there is; README.md says how it works and what counts as a finding.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# The oracle and the vectors are the tests' own.
if str(ROOT / "tests") not in sys.path:
    sys.path.append(str(ROOT / "tests"))
