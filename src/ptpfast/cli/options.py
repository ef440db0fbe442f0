"""The values and the common options of commands. A wrong value is a usage error."""

from __future__ import annotations

import functools
import logging
import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from ..engine.text import printable
from ..library.plan.moments import Edge, moment
from ..link.limiting import RateLimit
from ..ptp.sizes import duration_of, size_of
from ..session.address import parse_address
from .configured import Configured
from .output import Output
from .tracing import TRACE_OPTIONS, Wish, tracing

LEAST_CHUNK = 1024
# The fields of `Timeouts`, which help is not to load.
WAITS = ("connect", "operation", "first_byte", "idle", "total", "close", "held", "approval")
HELP_WIDTH = 100
_WORDS = re.compile("[a-z]+")
CLOSE_S = 0.5  # for the end of a session, with --timeout: it is not to last much longer than asked


class _Kind(click.ParamType):  # type: ignore[type-arg] # generic, but only in newer clicks
    def fail(self, message: str, param: Any = None, ctx: Any = None) -> NoReturn:
        """Raise BadParameter; an argument is called CAMERA, not '[CAMERA]...'."""
        if isinstance(param, click.Argument):
            hint = param.make_metavar(ctx).strip("[].")
            raise click.BadParameter(message, ctx, param, hint)
        super().fail(message, param, ctx)


class Address(_Kind):
    """`HOST[:PORT]` as (host, port)."""

    name = "host[:port]"
    is_camera = True  # for `Configured`

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        """Complete nicknames; behind other words, or for another beginning, the folder."""
        from ..state import config, identity

        names = [*config.cameras().table(config.CAMERAS)]
        names += [each.nickname for each in identity.load().cameras if each.nickname]
        begins = incomplete.lower()
        found = [each for each in dict.fromkeys(names) if each.lower().startswith(begins)]
        is_behind = ctx.params.get(param.name) or ctx.params.get("dest")
        if param.nargs == -1 and (not found or (is_behind and not incomplete)):
            return [CompletionItem(incomplete, type="dir")]
        return [CompletionItem(each, help="camera") for each in found]

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, int]:
        try:
            return parse_address(value)
        except ValueError as error:
            text = str(error)
            if "is a folder" in text and ctx is not None and param.nargs == -1:
                text += "; put a path with spaces in quotes"
            self.fail(text, param, ctx)


class Size(_Kind):
    """Bytes: `65536`, `512K`, `25M`, `1.5GiB`; K, M, G are powers of 1000, KiB… of 1024."""

    name = "bytes"

    def __init__(self, least: int = 0) -> None:
        self.least = least

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        try:
            size = size_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if size < self.least:
            self.fail(f"{value!r} is out of range", param, ctx)
        return size


class Chunk(Size):
    """Bytes of a read; `1`, meant as a megabyte, would be a request for each byte."""

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        size = super().convert(value, param, ctx)
        if 0 < size < LEAST_CHUNK:
            self.fail(f"{value!r} is too little for a read; write 1M, or 0 for whole files")
        return size


class Seconds(_Kind):
    """A time greater than 0, in seconds."""

    name = "seconds"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= 86_400:
            self.fail(f"{value!r} is not a number of seconds above 0", param, ctx)
        return seconds


class Duration(_Kind):
    """A duration in seconds: `90`, `45m`, `2h`, `1h30m`."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        if isinstance(value, float):
            return value
        try:
            return duration_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Rate(_Kind):
    """A limit of bytes per second, with times."""

    name = "rate"

    def convert(self, value: Any, param: Any, ctx: Any) -> RateLimit | None:
        try:
            return RateLimit.of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Wait(_Kind):
    """`SECONDS` for every wait, or `WHAT=SECONDS`: (what, seconds), '' for every one."""

    name = "[what=]seconds"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        what, named, seconds = value.rpartition("=")
        name, colon, rest = value.partition(":")
        if colon and name in WAITS:
            self.fail(f"{value!r} is not NAME=SECONDS; write {name}={rest}", param, ctx)
        what = what.replace("-", "_")
        if named and what not in WAITS:
            self.fail(f"{what!r} is not one of {', '.join(WAITS)}", param, ctx)
        return what, Seconds().convert(seconds, param, ctx)


class Moment(_Kind):
    """A date as `library.plan.moments` reads it, by the camera's clock."""

    name = "date"

    def __init__(self, edge: Edge) -> None:
        self.edge = edge

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        try:
            return moment(self.edge, value)
        except ValueError as error:
            self.fail(str(error).removeprefix(f"{self.edge}: "), param, ctx)


class Words(_Kind):
    """Words of a list, with commas between them."""

    name = "list"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        self.name = ",".join(allowed)

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = tuple(word.strip().lower() for word in value.split(","))
        for word in words:
            if word not in self.allowed:
                text = f"{word!r} is not one of {', '.join(self.allowed)}"
                if word.isalnum():
                    text += f"; to select by extension: --include '*.{word}'"
                elif all(each in self.allowed for each in _WORDS.findall(word)):
                    text += f"; write commas between them: {','.join(_WORDS.findall(word))}"
                self.fail(text, param, ctx)
        return words


@dataclass(frozen=True)
class Common:
    """What every command is given."""

    output: Output
    waits: tuple[tuple[str, float], ...] = ()
    trace: Any = None  # open, or None

    @property
    def timeouts(self) -> Any:
        """`Timeouts` as asked for: `--timeout` for connecting and for every wait, or for some."""
        from ..transport.timeouts import Timeouts

        named = dict(self.waits)
        if (seconds := named.pop("", None)) is not None:
            each = dict.fromkeys(("connect", "operation", "idle", "held", "approval"), seconds)
            named = {**each, "close": min(seconds, CLOSE_S), **named}
        return Timeouts(**named)

    @property
    def brief_timeouts(self) -> Any:
        """The same for a question: a busy camera is waited for only as long as some need between
        two sessions, if `--timeout held` does not ask for more."""
        from ..transport import timeouts as of_transport

        timeouts = self.timeouts
        if "held" in dict(self.waits):
            return timeouts
        return replace(timeouts, held=min(timeouts.held, of_transport.BETWEEN_SESSIONS_S))


def command(
    *examples: str, far: bool = True, name: str = "", reads_config: bool = True
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Make a command of a function, with the common options and examples in its help.

    Args:
        examples: command lines without `ptpfast`.
        far: whether the camera is real; without, the command has no `--timeout` and `--trace`.
        name: of the command, its last word that of an action; by default that of the function.
        reads_config: whether `config.toml` has options for it.

    Notes:
        The function gets `common` first, and returns an exit status or None for 0.
    """
    epilog = "\b\nExamples:\n" + "\n".join(f"  ptpfast {line}" for line in examples)

    def decorate(function: Callable[..., int | None]) -> click.Command:
        full = name or function.__name__

        @click.pass_context
        @functools.wraps(function)
        def run(
            context: click.Context,
            /,
            *,
            json: bool,
            quiet: bool,
            verbose: bool,
            plain: bool,
            notify: bool = False,
            timeout: tuple[tuple[str, float], ...] = (),
            trace: Any = None,
            trace_payload: bool = False,
            trace_names: bool = False,
            **options: Any,
        ) -> int:
            output = Output(full, json=json, quiet=quiet, verbose=verbose, plain=plain)
            context.obj.output = output
            output.header()
            wish = Wish(trace, trace_payload, trace_names)
            with (
                _notifying(output, asked=notify),
                _logging(verbose),
                tracing(output, wish) as opened,
            ):
                return function(Common(output, timeout, opened), **options) or 0

        for option in (*TRACE_OPTIONS, _TIMEOUT, _NOTIFY, *_COMMON) if far else _COMMON:
            run = option(run)
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": HELP_WIDTH}
        last = full.split()[-1]
        made = click.command(last, cls=Configured, epilog=epilog, context_settings=settings)(run)
        made.name_variables(full, reads_config=reads_config)
        return made

    return decorate


_TIMEOUT = click.option(
    "--timeout",
    type=Wait(),
    multiple=True,
    metavar="[NAME=]SECONDS",
    help="Set all timeouts except total, or the named one; repeatable.",
)
_NOTIFY = click.option(
    "--notify", is_flag=True, help="Notify on the desktop, or by the bell, at the end."
)
_COMMON = (
    click.option("--plain", is_flag=True, help="Write sentences, and redraw no line."),
    click.option("--verbose", is_flag=True, help="Show protocol details."),
    click.option("--quiet", is_flag=True, help="Show errors only."),
    click.option("--json", is_flag=True, help="Write JSON Lines to standard output."),
)

# Without it the only camera that is found: `only_camera`.
host_argument = click.argument("host", type=Address(), metavar="[CAMERA]", required=False)
chunk_option = click.option(
    "--chunk",
    type=Chunk(),
    metavar="BYTES",
    help="Bytes of each read, such as 1M; 0: whole files.",
)
depth_option = click.option(
    "--depth",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Requests to send before an answer must come.  [default: tuned, else 1]",
)

bwlimit_option = click.option(
    "--bwlimit",
    type=Rate(),
    metavar="RATE",
    help="Limit the bytes per second of all cameras together: 2M, or '08:00,2M 18:00,off'.",
)
duration_option = click.option(
    "--max-duration",
    type=Duration(),
    metavar="TIME",
    help="Stop after this time, such as 45m or 2h; the same command resumes.",
)
index_option = click.option(
    "--index/--no-index",
    default=True,
    show_default=True,
    help="Use the index of this camera, or delete it.",
)


@contextmanager
def _notifying(output: Output, *, asked: bool) -> Iterator[None]:
    """Notify the user at the end of the command, by its last sentence or its error."""
    if not asked:
        yield
        return
    from .failure import OutputClosed, explain
    from .notification import notify

    def tell(text: str) -> None:
        output.record("notified", text=text, by=notify(text))

    try:
        yield
    except BaseException as error:
        with suppress(OutputClosed):
            tell(explain(error).message)
        raise
    tell(output.last_sentence or f"ptpfast {output.command} has ended")


@contextmanager
def _logging(verbose: bool) -> Iterator[None]:
    """Write the package's log to standard error with `--verbose`."""
    log = logging.getLogger("ptpfast")
    handler: logging.Handler = logging.NullHandler()
    level = log.level
    if verbose and sys.stderr is not None:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_OneLine("ptpfast %(levelname)s %(threadName)s: %(message)s"))
        log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


class _OneLine(logging.Formatter):
    """What a camera says ends up in the log too."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))
