"""The camera's side of PC AutoSave, for the simulated camera.

Source: vcam (src/fuji/ssdp.c).
"""

from __future__ import annotations

import socket

from . import texts
from .autosave import ANSWER_S, CALL_BACK_S, Kind


def call(
    kind: Kind, computer: str, port: int, *, name: str = "X-T2", camera_port: int = 0
) -> list[bytes]:
    """Call a computer as a camera does; return the texts that the computer has sent.

    Args:
        kind: to be registered, or to have pictures fetched.
        computer: the computer's name; `*` for a registration.
        port: where it listens, on 127.0.0.1.
        name: of the camera.
        camera_port: where the camera waits for the answer.

    Raises:
        OSError: the computer does not do its part in time.
    """
    address = "127.0.0.1"
    with socket.create_server((address, camera_port)) as server:
        server.settimeout(CALL_BACK_S)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
            sock.sendto(texts.discover(computer, address), (address, port))
        answered, _ = server.accept()
        with answered:
            answered.settimeout(ANSWER_S)
            heard = [answered.recv(texts.LONGEST)]
            answered.sendall(texts.accepted())
    host = f"{address}:{port}"
    request = (
        texts.register(host, name, name) if kind == "register" else texts.import_request(host, name)
    )
    with socket.create_connection((address, port), ANSWER_S) as sock:
        sock.sendall(request)
        heard.append(sock.recv(texts.LONGEST))
    return heard
