"""`ptpfast demo`: a simulated camera, a pull from it, every byte compared; nothing is left."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import Common, command
from .output import Output, human_size, plural

if TYPE_CHECKING:
    from ..library.report.report import Report
    from ..sim import SimulatedCamera

PAIRS = 12
RAW_SIZE = 25_000_000
JPEG_SIZE = 7_500_000


@command("demo", "demo --pairs 3", far=False)
@click.option(
    "--pairs",
    type=click.IntRange(1, PAIRS),
    default=PAIRS,
    show_default=True,
    help="Pairs of a RAW file and a JPEG to download.",
)
def demo(common: Common, pairs: int) -> None:
    """Download from a simulated camera and verify every byte.

    The files go into a temporary folder that is removed at the end. TMPDIR chooses another place.
    """
    from ..sim import SimulatedCamera, Store

    output = common.output
    store = Store.synthetic(2 * pairs, RAW_SIZE, jpeg_size=JPEG_SIZE)
    with (
        tempfile.TemporaryDirectory(prefix="ptpfast-demo-") as folder,
        SimulatedCamera(store=store) as camera,
    ):
        output.note(f"a simulated camera listens at {camera.host}:{camera.port}")
        _run(output, camera, Path(folder))


def _run(output: Output, camera: SimulatedCamera, folder: Path) -> None:
    from ..library.pull import pull
    from ..session.connecting import connect
    from .progress import display

    with connect(camera.host, port=camera.port, index=False) as session:
        device = session.device_info
        output.note(f"connected to {device.manufacturer} {device.model}")
        with display(output) as shown:
            cpu = time.thread_time()
            report = pull(session, folder, observer=shown, history=False)
            cpu = time.thread_time() - cpu
    _compare(camera, report)
    output.note(
        f"{plural(report.downloaded, 'file')} compared with the source, byte by byte: equal"
    )
    _show(output, report, cpu)


def _compare(camera: SimulatedCamera, report: Report) -> None:
    """TransferError for a file that is not the object."""
    from ..ptp.errors import TransferError
    from ..sim import first_difference

    arrived = {result.handle: result.path for result in report.having("downloaded")}
    for stored in camera.store.files():
        path = arrived.get(stored.handle)
        if path is None:
            raise TransferError(f"{stored.name} did not arrive")
        where = first_difference(camera.store.expected(stored.handle), path)
        if where is not None or path.stat().st_size != stored.size:
            raise TransferError(f"{stored.name} differs at byte {where}")


def _show(output: Output, report: Report, cpu: float) -> None:
    cpu_per_gb = cpu / report.bytes * 1e9
    output.record(
        "demo",
        files=report.downloaded,
        bytes=report.bytes,
        seconds=round(report.seconds, 6),
        mb_per_s=round(report.mb_per_s, 3),
        cpu_s=round(cpu, 6),
        cpu_s_per_gb=round(cpu_per_gb, 6),
        verified=True,
    )
    output.row("Files", str(report.downloaded))
    output.row("Bytes", f"{report.bytes:,} ({human_size(report.bytes)})")
    output.row("Seconds", f"{report.seconds:.2f} (every file flushed to the disk)")
    output.row("Rate", f"{report.mb_per_s:,.0f} MB/s")
    output.row("CPU", f"{cpu:.2f} s, {cpu_per_gb:.2f} s per GB (of the receiving side)")
    output.row("Verified", "every byte equals the source")
