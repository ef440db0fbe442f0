"""`ptpfast simulate`: a camera on this machine, until it is switched off with Ctrl-C."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import vendors
from ..ptp.codes import OperationCode
from ..transport.contract import Address
from .options import Common, Seconds, Size, command
from .output import Output, human_size, plural
from .signals import wait_for

if TYPE_CHECKING:
    from ..sim import SimulatedCamera

DEFAULT_PORT = 15740


class Operation(click.ParamType):  # type: ignore[type-arg] # generic, but only in newer clicks
    """An operation of the standard by its name."""

    name = "operation"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        if value not in OperationCode.__members__:
            self.fail(f"{value!r} is not the name of an operation", param, ctx)
        return OperationCode[value]


@command(
    "simulate --objects 100 --size 50M",
    "simulate --dir ~/Pictures --port 15741",
    "simulate --link dslr-11n-adhoc --fault 'drop on GetPartialObject after 1048576'",
    "simulate --rate 5M --rtt 0.02 --delay 0.05",
    "simulate --body sony-a7m4 --announce",
    "simulate --replay camera.pcapng",
    "simulate --link help",
    "simulate --fault help",
    far=False,
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"TCP port; 0: any.  [default: {DEFAULT_PORT}, or the vendor's]",
)
@click.option(
    "--announce",
    is_flag=True,
    help="Let programs find the camera by mDNS, SSDP or broadcast, as the real body does.",
)
@click.option(
    "--objects",
    type=click.IntRange(0, 1_000_000),
    default=20,
    metavar="N",
    help="Files on the card.  [default: 20]",
)
@click.option(
    "--size",
    type=Size(),
    default=25_000_000,
    metavar="BYTES",
    help="Bytes of each file.  [default: 25M]",
)
@click.option(
    "--vendor",
    type=click.Choice(vendors.NAMES),
    default="standard",
    show_default=True,
    help="Behave like a camera of this vendor.",
)
@click.option(
    "--body",
    type=click.Choice(sorted(vendors.BODIES)),
    help="Behave like this model.",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Serve the files of this folder; read-only files are protected.",
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Answer as the camera of this trace did.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="TEXT",
    help="A fault; repeatable. 'help' lists the kinds.",
)
@click.option(
    "--link",
    metavar="PROFILE",
    help="Simulate a known link, such as gbe. 'help' lists them.",
)
@click.option("--rate", type=Size(1), metavar="BYTES", help="Bytes per second of the link.")
@click.option("--rtt", type=Seconds(), metavar="S", help="Round trip of the link in seconds.")
@click.option("--delay", type=Seconds(), metavar="S", help="Seconds that each operation takes.")
@click.option(
    "--card-rate",
    type=Size(1),
    metavar="BYTES",
    help="Bytes per second of the card, read before they are sent.",
)
@click.option(
    "--card-block",
    type=Size(1),
    metavar="BYTES",
    help="Read the card in blocks of so many bytes.",
)
@click.option(
    "--packet-size",
    type=Size(1),
    default=65536,
    metavar="BYTES",
    help="Payload of a Data packet.  [default: 65536]",
)
@click.option(
    "--end-data",
    type=click.Choice(("empty", "last", "whole")),
    help="Payload of End Data: nothing, the last piece, or everything.",
)
@click.option(
    "--strict-ids/--any-ids",
    "strict_tid",
    default=None,
    help="Refuse transaction ids that do not rise, or accept them.",
)
@click.option(
    "--needs-probe",
    is_flag=True,
    default=None,
    help="Hang at the first operation without a probe or a pause.",
)
@click.option(
    "--busy",
    "busy_s",
    type=Seconds(),
    metavar="S",
    help="Seconds of DeviceBusy after a picture.",
)
@click.option(
    "--approval",
    type=click.Choice(("unknown", "approved", "rejected")),
    default="approved",
    show_default=True,
    help="Known computers, for models that ask their owner.",
)
@click.option(
    "--approve-after",
    "approve_after_s",
    type=Seconds(),
    metavar="S",
    help="Approve a computer that asks after S seconds.",
)
@click.option(
    "--hold",
    "hold_s",
    type=Seconds(),
    metavar="S",
    help="Seconds that a session must last to keep a new approval.",
)
@click.option(
    "--pause",
    "pause_s",
    type=Seconds(),
    metavar="S",
    help="Refuse connections for S seconds after a session.",
)
@click.option(
    "--locked",
    "locked_s",
    type=Seconds(),
    metavar="S",
    help="Refuse connections for S seconds after a session that was not closed.",
)
@click.option(
    "--temperament",
    type=click.Choice(("queue", "drop", "last", "busy", "swap")),
    default="queue",
    show_default=True,
    help="What happens to pipelined requests.",
)
@click.option(
    "--nagle",
    is_flag=True,
    help="Leave Nagle's algorithm on, as many firmwares do.",
)
@click.option(
    "--writes",
    type=click.Choice(("whole", "apart", "pieces")),
    default="whole",
    show_default=True,
    help="Send answers whole, packet by packet, or in pieces.",
)
@click.option(
    "--without",
    "withheld",
    multiple=True,
    type=Operation(),
    metavar="OPERATION",
    help="An operation to leave out; repeatable.",
)
def simulate(common: Common, faults: tuple[str, ...], replay: Path | None, **options: Any) -> None:
    """Run a simulated camera.

    Listens until Ctrl-C. Options that are not given behave as the model does. Simulated links do
    not lose packets.

    \b
    A fault is KIND[=VALUE] [on OPERATION] [after BYTES | after-total BYTES] [at N] [times N].
    `at 2` waits for the second operation that matches; `times 0` never ends.
    """
    if "help" in faults:
        _list_faults(common.output)
        return
    if options["link"] == "help":
        _list_links(common.output)
        return
    from ..sim import SimulatedCamera
    from .replaying import announce, read_trace, replayed, usual_port

    told = None if replay is None else read_trace(replay)
    if options["port"] is None:
        known = _port_of(options["vendor"], options["body"])
        options["port"] = known if told is None else usual_port(told)
    arguments = _arguments(faults, **options)
    try:
        if told is None:
            camera = SimulatedCamera(**arguments)
        else:
            camera = replayed(common.output, told, arguments)
    except NotADirectoryError as error:
        raise click.BadParameter(str(error), param_hint="'--dir'") from error
    except (OSError, UnicodeError) as error:
        raise click.UsageError(_cannot_listen(error, **options)) from error
    except (ImportError, ValueError) as error:  # of --announce
        raise click.UsageError(str(error)) from error
    with camera:
        try:
            if told is None:
                _announce(common.output, camera)
            else:
                announce(common.output, camera, told)
            wait_for(threading.Event())
        except KeyboardInterrupt:
            common.output.note(f"stopped; {human_size(camera.payload_bytes)} were sent")


def _port_of(vendor: str, body: str | None) -> int:
    """Return the port at which the real cameras listen."""
    return vendors.named(vendors.BODIES[body] if body else vendor).transport.port


def _announce(output: Output, camera: SimulatedCamera) -> None:
    """Say what is on the card; last that it listens, which programs wait for."""
    files = camera.store.files()
    total = sum(stored.size for stored in files)
    output.note(f"{plural(len(files), 'file')}, {human_size(total)}; press Ctrl-C to stop")
    if left_out := camera.store.left_out:
        output.note(
            f"{plural(left_out, 'file')} left out: links, unreadable files, "
            "and names that PTP cannot transfer"
        )
    address = Address(camera.host, camera.port)
    where: dict[str, Any] = {"host": camera.host, "port": camera.port}
    name = camera.body.vendor.name
    if (gate := camera.gate_port) is not None:
        output.note(f"the port opens when the HTTP gate at port {gate} was asked; from Python:")
        output.note(f"{name}(description_port={gate}, access_port={gate}) is its vendor")
        where["gate_port"] = gate
    elif (usual := camera.body.vendor.transport.port) in (DEFAULT_PORT, camera.port):
        output.note(f"download them with: ptpfast pull {address} FOLDER")
    else:
        output.note(f"the command line finds it at port {usual}; from Python: vendor={name!r}")
    if camera.settings.service.announce:
        where["announced"] = camera.announced
        _say_announced(output, camera)
    output.record("listening", **where, objects=len(files), bytes=total)
    output.result(f"listening on {address}")


def _say_announced(output: Output, camera: SimulatedCamera) -> None:
    for each in camera.announced:
        output.note(f"announced by {each}")
    if not camera.announced:
        name = camera.body.vendor.model.name
        output.note(f"nothing is announced: it is not known how a {name} announces itself")


def _list_faults(output: Output) -> None:
    """Every kind with its value, if it takes one, as it is without one given."""
    from ..sim import KINDS, Fault

    for kind, row in KINDS.items():
        output.record("fault", kind=kind, value=row.default, help=row.help)
        output.result(f"{Fault(kind)!s:<20} {row.help}")


def _list_links(output: Output) -> None:
    """Every profile: what it is, its values, where they are from."""
    from ..sim import LINKS

    for name, link in LINKS.items():
        output.record(
            "link",
            name=name,
            about=link.about,
            source=link.source,
            assumed=link.assumed,
            rate=link.rate,
            rtt=link.rtt,
            jitter=link.jitter,
            operation=link.operation,
            card=link.card,
        )
        output.result(f"{name:<20} {link.about}")
        output.result(f"{'':<20}   {link.said()}")
        output.result(f"{'':<20}   after: {link.source}")


def _cannot_listen(error: Exception, *, host: str, port: int, **_: Any) -> str:
    """Why not, and what to try."""
    number = (isinstance(error, OSError) and error.errno) or 0
    # Python repeats the address behind the system's own words.
    told = getattr(error, "strerror", None) or "not a host name"
    reason = os.strerror(number) if number > 0 else told.partition(" (while attempting")[0]
    if number in (errno.EADDRINUSE, errno.EACCES):
        hint = "try another --port"
    else:
        hint = "--host takes a name or an IPv4 address of this computer"
    return f"cannot listen at {Address(host, port)}: {reason}; {hint}"


def _arguments(
    faults: tuple[str, ...],
    *,
    link: str | None,
    packet_size: int,
    **rest: Any,
) -> dict[str, Any]:
    """Return the simulated camera's arguments. UsageError for an unknown fault or link."""
    from ..sim import LINKS, Fault, Link

    names = {
        "rate": "rate",
        "rtt": "rtt",
        "delay": "operation",
        "card_rate": "card",
        "card_block": "card_block",
    }
    own = {field: value for name, field in names.items() if (value := rest.pop(name)) is not None}
    if link is not None and own:
        raise click.UsageError(
            "--link replaces --rate, --rtt, --delay and the card's options; use one or the other"
        )
    if "card_block" in own and "card" not in own:
        raise click.UsageError("--card-block needs a --card-rate")
    if link is not None and link not in LINKS:
        text = f"{link!r} is not one of {', '.join(LINKS)}; --link help explains them"
        raise click.BadParameter(text, param_hint="'--link'")
    try:
        parsed = [Fault.parse(text) for text in faults]
    except ValueError as error:
        text = f"{error}; --fault help lists and explains them"
        raise click.BadParameter(text, param_hint="'--fault'") from error
    return {
        **rest,
        "faults": parsed,
        "link": LINKS[link] if link is not None else Link(**own),
        "data_packet_size": packet_size,
    }
