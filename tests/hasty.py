"""Commands that wait no longer than a test may."""

from __future__ import annotations

from click.testing import CliRunner, Result

from ptpfast.cli.main import ptpfast as command
from ptpfast.sim import SimulatedCamera


def run(sim: SimulatedCamera, name: str, *arguments: object) -> Result:
    """A command with this camera, in this process."""
    words = [name, f"{sim.host}:{sim.port}", *arguments, "--timeout", "1.5"]
    result = CliRunner().invoke(command, [*map(str, words), "--timeout", "connect=5"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
