"""Which of Sony's modes a session uses.

The mode is fixed when a session is opened, so it is chosen by the role of the session and by the
operations that the body lists.
"""

from __future__ import annotations

from ...ptp.datasets import DeviceInfo
from ..dialect import Asks, Dialect, Role
from ..quirks import Quirks
from .codes import SonyOperation
from .contentlists import ContentLists
from .contenttransfer import ContentTransfer
from .remote import RemoteControl
from .sending import SendToComputer

CONTENT_LISTS = frozenset(
    {
        SonyOperation.SDIOOpenSession,
        SonyOperation.GetContentInfoList,
        SonyOperation.GetContentData,
    }
)
CONTENT_TRANSFER = frozenset({SonyOperation.SDIOOpenSession, SonyOperation.SetContentsTransferMode})


def sony_dialect(link: Asks, info: DeviceInfo, quirks: Quirks, role: Role = "download") -> Dialect:
    """Return the dialect for a session: the best mode of the body for its role."""
    listed = set(info.operations_supported)
    chosen: type[Dialect] = SendToComputer
    if role == "remote" and SonyOperation.SDIOConnect in listed:
        chosen = RemoteControl
    elif role == "download" and listed >= CONTENT_LISTS:
        chosen = ContentLists
    elif role == "download" and listed >= CONTENT_TRANSFER:
        chosen = ContentTransfer
    return chosen(link, info, quirks, role)
