"""Another connection to the same camera, in place of one that has ended."""

from __future__ import annotations

from ..ptp.datasets import DeviceInfo
from ..ptp.errors import ConnectFailed, InitFailed
from ..vendors.elsewhere import explain
from .connection import Connection
from .patience import Patience, pause


def reopen(
    connection: Connection, pause_s: float, patience: Patience, *, final: int | None = None
) -> Connection:
    """Close a connection and return another one to the same camera.

    Args:
        connection: the connection that has ended.
        pause_s: seconds before each try.
        patience: for how long to try.
        final: a reason of a refusal that is not retried.

    Raises:
        ConnectFailed, InitFailed: the last error, when the patience is used up.
    """
    while True:
        connection.close()
        pause(pause_s)
        try:
            return connection.reopen()
        except (ConnectFailed, InitFailed) as error:
            explained = explain(error, connection.address)
            if isinstance(error, InitFailed) and error.reason == final:
                raise explained from None
            patience.wait(explained)


def require_same(info: DeviceInfo, before: DeviceInfo, *, guids_agree: bool) -> None:
    """Raise ConnectFailed unless the same camera answers, by its model, serial number and GUID."""
    known = (before.model, before.serial_number)
    if (info.model, info.serial_number) != known or not guids_agree:
        who = f"{info.model} {info.serial_number}".strip() or "a camera that reports no model"
        raise ConnectFailed(f"another camera answers now: {who}")
