"""Download large files from a camera over Wi-Fi, by PTP/IP (ISO 15740 over TCP)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    from .engine.channel import Timeline
except ModuleNotFoundError as error:
    raise ImportError(
        "ptpfast's compiled modules are not here: in a checkout run `make build`; "
        "elsewhere install it again with `pip install --force-reinstall ptpfast`"
    ) from error
from ._version import __version__
from .engine.sink import CallbackSink, FileSink, MemorySink
from .link.answers import Response
from .link.events import Event
from .ptp.codes import EventCode, ObjectFormat, OperationCode, ResponseCode
from .ptp.datasets import DeviceInfo, DevicePropDesc, StorageInfo
from .ptp.errors import (
    AccessDenied,
    Cancelled,
    ConnectFailed,
    ConnectionLost,
    DeviceBusy,
    InitFailed,
    InvalidObjectHandle,
    NetworkError,
    ProtocolError,
    PTPError,
    ResponseError,
    SinkError,
    Timeout,
    TransferError,
    Unreadable,
)
from .ptp.objects import ObjectInfo, ObjectTable
from .session.connecting import connect
from .session.session import Session
from .transport.timeouts import Timeouts

if TYPE_CHECKING:
    from .library.pull import PullOptions, pull
    from .library.report.report import Report
    from .transfer import Transfer

# fmt: off
__all__ = [
    "AccessDenied", "CallbackSink", "Cancelled", "ConnectFailed", "ConnectionLost",
    "DeviceBusy", "DeviceInfo", "DevicePropDesc", "Event", "EventCode", "FileSink",
    "InitFailed", "InvalidObjectHandle", "MemorySink", "NetworkError", "ObjectFormat",
    "ObjectInfo", "ObjectTable", "OperationCode", "PTPError", "ProtocolError", "PullOptions",
    "Report", "Response", "ResponseCode", "ResponseError", "Session", "SinkError", "StorageInfo",
    "Timeline", "Timeout", "Timeouts", "Transfer", "TransferError", "Unreadable", "__version__",
    "connect", "pull",
]
# fmt: on


def __getattr__(name: str) -> Any:
    """Load a name when it is first used, so that an import stays quick."""
    if name in ("library", "ptpip", "sim"):
        return import_module(f"{__name__}.{name}")
    if name in ("PullOptions", "Report", "pull"):
        return getattr(import_module(f"{__name__}.library"), name)
    if name == "Transfer":
        return import_module(f"{__name__}.transfer").Transfer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
