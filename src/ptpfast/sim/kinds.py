"""The kinds of faults of a simulated camera: one row each, with the moment and the value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..ptp.codes import OperationCode

Value = int | float | str | None


class Stage(Enum):
    """When the simulated camera looks for a fault of a kind."""

    INIT = "handshake"
    ANSWER = "before the operation"
    BREAK = "before the operation, or after a number of payload bytes"
    DATASET = "the payload of a dataset"
    DATA = "the packets of the data phase"
    RESPONSE = "the Operation Response"


@dataclass(frozen=True)
class Kind:
    """A row of `KINDS`. `value` is what the kind takes: nothing, an int, a float or a str."""

    stage: Stage
    help: str
    value: type[int] | type[float] | type[str] | None = None
    default: Value = None
    operation: int | None = None  # the only one it makes sense for


KINDS: dict[str, Kind] = {
    # The handshake. `at` counts Command/Data connections, or Event connections for event_…
    "init_fail": Kind(Stage.INIT, "Init Fail with this reason", int, 3),
    "init_silence": Kind(Stage.INIT, "Init Command Request is never answered"),
    "init_drop": Kind(Stage.INIT, "closes the connection instead of Init Command Ack"),
    "init_no_version": Kind(Stage.INIT, "Init Command Ack ends after the name"),
    "init_padded_name": Kind(
        Stage.INIT, "Init Command Ack's name is padded to 40 units, no version"
    ),
    "init_number": Kind(Stage.INIT, "Init Command Ack carries this connection number", int, 0),
    "event_fail": Kind(Stage.INIT, "Init Fail with this reason on the Event connection", int, 3),
    "event_silence": Kind(Stage.INIT, "Init Event Request is never answered"),
    "event_probe_drop": Kind(Stage.INIT, "closes both connections at a Probe Request"),
    "event_late": Kind(Stage.INIT, "Init Event Ack comes after these seconds", float, 0.2),
    # The answer to an operation.
    "delay": Kind(Stage.ANSWER, "waits these seconds first", float, 0.1),
    "busy": Kind(Stage.ANSWER, "DeviceBusy"),
    "respond": Kind(Stage.ANSWER, "this response code, no data, nothing done", int, 0x2002),
    "ok_without_data": Kind(Stage.ANSWER, "OK, and no data phase"),
    "no_answer": Kind(Stage.ANSWER, "no answer at all; the connections stay"),
    "delete_instead": Kind(
        Stage.ANSWER, "this handle is deleted instead", int, 0, OperationCode.DeleteObject
    ),
    "delete_too": Kind(
        Stage.ANSWER, "this handle is deleted too", int, 0, OperationCode.DeleteObject
    ),
    "sleep": Kind(Stage.ANSWER, "StoreNotAvailable, then both connections are closed"),
    # The connections.
    "drop": Kind(Stage.BREAK, "closes both connections (FIN)"),
    "drop_command": Kind(Stage.BREAK, "closes the Command/Data connection only"),
    "drop_event": Kind(Stage.BREAK, "closes the Event connection only, and goes on"),
    "reset": Kind(Stage.BREAK, "resets both connections (RST)"),
    "stall": Kind(
        Stage.BREAK, "sends nothing for these seconds, then goes on; 0: for ever", float, 0
    ),
    "drip": Kind(Stage.BREAK, "from then on sends a byte each so many seconds", float, 0.1),
    "black_hole": Kind(Stage.BREAK, "no byte from either connection any more, probes included"),
    # Datasets.
    "empty_data": Kind(Stage.DATASET, "a dataset of no bytes"),
    "cut_data": Kind(Stage.DATASET, "only this many bytes of the dataset", int, 7),
    "object_size": Kind(
        Stage.DATASET, "ObjectInfo says this size", int, 0, operation=OperationCode.GetObjectInfo
    ),
    "name": Kind(
        Stage.DATASET,
        "ObjectInfo says this file name",
        str,
        "../../evil",
        operation=OperationCode.GetObjectInfo,
    ),
    "parent": Kind(
        Stage.DATASET, "ObjectInfo says this parent", int, 0, operation=OperationCode.GetObjectInfo
    ),
    "self_parent": Kind(
        Stage.DATASET,
        "ObjectInfo says the object is its own parent",
        operation=OperationCode.GetObjectInfo,
    ),
    "long_array": Kind(Stage.DATASET, "the array's count is this much too high", int, 1000),
    "extra_handle": Kind(
        Stage.DATASET,
        "the handle list has this handle too",
        int,
        0xDEADBEEF,
        operation=OperationCode.GetObjectHandles,
    ),
    "no_handles": Kind(
        Stage.DATASET, "the handle list is empty", operation=OperationCode.GetObjectHandles
    ),
    "root_only": Kind(
        Stage.DATASET,
        "asked for all handles, those in the root alone",
        operation=OperationCode.GetObjectHandles,
    ),
    # Start Data.
    "no_start": Kind(Stage.DATA, "no Start Data"),
    "start16": Kind(Stage.DATA, "Start Data of 16 bytes, with a u32 total"),
    "announce": Kind(
        Stage.DATA, "Start Data's total: a number, +N, -N, unknown or unknown32", str, "unknown"
    ),
    # Data and End Data.
    "short_data": Kind(Stage.DATA, "ends the data after `after` bytes, and answers OK"),
    "error_after": Kind(Stage.DATA, "ends it after `after` bytes with this code", int, 0x2007),
    "vanish": Kind(Stage.DATA, "ends it after `after` bytes: the object is gone for good"),
    "overrun": Kind(Stage.DATA, "this many bytes more than announced", int, 1000),
    "no_end": Kind(Stage.DATA, "no End Data, and nothing of what it carries"),
    "repeat_end": Kind(Stage.DATA, "a second End Data"),
    "wrong_tid": Kind(Stage.DATA, "Data and End Data carry another transaction id"),
    "stale": Kind(Stage.DATA, "the packets of an old transaction come first"),
    "response_first": Kind(Stage.DATA, "the Operation Response comes before the data, and after"),
    # Foreign packets, at the first packet boundary after `after` bytes.
    "length": Kind(Stage.DATA, "a Data packet that claims this length", int, 0),
    "unknown_packet": Kind(Stage.DATA, "a packet of this type", int, 99),
    "event_on_command": Kind(Stage.DATA, "an Event on the Command/Data connection"),
    "event_burst": Kind(Stage.DATA, "this many events on the Event connection", int, 100),
    "probe": Kind(Stage.DATA, "a Probe Request on both connections"),
    # The response.
    "no_response": Kind(Stage.RESPONSE, "no Operation Response"),
    "response_wrong_tid": Kind(Stage.RESPONSE, "it carries another transaction id"),
    "response_tid_zero": Kind(Stage.RESPONSE, "it carries transaction id 0"),
    "extra_parameters": Kind(Stage.RESPONSE, "it has this many parameters more", int, 3),
}
