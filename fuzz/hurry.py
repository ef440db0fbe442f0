"""Waits that are right for cameras and only cost time here are made short."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from dataclasses import replace

import ptpfast.vendors
from ptpfast.link import courtesy, events, link
from ptpfast.session import capture, persistence
from ptpfast.transfer import ranges
from ptpfast.transport import handshake
from ptpfast.vendors import Quirks

LONGEST_S, PAUSE_S = 0.2, 0.01
# What is waited out in full, as the name of the constant says; the others are limits.
_PAUSES = ("PAUSE", "POLL", "ASK", "RETRY", "STEP", "HALF", "SETTLE", "HOLD", "QUIET", "AFTER")


def hurry() -> None:
    """Make the waits of this process short: every constant of the vendors that ends with `_S`."""
    for found in pkgutil.walk_packages(ptpfast.vendors.__path__, "ptpfast.vendors."):
        importlib.import_module(found.name)
    names = [name for name in sys.modules if name.startswith("ptpfast.vendors.")]
    for name in (*names, capture.__name__):
        _shorten(vars(sys.modules[name]))
    for module in (link, ranges):
        vars(module)["BUSY_S"] = 0.02
    vars(events)["LOOK_S"] = 0.02
    vars(handshake)["PROBE_ANSWER_S"] = 0.1
    vars(persistence)["FIRST_PAUSE_S"] = 0.001
    vars(courtesy)["honour_reconnect_pause"] = lambda address: None
    os.fsync = lambda fd: None  # the disk is not what is tested


def _shorten(constants: dict[str, object]) -> None:
    for name, value in list(constants.items()):
        if isinstance(value, Quirks):
            constants[name] = replace(
                value, close_after_open_s=0, reconnect_pause_s=0, event_poll_s=0.005, capture_s=0.3
            )
        elif name.endswith("_S") and isinstance(value, int | float):
            waits = any(word in name for word in _PAUSES)
            constants[name] = min(value, PAUSE_S if waits else LONGEST_S)
