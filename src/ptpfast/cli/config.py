"""`ptpfast config`: every value that is set, and where it comes from."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from ..engine.text import in_text
from ..state import config as file
from ..state.config import CAMERA_KEYS, CAMERAS, DEFAULTS, Config, Keys
from .configured import (
    Configured,
    Setting,
    WrongSetting,
    all_commands,
    check_tables,
    judge,
    settings_of,
    variable,
)
from .failure import USAGE, Failure
from .options import Common, command
from .output import Output


@dataclass(frozen=True)
class Value:
    """The value of one option, and where it comes from.

    Attributes:
        source: environment, config or default.
        where: The variable, or file and line.
    """

    command: str
    option: str
    value: Any
    source: str
    where: str = ""
    line: int | None = None
    camera: str = ""


class _Command(click.ParamType):  # type: ignore[type-arg] # generic, but only in newer clicks
    """A command, of which all values are shown."""

    name = "command"

    def convert(self, value: Any, param: Any, ctx: Any) -> Configured:
        if isinstance(value, Configured):
            return value
        known = {" ".join(each.words): each for each in all_commands()}
        if value not in known:
            self.fail(f"{value!r} is not one of {', '.join(known)}", param, ctx)
        return known[value]


@command("config", "config pull", "config --json", far=False, reads_config=False)
@click.argument("shown", type=_Command(), metavar="[COMMAND]", required=False)
def config(common: Common, shown: Configured | None) -> int:
    """Show the settings, and where each value comes from.

    The command line comes first, then the environment (PTPFAST_PULL_VERIFY), config.toml, and the
    default. With COMMAND the defaults of that command are shown, too.
    """
    output = common.output
    found = file.load()
    output.record("config", file=in_text(str(found.file)), exists=found.exists)
    output.result(f"{found.file}{'' if found.exists else ' (there is no such file)'}")
    wrong: list[WrongSetting] = []
    try:
        check_tables(found)
    except WrongSetting as error:
        wrong.append(error)
    _show_cameras(output, found)
    for each in all_commands():
        for value in values(found, each, wrong, defaults=each is shown):
            if shown is None or each is shown:
                _show(output, value)
    wrong += [WrongSetting(f"no option has the variable {name}") for name in unknown_variables()]
    for text in dict.fromkeys(each.message for each in wrong):
        output.fail(Failure(text, "", USAGE))
    return USAGE if wrong else 0


def values(
    found: Config, each: Configured, wrong: list[WrongSetting], *, defaults: bool = False
) -> Iterator[Value]:
    """Yield the values of a command's options that are set, and the defaults if asked for.

    Args:
        found: `config.toml`.
        each: The command.
        wrong: Gets the error of each table and value that cannot be used.
        defaults: Whether to yield the options, too, that are not set.
    """
    plain = {
        **_settings(found, each, (DEFAULTS,), wrong),
        **_settings(found, each, each.words, wrong),
    }
    rows = [_value(each, key, option, plain.get(key)) for key, option in each.options().items()]
    for nickname in found.table(CAMERAS):
        own = _settings(found, each, (CAMERAS, nickname), wrong)
        rows += [_of_setting(each, key, setting) for key, setting in own.items()]
    for row in rows:
        if row.source == "default":
            if defaults:
                yield row
            continue
        try:
            judge(each, row.option, row.value, row.where)
        except WrongSetting as error:
            wrong.append(error)
        else:
            yield row


def _settings(
    found: Config, each: Configured, table: Keys, wrong: list[WrongSetting]
) -> dict[str, Setting]:
    try:
        return dict(settings_of(found, each, table))
    except WrongSetting as error:
        wrong.append(error)
        return {}


def _value(each: Configured, key: str, option: click.Option, setting: Setting | None) -> Value:
    """Return the value of an option without a camera."""
    name, where = " ".join(each.words), variable(each.words, key)
    if os.environ.get(where):
        given = option.value_from_envvar(click.Context(each))
        return Value(name, key, list(given) if option.multiple else given, "environment", where)
    if setting is not None:
        return _of_setting(each, key, setting)
    return Value(name, key, _default(option), "default")


def _of_setting(each: Configured, key: str, setting: Setting) -> Value:
    name = " ".join(each.words)
    return Value(name, key, setting.value, "config", setting.where, setting.line, setting.camera)


def _default(option: click.Option) -> Any:
    """Return the default as it would be typed; None if there is none."""
    default = option.get_default(click.Context(click.Command("")))
    if isinstance(default, tuple | list):
        return list(default) or None
    return default if isinstance(default, str | bool | int | float) else None


def unknown_variables() -> list[str]:
    """Return the variables that begin as those of a command, and are none."""
    commands = list(all_commands())
    known = {variable(each.words, key) for each in commands for key in each.options()}
    begins = tuple("_".join(("PTPFAST", *each.words, "")).upper() for each in commands)
    return sorted(name for name in os.environ if name.startswith(begins) and name not in known)


def _show_cameras(output: Output, found: Config) -> None:
    for nickname, table in found.table(CAMERAS).items():
        given = table if isinstance(table, dict) else {}
        keys = {key: given.get(key) for key in CAMERA_KEYS}
        texts = {key: each if isinstance(each, str) else None for key, each in keys.items()}
        line = found.lines.get((CAMERAS, nickname))
        output.record("camera", nickname=nickname, **texts, line=line)
        told = ", ".join(f"{key} {text}" for key, text in texts.items() if text is not None)
        output.result(f"{nickname}: {told or 'as paired'}  ({found.where(CAMERAS, nickname)})")


def _show(output: Output, value: Value) -> None:
    where = value.where or value.source
    output.record(
        "value",
        command=value.command,
        option=value.option,
        value=value.value,
        source=value.source,
        where=in_text(value.where) or None,
        line=value.line,
        camera=value.camera or None,
    )
    camera = f" {value.camera}" if value.camera else ""
    output.result(f"{value.command}{camera} {_typed(value)}  ({where})")


def _typed(value: Value) -> str:
    """Return an option as it would be typed."""
    if value.value is None:
        return f"--{value.option}: not set"
    if isinstance(value.value, bool):
        return f"--{value.option}: {'on' if value.value else 'off'}"
    each = value.value if isinstance(value.value, list | tuple) else [value.value]
    return " ".join(f"--{value.option} {shlex.quote(str(word))}" for word in each)
