"""The names of mmattes/ptpip 0.1.1, thin over the session: its programs run with only the import
line changed. docs/from-ptpip.md lists every name and what it became.
"""

from .._version import __version__
from .connection import PtpIpConnection
from .packets import (
    PtpIpCancelTransaction,
    PtpIpCmdRequest,
    PtpIpCmdResponse,
    PtpIpDataObject,
    PtpIpDataPacket,
    PtpIpEndDataPacket,
    PtpIpEvent,
    PtpIpEventAck,
    PtpIpEventFactory,
    PtpIpEventReq,
    PtpIpInitCmdAck,
    PtpIpInitCmdReq,
    PtpIpInitFail,
    PtpIpPacket,
    PtpIpPing,
    PtpIpPong,
    PtpIpStartDataPacket,
)

# fmt: off
__all__ = [
    "PtpIpCancelTransaction", "PtpIpCmdRequest", "PtpIpCmdResponse", "PtpIpConnection",
    "PtpIpDataObject", "PtpIpDataPacket", "PtpIpEndDataPacket", "PtpIpEvent", "PtpIpEventAck",
    "PtpIpEventFactory", "PtpIpEventReq", "PtpIpInitCmdAck", "PtpIpInitCmdReq", "PtpIpInitFail",
    "PtpIpPacket", "PtpIpPing", "PtpIpPong", "PtpIpStartDataPacket", "__version__",
]
# fmt: on
