"""Who answers at an address, if it is no PTP/IP camera: a web server, another service, a vendor.

Each question takes a connection of its own, and at most `ASK_S` seconds.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time

from ..engine.text import printable
from ..ptp.codes import DEFAULT_PORT
from ..ptp.errors import InitFailed, PTPError
from ..transport.contract import Address
from ..transport.identity import Identity
from ..transport.timeouts import Timeouts
from ..vendors import NAMES, named
from . import causes
from .diagnosis import Cause

ASK_S = 2.0
BANNER_S = 0.5  # a service that speaks first does so at once
LONGEST = 4096  # bytes of an answer that are read
SHOWN = 60  # characters of a banner that are shown
_HTTP = re.compile(rb"HTTP/[0-9](?:\.[0-9])? [1-5][0-9]{2}\b|<!DOCTYPE html|<html", re.IGNORECASE)
_SERVER = re.compile(rb"^server:[ \t]*([ -~]{1,60})", re.IGNORECASE | re.MULTILINE)
_QUESTION = b"GET / HTTP/1.0\r\n\r\n"


def who_is_it(address: Address) -> Cause | None:
    """Return what answers at an address instead of a camera; None if it cannot be told."""
    answer = _answer_to(address, b"", BANNER_S)
    if answer and not _HTTP.match(answer):
        text = _shown(answer)
        if text:
            return causes.other_service(str(address), text)
    answer = answer or _answer_to(address, _QUESTION, ASK_S)
    if _HTTP.match(answer):
        server = _SERVER.search(answer)
        name = printable(server[1].decode("ascii")).strip() if server else ""
        return causes.http_server(str(address), name)
    return other_protocol(address)


def _answer_to(address: Address, question: bytes, within_s: float) -> bytes:
    """Return the first bytes that come; none if nothing does."""
    deadline = time.monotonic() + within_s
    try:
        with socket.create_connection(address, timeout=within_s) as sock:
            sock.sendall(question)
            sock.settimeout(max(0.05, deadline - time.monotonic()))
            return sock.recv(LONGEST)
    except (OSError, UnicodeError):
        return b""


def _shown(answer: bytes) -> str:
    """Return a banner as text; empty unless it is text."""
    line = answer.partition(b"\n")[0].strip()
    if not line or not line.isascii() or any(byte < 0x20 for byte in line):
        return ""
    return printable(line.decode("ascii"))[:SHOWN]


def other_protocol(address: Address, *, refusals_count: bool = True) -> Cause | None:
    """Return the vendor whose own protocol is spoken at a port that is not its usual one.

    Args:
        address: the port.
        refusals_count: whether a refusal shows that the protocol was understood. It does not where
            PTP/IP was refused, too.
    """
    if address.port == DEFAULT_PORT:
        return None
    usual = named("standard").transport
    timeouts = Timeouts(connect=ASK_S, operation=ASK_S, idle=ASK_S, close=0.5, approval=0)
    for vendor in map(named, NAMES):
        if vendor.transport is usual or vendor.transport.port in (usual.port, address.port):
            continue
        try:
            opened = vendor.transport.open(address, Identity(), timeouts, probes=False)
        except InitFailed:
            if not refusals_count:
                continue
        except PTPError:
            continue
        else:
            with contextlib.suppress(PTPError):
                opened.command.send(vendor.transport.farewell())
            opened.close()
        return causes.other_protocol(str(address), vendor.name, vendor.transport.port)
    return None
