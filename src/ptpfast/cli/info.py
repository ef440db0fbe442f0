"""`ptpfast info`: show model, cards, battery and operations."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..ptp.kinds import KINDS, kind_of
from ..ptp.objects import card_name
from .ls import kind_counts
from .only_camera import only_camera
from .options import Common, command, host_argument
from .output import Output, human_size, plural
from .waiting import showing

if TYPE_CHECKING:
    from ..session.session import Session

log: logging.Logger = logging.getLogger("ptpfast")

NO_CARD = "no memory card in the camera"
FEW = 16  # objects that are asked for, to count all files; each is a round trip
UNKNOWN = 0xFFFFFFFFFFFFFFFF  # a capacity the camera does not tell


@command("info 192.168.1.1", "info 192.168.1.1 --json")
@host_argument
def info(common: Common, host: tuple[str, int] | None) -> None:
    """Show model, memory cards, battery and supported operations."""
    from ..session.connecting import connect

    host = host or only_camera(common.output)
    waiting = showing(common.output, for_owner_only=True)
    with connect(
        host[0],
        port=host[1],
        timeouts=common.brief_timeouts,
        waiting=waiting,
        trace=common.trace,
    ) as session:
        camera = _camera(session)
        common.output.record("camera", **camera)
        _show_camera(common.output, camera)
        session.link.losses.recover = lambda error, _: session.link.reconnect_after(error)
        storage_ids = session.storage_ids()
        for storage_id in storage_ids:
            _storage(common.output, session, storage_id)
        if not storage_ids:
            common.output.record("storage", id=None, error=NO_CARD)
            common.output.row("Storage", NO_CARD)
        else:
            _files(common.output, session)


def _camera(session: Session) -> dict[str, Any]:
    device = session.device_info
    return {
        "manufacturer": device.manufacturer,
        "model": device.model,
        "device_version": device.device_version,
        "serial_number": device.serial_number,
        "name": session.link.connection.name,
        "guid": session.link.connection.guid.hex(),
        "vendor": session.vendor.name,
        "battery_percent": _battery(session),
        "partial_reads": [_name(session, code) for code in _partial_reads(session)],
        "large_objects": _reaches_beyond_4_gib(session),
        "operations": [_name(session, code) for code in device.operations_supported],
    }


def _battery(session: Session) -> int | None:
    from ..ptp.codes import DevicePropCode
    from ..ptp.errors import ProtocolError, ResponseError

    if DevicePropCode.BatteryLevel not in session.device_info.device_properties_supported:
        return None
    try:
        value = session.property(DevicePropCode.BatteryLevel)
    except (ResponseError, ProtocolError):
        return None  # listed, and yet not told
    return value if isinstance(value, int) else None


def _partial_reads(session: Session) -> list[int]:
    reads = session.link.dialect.reads()
    return [read.operation for read in reads if session.supports(read.operation)]


def _reaches_beyond_4_gib(session: Session) -> bool:
    return any(
        read.offset_bits > 32 and session.supports(read.operation)
        for read in session.link.dialect.reads()
    )


def _name(session: Session, code: int) -> str:
    from ..ptp.codes import OperationCode

    for table in (OperationCode, session.vendor.operations):
        if table is not None and code in set(table):
            return table(code).name
    return f"0x{code:04X}"


def _show_camera(output: Output, camera: dict[str, Any]) -> None:
    battery = camera["battery_percent"]
    vendor = camera["vendor"]
    large = "yes, in parts" if camera["large_objects"] else "only whole, not resumable"
    rows = {
        "Camera": f"{camera['manufacturer']} {camera['model']}".strip()
        or "reports nothing about itself",
        "Name": camera["name"],
        "Firmware": camera["device_version"],
        "Serial number": camera["serial_number"],
        "Speaks": "standard PTP" if vendor == "standard" else f"{vendor.title()} PTP",
        "Battery": "not told" if battery is None else f"{battery} %",
        "Reads in parts": "yes" if camera["partial_reads"] else "no: downloads cannot be resumed",
        "Files over 4 GiB": large,
    }
    if output.verbose:
        rows |= {
            "GUID": camera["guid"],
            "Partial reads": ", ".join(camera["partial_reads"]) or "none",
            "Operations": ", ".join(camera["operations"]),
        }
    for label, value in rows.items():
        output.row(label, value)


def _files(output: Output, session: Session) -> None:
    """Show how many files there are of each kind, if the index of the camera knows them."""
    from ..ptp.errors import ProtocolError, ResponseError, Unreadable

    try:
        listing = session.listing()
        files = listing.files_if_cheap(FEW)
    except (ResponseError, ProtocolError, Unreadable) as error:
        log.debug("the files cannot be counted: %s", error)
        return
    total = len(listing.handles)
    if files is None:
        output.record("files", objects=total, count=None, size=None, kinds=None)
        output.row("Files", f"{total:,} files and folders; ptpfast ls counts them by kind")
        return
    kinds = [kind_of(file.name) for file in files]
    size = sum(file.size or 0 for file in files)
    counts = {kind: kinds.count(kind) for kind in KINDS}
    output.record("files", objects=total, count=len(files), size=size, kinds=counts)
    each = f": {kind_counts(kinds)}" if kinds else ""
    output.row("Files", f"{plural(len(files), 'file')}, {human_size(size)}{each}")


def _storage_name(output: Output, storage_id: int) -> str:
    """Return `Card 1`; with --verbose also the number that the camera gives it."""
    name = card_name(storage_id).capitalize()
    return f"{name} ({storage_id:#010x})" if output.verbose else name


def _storage(output: Output, session: Session, storage_id: int) -> None:
    from ..link.asking import attempt
    from ..ptp.codes import OperationCode
    from ..ptp.errors import ProtocolError, ResponseError, Unreadable

    try:
        storage = attempt(
            session.link,
            OperationCode.GetStorageInfo,
            storage_id,
            lambda: session.storage_info(storage_id),
        )
    except (ResponseError, ProtocolError, Unreadable) as error:
        output.record("storage", id=storage_id, error=str(error))
        output.row(_storage_name(output, storage_id), str(error))
        return
    capacity, free = (
        None if size == UNKNOWN else size
        for size in (storage.max_capacity, storage.free_space_in_bytes)
    )
    output.record(
        "storage",
        id=storage_id,
        slot=storage_id >> 16,
        description=storage.storage_description,
        label=storage.volume_label,
        capacity=capacity,
        free=free,
        writable=storage.access_capability == 0,
    )
    label = storage.volume_label or storage.storage_description
    text = f"{human_size(free)} free of {human_size(capacity)}" + (f", {label}" if label else "")
    output.row(_storage_name(output, storage_id), text)
