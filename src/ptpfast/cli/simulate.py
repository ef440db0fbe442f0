"""`ptpfast simulate`: a camera on this machine, until it is switched off with Ctrl-C."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import click

from ..vendors import VENDORS
from .options import Common, Seconds, Size, command
from .output import human_size, plural

DEFAULT_PORT = 15740


@command(
    "simulate --objects 100 --size 50M",
    "simulate --dir ~/Pictures --port 15741",
    "simulate --link wifi-n --fault 'drop on GetPartialObject after 1048576'",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any."
)
@click.option("--objects", type=click.IntRange(0, 1_000_000), default=20, show_default=True)
@click.option(
    "--size", type=Size(), default=25_000_000, metavar="BYTES", help="Of each; default 25M."
)
@click.option("--vendor", type=click.Choice(tuple(VENDORS)), default="standard", show_default=True)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Serve the files of this folder; it is only read.",
)
@click.option(
    "--fault", "faults", multiple=True, metavar="TEXT", help="What goes wrong; repeatable."
)
@click.option("--link", metavar="PROFILE", help="Imitate a link, such as wifi-ac or wifi-n.")
@click.option("--rate", type=Size(1), metavar="BYTES", help="Send at most so many bytes a second.")
@click.option("--delay", type=Seconds(), metavar="S", help="Wait so long before each operation.")
@click.option(
    "--packet-size", type=Size(1), default=65536, metavar="BYTES", help="Payload of a packet."
)
@click.option(
    "--temperament",
    type=click.Choice(("queue", "drop", "last", "busy", "swap")),
    default="queue",
    show_default=True,
    help="What becomes of requests sent before the last is answered.",
)
def simulate(common: Common, faults: tuple[str, ...], **options: Any) -> None:
    """Be a camera on this machine.

    It listens until Ctrl-C. Faults are lines such as 'respond=0x2019 on GetObjectInfo times 3';
    a wrong one lists the kinds there are.
    """
    from ..sim import SimulatedCamera

    try:
        camera = SimulatedCamera(**_arguments(faults, **options))
    except OSError as error:
        where = f"{options['host']}:{options['port']}"
        raise click.UsageError(
            f"cannot listen at {where}: {error.strerror or error}; another --port may do"
        ) from error
    with camera:
        files = camera.store.files()
        total = sum(stored.size for stored in files)
        common.output.record(
            "listening", host=camera.host, port=camera.port, objects=len(files), bytes=total
        )
        common.output.result(f"listening on {camera.host}:{camera.port}")
        common.output.note(f"{plural(len(files), 'object')}, {human_size(total)}; Ctrl-C ends it")
        common.output.note(f"fetch them with: ptpfast pull {camera.host}:{camera.port} FOLDER")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            common.output.note(f"switched off; {human_size(camera.payload_bytes)} were sent")


def _arguments(
    faults: tuple[str, ...],
    *,
    link: str | None,
    rate: int | None,
    delay: float | None,
    packet_size: int,
    **rest: Any,
) -> dict[str, Any]:
    """The simulated camera's own arguments. UsageError for a fault or a link there is not."""
    from ..sim import LINKS, Fault

    if link is not None and (rate is not None or delay is not None):
        raise click.UsageError("--link is instead of --rate and --delay")
    if link is not None and link not in LINKS:
        raise click.BadParameter(f"one of {', '.join(LINKS)}", param_hint="'--link'")
    try:
        parsed = [Fault.parse(text) for text in faults]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--fault'") from error
    return {
        **rest,
        "faults": parsed,
        "link": link,
        "bytes_per_s": rate,
        "delay_s": delay or 0.0,
        "data_packet_size": packet_size,
    }
