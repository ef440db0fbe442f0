"""Find out, step by step, why a camera cannot be used, or is slow; and what to do.

The way of a connection is gone once: name, route, port, handshake, session, card, reading. Each
error is named by its first cause, with the remedy in the words of the camera's vendor.
"""

from __future__ import annotations

from .diagnosis import Cause, Diagnosis, Step
from .examination import examine
from .search import search_and_examine

__all__ = ["Cause", "Diagnosis", "Step", "examine", "search_and_examine"]
