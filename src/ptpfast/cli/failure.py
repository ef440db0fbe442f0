"""The error of a run, as one line and an exit status; `ptpfast --help` lists the statuses."""

from __future__ import annotations

from dataclasses import dataclass

import click

from .meant import option_meant
from .signals import INTERRUPTED

USAGE, UNREACHABLE, REFUSED, PROTOCOL, DISK, VERIFICATION = 2, 3, 4, 5, 6, 7
SOME_FAILED = 1
OUT_OF_TIME = 8
DEFECT = 70  # EX_SOFTWARE of sysexits.h


class OutputClosed(Exception):
    """Standard output is closed (`ptpfast ls … | head`)."""

    STATUS = 141  # what a shell shows for SIGPIPE


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened, what to try, and the exit status."""

    message: str
    hint: str
    status: int
    defect: bool = False


def explain(error: BaseException) -> Failure:
    """Return the failure that an exception stands for."""
    from ..ptp.errors import LimitReached, PTPError
    from ..ptp.scope import Scope, scope_of

    # From the disk's side it comes as any error of a file.
    if scope_of(error) is Scope.COMPUTER and (limit := LimitReached.of(error)) is not None:
        return Failure(limit.message, limit.hint, DISK)
    if isinstance(error, PTPError):
        return Failure(error.message, error.hint, status_of(error))
    if isinstance(error, click.NoSuchOption) and error.ctx and error.ctx.parent is None:
        text = f"{error.option_name} is no option of ptpfast itself"
        return Failure(text, "options come after the command; see 'ptpfast --help'", USAGE)
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "ptpfast"
        if isinstance(error, click.MissingParameter) and error.param and error.param.name == "dest":
            text = f"the folder to download into is missing: {command} CAMERA FOLDER"
            return Failure(text, f"see '{command} --help'", USAGE)
        text = error.format_message().replace("a valid integer range", "a whole number")
        text, hint = " ".join(text.rstrip(".").split()), f"see '{command} --help'"
        unknown = error.option_name if isinstance(error, click.NoSuchOption) else ""
        if meant := option_meant(unknown, error.ctx):
            text, hint = f"No such option {unknown!r}", f"{meant}; {hint}"
        return Failure(text, hint, USAGE)
    if isinstance(error, click.ClickException):
        return Failure(error.format_message(), "", USAGE)
    if isinstance(error, (KeyboardInterrupt, click.exceptions.Abort)):
        return Failure("interrupted", "", INTERRUPTED)
    if isinstance(error, OutputClosed):
        return Failure("the output was closed by its reader", "", OutputClosed.STATUS)
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        return Failure(f"{what}{error.strerror or error}", "check the disk and the folder", DISK)
    if isinstance(error, ImportError) and (hint := getattr(error, "hint", "")):
        return Failure(getattr(error, "message", str(error)), hint, USAGE)
    if isinstance(error, ModuleNotFoundError) and error.name in ("rich", "platformdirs"):
        return Failure(f"{error.name} is missing", "pip install 'ptpfast[cli]'", USAGE)
    if isinstance(error, ModuleNotFoundError) and error.name in ("zeroconf", "ifaddr"):
        return Failure(f"{error.name} is missing", "pip install 'ptpfast[discovery]'", USAGE)
    return Failure(
        f"a defect in ptpfast: {type(error).__name__}: {error}",
        "please report it, with what --verbose shows",
        DEFECT,
        defect=True,
    )


def status_of(error: BaseException) -> int:
    """Return the exit status of a PTPError, by whose fault it is."""
    from ..ptp import errors

    if isinstance(error, errors.CameraFailing):
        return REFUSED if error.busy else UNREACHABLE
    rows: tuple[tuple[type[BaseException], int], ...] = (
        (errors.NetworkError, UNREACHABLE),
        (errors.InitFailed, REFUSED),
        (errors.ResponseError, REFUSED),
        (errors.ProtocolError, PROTOCOL),
        (errors.LimitReached, DISK),
        (errors.SinkError, DISK),
        (errors.Unreadable, SOME_FAILED),
        (errors.TransferError, VERIFICATION),
        (errors.Cancelled, INTERRUPTED),
    )
    return next((status for kind, status in rows if isinstance(error, kind)), SOME_FAILED)
