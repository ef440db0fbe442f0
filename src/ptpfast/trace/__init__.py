"""Traces: files with the bytes of a session, for Wireshark and for `ptpfast simulate --replay`.

`recording` writes one, `tapped` is the channel that is recorded, `redaction` replaces names and
numbers that identify people and cameras, and `reading` reads one.
"""

from .recording import Trace, held, opened

__all__ = ["Trace", "held", "opened"]
