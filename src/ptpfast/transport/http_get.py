"""One question over HTTP/1.0 to a host that may answer anything: bounded in bytes and time."""

from __future__ import annotations

import re
import socket
import time

from ..ptp.errors import ConnectFailed
from .contract import Address
from .handshake import NothingListens

LONGEST_ANSWER = 1 << 16  # bytes, with the header
_BLANK_LINE = b"\r\n\r\n"
_FINAL = re.compile(rb"HTTP/1\.[01] [2-5][0-9]{2}\b")
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)


class NotHttpError(ConnectFailed):
    """The answer is not one of HTTP/1.0."""


def http_get(address: Address, path: str, within_s: float) -> bytes:
    """Return the body of an answer, whatever its status.

    HTTP/1.0 has no parts and nothing before the answer. Whatever listens at the address can cost
    `within_s` seconds and `LONGEST_ANSWER` bytes. No redirection is followed.

    Args:
        address: the server.
        path: of the document, in ASCII.
        within_s: seconds for the whole answer.

    Raises:
        NothingListens: the host refuses.
        NotHttpError: it answers something else.
        ConnectFailed: there is no answer in time, or it is too long.
    """
    deadline = time.monotonic() + within_s
    question = f"GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(address, timeout=_left(deadline)) as sock:
            sock.sendall(question.encode("ascii"))
            answer = _received(sock, deadline)
    except ConnectionRefusedError as error:
        raise NothingListens(f"nothing listens at {address}") from error
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(f"no answer from {address}: {error}") from error
    head, _, body = bytes(answer).partition(_BLANK_LINE)
    if not _FINAL.match(head) or b"\r\ntransfer-encoding:" in head.lower():
        raise NotHttpError(f"something answers at {address}, but not in HTTP")
    return body


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _received(sock: socket.socket, deadline: float) -> bytearray:
    """Return all that comes until the end, or the end of the body by its Content-Length."""
    answer = bytearray()
    in_full: int | None = None  # bytes, once the header has told
    while len(answer) < LONGEST_ANSWER and (in_full is None or len(answer) < in_full):
        sock.settimeout(_left(deadline))
        piece = sock.recv(LONGEST_ANSWER - len(answer))
        if not piece:
            break
        answer += piece
        if in_full is None and (head := answer.find(_BLANK_LINE)) >= 0:
            end = head + len(_BLANK_LINE)
            length = _LENGTH.search(answer, 0, end)
            in_full = end + int(length[1]) if length else None
    if len(answer) >= LONGEST_ANSWER or (in_full is not None and len(answer) < in_full):
        raise ConnectionError("the answer is too long, or broke off")
    return answer
