"""Find the cameras in the networks of this computer.

mDNS, SSDP and the broadcasts of cameras are listened to at the same time, and the fixed addresses
of cameras in networks of their own are tried. Answers come from anywhere: each is checked, and
their number, length and time are bounded.
"""

from __future__ import annotations

from .finding import discover, stream
from .found import Found

__all__ = ["Found", "discover", "stream"]
