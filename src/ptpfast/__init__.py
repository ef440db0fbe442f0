"""Download large files from a camera over Wi-Fi, by PTP/IP (ISO 15740 over TCP)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    from .engine.channel import Timeline
except ModuleNotFoundError as _error:
    raise ImportError(
        "ptpfast's compiled modules are not here: in a checkout run `make build`; "
        "elsewhere install it again with `pip install --force-reinstall ptpfast`"
    ) from _error
except ImportError as _error:
    if "interpreter" not in str(_error):
        raise
    raise ImportError(
        "ptpfast cannot be imported in a second interpreter of one process; "
        "use threads or processes"
    ) from _error
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
    Unsupported,
)
from .ptp.objects import ObjectInfo, ObjectTable
from .session.connecting import connect
from .session.session import Session
from .transport.timeouts import Timeouts
from .vendors import Vendor

if TYPE_CHECKING:
    from .discovery import Found, discover
    from .library.iterating import PullIterator, pull_iter
    from .library.plan.selection import Selection
    from .library.pull import PullOptions, pull
    from .library.report.observer import Observer
    from .library.report.report import CameraReport, Report
    from .library.report.results import FileResult
    from .listing import Listing
    from .trace import Trace
    from .transfer import Transfer
    from .watching import ShotPreview, Watch, WatchOptions, WatchStatus, watch

# fmt: off
__all__ = [
    "AccessDenied", "CallbackSink", "CameraReport", "Cancelled", "ConnectFailed", "ConnectionLost",
    "DeviceBusy", "DeviceInfo", "DevicePropDesc", "Event", "EventCode", "FileResult", "FileSink",
    "Found", "InitFailed",
    "InvalidObjectHandle", "Listing", "MemorySink", "NetworkError", "ObjectFormat", "ObjectInfo",
    "ObjectTable", "Observer", "OperationCode", "PTPError", "ProtocolError", "PullIterator",
    "PullOptions",
    "Report", "Response", "ResponseCode", "ResponseError", "Selection", "Session", "ShotPreview",
    "SinkError",
    "StorageInfo", "Timeline", "Timeout", "Timeouts", "Trace", "Transfer", "TransferError",
    "Unreadable", "Unsupported", "Vendor", "Watch", "WatchOptions", "WatchStatus", "__version__",
    "connect", "discover", "pull", "pull_iter", "watch",
]
# fmt: on

# Parts of the package that an import alone does not need.
_PARTS = frozenset(
    {"aio", "cluster", "discovery", "doctor", "filesystem", "library", "metrics", "ptpip", "sim"}
    | {"testing"}
)
# Name → the module that has it, for the names that an import alone does not need.
_LATER = {
    "CameraReport": "library.report.report",
    "FileResult": "library.report.results",
    "Found": "discovery",
    "Listing": "listing",
    "Observer": "library.report.observer",
    "PullIterator": "library",
    "PullOptions": "library",
    "Report": "library",
    "Selection": "library.plan.selection",
    "Trace": "trace",
    "Transfer": "transfer",
    "Watch": "watching",
    "ShotPreview": "watching",
    "WatchOptions": "watching",
    "WatchStatus": "watching",
    "discover": "discovery",
    "pull": "library",
    "pull_iter": "library",
    "watch": "watching",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used, so that an import stays quick."""
    if name in _PARTS:
        return import_module(f"{__name__}.{name}")
    if (module := _LATER.get(name)) is not None:
        return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
