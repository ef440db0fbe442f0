"""Draws the manual pages in man/ from the commands.

python tests/draw_man.py
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from ptpfast import __version__
from ptpfast.cli.main import COMMANDS, EPILOG, ptpfast

FOLDER = Path(__file__).parents[1] / "man"
FILES = (
    ("config.toml", "The settings: cameras and options. ptpfast config shows where the file is."),
    ("identity.json, cameras.json", "Paired cameras, and tuned settings, in the same folder."),
    ("catalog.sqlite", "The history of downloads, in the data folder."),
)


def pages() -> dict[str, str]:
    """Return the pages by the names of their files."""
    context = click.Context(ptpfast, info_name="ptpfast")
    found = {"ptpfast.1": "\n".join(_page(ptpfast, context, ["ptpfast"]))}
    for name in COMMANDS:
        command = ptpfast.get_command(context, name)
        assert command is not None
        found |= _pages(command, context, ["ptpfast", name])
    return {name: f"{text}\n" for name, text in found.items()}


def _pages(command: click.Command, parent: click.Context, words: list[str]) -> dict[str, str]:
    context = click.Context(command, info_name=words[-1], parent=parent)
    found = {f"{'-'.join(words)}.1": "\n".join(_page(command, context, words))}
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            found |= _pages(each, context, [*words, name])
    return found


def _page(command: click.Command, context: click.Context, words: list[str]) -> Iterator[str]:
    title = "-".join(words)
    about, *rest = (command.help or "").partition("\f")[0].strip().split("\n\n")
    yield f'.TH {title.upper()} 1 "" "ptpfast {__version__}" "ptpfast"'
    yield ".SH NAME"
    yield f"{_escaped(title)} \\- {_escaped(' '.join(about.split()).rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B {_escaped(' '.join(words))}"
    yield _escaped(" ".join(command.collect_usage_pieces(context)))
    if texts := [text for text in rest if not text.startswith("\b")]:
        yield ".SH DESCRIPTION"
        for text in texts:
            yield ".PP"
            yield _escaped(" ".join(text.split()))
    if isinstance(command, click.Group):
        yield ".SH COMMANDS"
        names = COMMANDS if command is ptpfast else command.commands
        for name in names:
            each = command.get_command(context, name)
            assert each is not None
            yield from _term(name, each.get_short_help_str(200))
    yield ".SH OPTIONS"
    for option in command.get_params(context):
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record is not None:
            # click keeps the names of its own option from whoever has asked for them first.
            term = "-h, --help" if "--help" in option.opts else record[0]
            yield from _term(term, record[1])
    examples = [text for text in (*rest, command.epilog or "") if "Examples:" in text]
    for text in examples:
        yield from _verbatim("EXAMPLES", text.partition("Examples:")[2])
    if command is ptpfast:
        yield from _verbatim("EXIT STATUS", EPILOG.partition("Exit status:")[2])
        yield ".SH FILES"
        for name, text in FILES:
            yield from _term(name, text)
    yield ".SH SEE ALSO"
    pages = (f"ptpfast-{name}" for name in COMMANDS) if command is ptpfast else ("ptpfast",)
    yield ",\n".join(f".BR {_escaped(page)} (1)" for page in pages).replace("(1),", '"(1),"')


def _term(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield f".B {_escaped(term)}"
    yield _escaped(text)


def _verbatim(title: str, text: str) -> Iterator[str]:
    yield f".SH {title}"
    yield ".nf"
    yield from map(_escaped, textwrap.dedent(text.strip("\n")).splitlines())
    yield ".fi"


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    drawn = pages()
    for old in FOLDER.glob("*.1"):
        if old.name not in drawn:
            old.unlink()
    for name, text in drawn.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
