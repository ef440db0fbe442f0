"""A long soak: a card of thousands of objects pulled through thousands of faults, by a command line
that is killed and started again at random, until the folder is the card.

`python -m soak` says what there is; README.md says how it works and what is asked of it.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
