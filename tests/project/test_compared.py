"""docs/compared.md: each command and option that it names is there; its table is the kept one."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from bench.jobs.__main__ import RESULTS, drawn

from ptpfast.cli.main import ptpfast

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "compared.md").read_text(encoding="utf-8")
SPANS = re.findall(r"`([^`\n]+)`", PAGE.partition("## The same jobs")[0])
COMMANDS = [span for span in SPANS if span.startswith("ptpfast ")]
OPTIONS = [span for span in SPANS if span.startswith("--")]


def command_of(words: list[str]) -> click.Command:
    command: click.Command = ptpfast
    context = click.Context(ptpfast)
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    return command


@pytest.mark.parametrize("line", COMMANDS)
def test_command_that_the_page_names_can_be_given_like_that(line: str) -> None:
    words = [word.replace("CAMERA", "192.0.2.1") for word in shlex.split(line)[1:]]
    command = command_of(words)
    command.make_context("ptpfast", words)  # UsageError for what it does not take


@pytest.mark.parametrize("span", OPTIONS)
def test_option_that_the_page_names_is_one_of_a_command(span: str) -> None:
    words = shlex.split(span)
    found = [
        (option, command)
        for name in ptpfast.list_commands(click.Context(ptpfast))
        if (command := ptpfast.get_command(click.Context(ptpfast), name)) is not None
        for option in command.params
        if words[0] in (*option.opts, *option.secondary_opts)
    ]
    assert found, span
    if len(words) > 1:
        option, command = found[0]
        option.type.convert(words[1], option, click.Context(command))


def test_the_table_of_jobs_is_drawn_from_the_kept_results() -> None:

    assert drawn(PAGE, json.loads(RESULTS.read_text(encoding="utf-8"))) == PAGE
