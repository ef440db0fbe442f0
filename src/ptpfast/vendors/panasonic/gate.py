"""The gate of Panasonic's network bodies: two questions over HTTP, before they listen for PTP/IP.

The first tells the body's name and port, the second asks for access with an id of this computer,
and with a token if the camera has a password. How a body makes the token of its password is not
known: it can be read once from the traffic of Panasonic's own program.

Source: webptz (src/device/lumix.rs), which works with a DC-BGH1.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from ...ptp.codes import DEFAULT_PORT
from ...ptp.errors import ConnectFailed
from ...transport.contract import Address
from ...transport.http_get import NotHttpError, http_get
from ...transport.identity import default_guid

TOKEN_VARIABLE = "PTPFAST_PANASONIC_TOKEN"  # where no token was given
DESCRIPTION = "/PTPRemote/Server0/ddd"
APPLICATION = "LUMIXTether"  # any name will do; this one is known to work
GATE_S = 5.0  # for a whole answer (webptz)
_PORT = re.compile(r"<(?:\w+:)?X_PTPPortNo>\s*([0-9]{1,5})\s*</")
_NAME = re.compile(r"<friendlyName>\s*([^<]{0,100})</")
_RESULT = re.compile(r"<result>\s*([^<]{0,100})</result>")
_HINT = (
    f'pass the token of the camera\'s password: vendor=panasonic(token="…"), or {TOKEN_VARIABLE}'
)


class Described(NamedTuple):
    """What a body tells at its gate."""

    name: str
    port: int


@dataclass(frozen=True)
class Gate:
    """The gate, as this computer goes through it.

    Attributes:
        token: The token of the camera's password, 16 hexadecimal digits; None for that of the
            environment, '' for a camera without a password.
        uuid: The id of this computer, which the camera remembers; None: made of its GUID.
        description_port, access_port: Where a body answers.
    """

    token: str | None = None
    uuid: str | None = None
    description_port: int = 60606
    access_port: int = 80

    def describe(self, host: str, within_s: float = GATE_S) -> Described:
        """Ask who is there, for `within_s` seconds at most.

        Raises:
            NothingListens: the host refuses.
            ConnectFailed: it is another device, or silent.
        """
        address = Address(host, self.description_port)
        text = _get(address, DESCRIPTION, within_s)
        if "panasonic" not in text.lower():
            raise ConnectFailed(f"something answers at {address}, but not as a Panasonic camera")
        port = _PORT.search(text)
        number = int(port[1]) if port else DEFAULT_PORT
        name = _NAME.search(text)
        return Described(
            name[1].strip() if name else "", number if 0 < number < 1 << 16 else DEFAULT_PORT
        )

    def enter(self, host: str, within_s: float = GATE_S) -> None:
        """Ask for access, for `within_s` seconds at most.

        Raises:
            ConnectFailed: the camera does not give it.
        """
        address = Address(host, self.access_port)
        token = os.environ.get(TOKEN_VARIABLE, "") if self.token is None else self.token
        uuid = self.uuid or str(UUID(bytes=default_guid())).upper()
        query = {"mode": "accctrl", "type": "req_acc_a", "value": uuid, "value2": APPLICATION}
        if token:
            query["value3"] = token
        text = _get(address, f"/cam.cgi?{urlencode(query)}", within_s)
        result = _RESULT.search(text)
        if result is None:
            raise ConnectFailed(f"something answers at {address}, but not as a Panasonic camera")
        if result[1].strip() != "ok":
            raise ConnectFailed(
                f"the camera at {address} gives no access: {result[1].strip()}", hint=_HINT
            )


def _get(address: Address, path: str, within_s: float) -> str:
    """Return the answer to a question; ConnectFailed for another device."""
    try:
        body = http_get(address, path, min(GATE_S, within_s))
    except NotHttpError as error:
        text = f"something answers at {address}, but not as a Panasonic camera"
        raise ConnectFailed(text) from error
    return body.decode("utf-8", "replace")
