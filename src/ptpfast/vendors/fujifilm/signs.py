"""How Fujifilm cameras are found: they call for PC AutoSave by broadcast; else by their address.

Sources: fudge and vcam.
"""

from __future__ import annotations

from ...ptp.errors import ProtocolError
from ..signs import Signs, Told
from . import texts

REGISTER, CONNECT = 51542, 51541  # UDP ports of computers


def heard(data: bytes) -> Told | None:
    """Read the call of a camera."""
    try:
        text = texts.parse_text(data)
    except ProtocolError:
        return None
    is_call = text.words[:1] == ["DISCOVER"] and text.fields.get("SERVICE") == texts.SERVICE
    return Told(host=text.fields.get("DSCADDR", "")) if is_call else None


SIGNS = Signs(broadcasts={REGISTER: heard, CONNECT: heard}, addresses=("192.168.0.1",))
