"""`ptpfast`: finds the command, runs it, and ends the process with a status that means something.

Commands are imported when they are run, so that `ptpfast --help` answers at once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from .._version import __version__
from .failure import USAGE, OutputClosed, explain
from .narrow import Context, width
from .output import Output
from .signals import orderly_end

COMMANDS = {
    "discover": "Find the cameras in the networks of this computer.",
    "pair": "Pair this computer with a camera, and remember the camera.",
    "doctor": "Find out why a camera cannot be used, or is slow.",
    "info": "Show model, memory cards, battery and supported operations.",
    "ls": "List the files on the camera.",
    "pull": "Download the files that are not in the folder yet.",
    "pick": "Choose pictures on a page in the browser, and download them.",
    "watch": "Download each new shot as it happens, until it is stopped.",
    "capture": "Take a picture.",
    "live": "Show what the camera sees, until Ctrl-C.",
    "get": "Show all properties of the camera, or only some.",
    "set": "Change properties of the camera, in the order given.",
    "bench": "Measure the camera, the link and the disk; find the bottleneck.",
    "tune": "Find the fastest settings for this camera and remember them.",
    "history": "Show, search and edit the history of downloads.",
    "config": "Show the settings, and where each value comes from.",
    "completion": "Print the completion script of a shell.",
    "simulate": "Run a simulated camera.",
    "demo": "Download from a simulated camera and verify every byte.",
}

# Words for commands in other tools.
ELSEWHERE = {
    "list": "ls",
    "dir": "ls",
    "download": "pull",
    "copy": "pull",
    "fetch": "pull",
    "import": "pull",
    "sync": "pull",
    "choose": "pick",
    "browse": "pick",
    "gallery": "pick",
    "tether": "watch",
    "follow": "watch",
    "status": "info",
    "test": "bench",
    "benchmark": "bench",
    "register": "pair",
    "diagnose": "doctor",
    "check": "doctor",
    "settings": "config",
    "version": "--version",
}

EPILOG = """\b
Exit status:
  0    success
  1    some files failed; they are listed
  2    the command line is wrong
  3    the camera cannot be reached, or the connection was lost
  4    the camera refused, or has no memory card
  5    the camera broke the protocol
  6    this computer: the disk is full or not writable, or too many open files or threads
  7    a file arrived damaged, or a file has changed since its download
  8    the time of --max-duration was over; the same command resumes
  70   a defect in ptpfast; --verbose shows where
  130  interrupted; complete and partial files are kept
  141  the output was closed
"""


# Lines of at most 40 columns, the narrowest terminal.
FIRST_STEPS = """\
ptpfast downloads files from a camera
over Wi-Fi.

Switch on Wi-Fi at the camera, and join
its network with this computer. Then:
  ptpfast discover     find the camera
  ptpfast ls           list its files
  ptpfast pull FOLDER  download them

If that fails:
  ptpfast doctor       find out why
Without a camera:
  ptpfast demo         try it
All commands:
  ptpfast --help
"""


class Commands(click.Group):
    """The group; `main` is where every run ends."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__package__}.{cmd_name}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word == "help" and ctx.resilient_parsing:  # a shell asks what may follow
            return None, None, args[1:]
        if word not in COMMANDS and not word.startswith("-"):
            raise click.UsageError(f"there is no command {word!r}{_meant(args)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, without importing any."""
        named = [
            CompletionItem(name, help=text)
            for name, text in [*COMMANDS.items(), ("help", "Show the help of a command.")]
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(  # type: ignore[override] # one of click's own two forms
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        arguments = list(sys.argv[1:] if args is None else args)
        if arguments[:1] == ["help"]:
            arguments = [*arguments[1:], "--help"]
        extra["standalone_mode"] = False
        extra["terminal_width"] = width()
        extra["obj"] = state = State(arguments)
        _lenient_streams()
        with orderly_end():
            try:
                result = super().main(arguments, "ptpfast", **extra)
                status = result if isinstance(result, int) else 0
                _flush()
            except BaseException as error:  # noqa: BLE001 # here every run ends
                status = state.end(error)
        sys.exit(status)


def _meant(words: list[str]) -> str:
    """Return what may have been meant by a first word that is no command."""
    word = words[0]
    if len(words) > 1 and words[1] in COMMANDS:
        right = " ".join((words[1], word, *words[2:]))
        return f" (the command comes first: 'ptpfast {right}')"
    if word[:1].isdigit() or "." in word or ":" in word:
        return f" (for a camera's address: 'ptpfast info {word}')"
    from difflib import get_close_matches

    near = next(iter(get_close_matches(word.lower(), [*COMMANDS, *ELSEWHERE], 1)), "")
    near = ELSEWHERE.get(near, near)
    return f" (did you mean '{near}'?)" if near else ""


class State:
    """What the group knows of the run: its arguments and, once a command has begun, its output."""

    def __init__(self, arguments: list[str]) -> None:
        self.output: Output | None = None
        self._arguments = arguments

    def end(self, error: BaseException) -> int:
        """Report what ended the run, and return the exit status."""
        if isinstance(error, click.exceptions.Exit):
            return error.exit_code
        if isinstance(error, SystemExit):
            return error.code if isinstance(error.code, int) else 1
        failure = explain(error)
        try:
            output = self.output or self._output_for_usage()
            output.fail(failure, error)
        except OutputClosed:
            return OutputClosed.STATUS
        except OSError:  # there is nowhere left to say it
            pass
        return failure.status

    def _output_for_usage(self) -> Output:
        """For what is wrong with the command line itself, before any command ran."""
        words = self._arguments[: self._arguments.index("--")] if "--" in self._arguments else None
        given = self._arguments if words is None else words
        name = next((word for word in given if word in COMMANDS), "")
        verbose = "--verbose" in given
        output = Output(name, json="--json" in given, verbose=verbose)
        output.header()
        return output


def _lenient_streams() -> None:
    """Escape characters that the encoding of the terminal lacks."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _flush() -> None:
    """Flush what click has printed; OutputClosed if the output is closed."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None


@click.group(
    cls=Commands,
    epilog=EPILOG,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="ptpfast %(version)s")
@click.pass_context
def ptpfast(context: click.Context) -> None:
    """Download large files from a camera over Wi-Fi.

    \b
    Examples:
      ptpfast demo
      ptpfast ls 192.168.1.1
      ptpfast pull 192.168.1.1 ~/Pictures/today --format raw
      ptpfast help pull
    """
    if context.invoked_subcommand is None:
        click.echo(FIRST_STEPS, err=True, nl=False)
        context.exit(USAGE)
