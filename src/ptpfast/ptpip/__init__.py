"""The API of mmattes/ptpip 0.1.1 on top of ptpfast's session.

Its programs run with only the import line changed. docs/from-ptpip.md compares every name.
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
