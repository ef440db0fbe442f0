"""Options that come from the environment and from `config.toml`, judged as if they were typed.

The command line comes first, then the environment, `config.toml`, and the default. In `config.toml`
the table of the camera comes before that of the command, and that before `[defaults]`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from difflib import get_close_matches
from typing import Any

import click
from click.core import ParameterSource

from ..engine.text import printable
from ..library.remote.place import is_url
from ..state.config import CAMERA_KEYS, CAMERAS, DEFAULTS, Config, Keys, load
from ..state.identity import NICKNAME, find
from ..vendors import NAMES
from .meant import extra_words
from .narrow import Context


class WrongSetting(click.ClickException):
    """A key or value in `config.toml` that cannot be used."""


@dataclass(frozen=True)
class Setting:
    """A value of an option in `config.toml`: as if typed, and where it is."""

    value: Any
    where: str
    line: int | None = None
    camera: str = ""


class Configured(click.Command):
    """A command with options from the environment and from `config.toml`.

    Attributes:
        words: The words of the command, `("history", "list")`.
        reads_config: Whether `config.toml` has options for it.
    """

    context_class = Context
    words: Keys = ()
    reads_config: bool = True

    def name_variables(self, words: str, *, reads_config: bool) -> None:
        """Give each option its environment variable, such as PTPFAST_PULL_ON_CONFLICT."""
        self.words, self.reads_config = tuple(words.split()), reads_config
        for key, option in self.options().items():
            option.envvar = variable(self.words, key)

    def options(self) -> dict[str, click.Option]:
        """Return the options by the keys they have in `config.toml`."""
        return {
            next(word for word in option.opts if word.startswith("--"))[2:]: option
            for option in self.params
            if isinstance(option, click.Option)
        }

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True  # they are refused here, with advice
        try:
            if self.reads_config and not ctx.resilient_parsing:
                args = self._configure(ctx, list(args))
            extra = super().parse_args(ctx, args)
            if extra and not ctx.resilient_parsing:
                raise click.UsageError(extra_words(extra, ctx), ctx)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # click leaves it out for an option without its value
            raise self._with_origins(ctx, error) from error
        return extra

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:  # of options that do not go together
            raise self._with_origins(ctx, error) from error

    def _configure(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the defaults of this command line from `config.toml`; return its words. UsageError,
        OSError."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        asks_help = self.get_help_option(ctx)
        if asks_help is not None and given.get(str(asks_help.name)) is True:
            return args
        config = load()
        if not config.tables:
            return args
        check_tables(config, self.words[:1])
        named = [word.partition(":")[0] for word in self._words(given)]
        if (folder := self._destination(config, named)) is not None:
            args = [*args, folder]
        elif any(each.name == "dest" for each in self.params):
            named = named[:-1]  # the last word is the folder
        settings = merged(config, self, [name for name in named if config.camera(name)])
        options = self.options()
        ctx.default_map = {str(options[key].name): each.value for key, each in settings.items()}
        ctx.meta["settings"] = settings
        return args

    def _words(self, given: Mapping[str, Any]) -> list[str]:
        """Return the words for cameras and folder."""
        words: list[str] = []
        for each in self.params:
            is_word = getattr(each.type, "is_camera", False) or each.name == "dest"
            if isinstance(each, click.Argument) and is_word:
                value = given.get(str(each.name))
                many: Iterable[Any] = value if isinstance(value, tuple) else (value,)
                words += [word for word in many if isinstance(word, str)]
        return words

    def _destination(self, config: Config, words: list[str]) -> str | None:
        """Return the folder for a command line that only names cameras; None for another one."""
        if not words or all(each.name != "dest" for each in self.params):
            return None
        cameras = [config.camera(word) for word in words]
        found = [folder for each in cameras if each and (folder := destination(config, each[0]))]
        if len(found) < len(words):
            return None
        if len(set(found)) > 1:
            raise WrongSetting(
                f"{' and '.join(words)} have different destinations in {config.file}: "
                "add the folder"
            )
        return found[0]

    def _with_origins(self, ctx: click.Context, error: click.UsageError) -> click.UsageError:
        """Return an error that also says where the options in it come from, if not typed."""
        text = error.format_message().rstrip(".")
        origins = []
        for key, option in self.options().items():
            is_in = re.search(rf"(?<![\w-]){re.escape('--' + key)}(?![\w-])", text)
            if is_in and (where := self.origin(ctx, key, option)):
                origins.append(f"--{key} is set by {where}")
        if not origins:
            return error
        return click.UsageError(f"{text} ({'; '.join(origins)})", error.ctx or ctx)

    def origin(self, ctx: click.Context, key: str, option: click.Option) -> str:
        """Return the variable or the line that an option comes from; '' if it is neither."""
        source = ctx.get_parameter_source(str(option.name))
        if source is ParameterSource.ENVIRONMENT:
            return str(option.envvar)
        setting = ctx.meta.get("settings", {}).get(key)
        return setting.where if setting and source is ParameterSource.DEFAULT_MAP else ""


def variable(words: Keys, key: str) -> str:
    """Return the environment variable of an option."""
    return "_".join(("PTPFAST", *words, key)).upper().replace("-", "_")


def check_tables(config: Config, used: Keys | None = None) -> None:
    """WrongSetting for a key that is no table's name, and what is no table. used: the commands to
    look at; all by default."""
    from .main import COMMANDS

    for name, table in config.tables.items():
        if name not in (CAMERAS, DEFAULTS, *COMMANDS):
            known = [CAMERAS, DEFAULTS, *COMMANDS]
            raise WrongSetting(_unknown(config, (name,), known, "tables"))
        if not isinstance(table, dict):
            raise WrongSetting(f"{name!r} is not a table ({config.where(name)}): write [{name}]")
    for nickname, table in config.table(CAMERAS).items():
        _check_camera(config, nickname, table)


def _check_camera(config: Config, nickname: str, table: Any) -> None:
    where = config.where(CAMERAS, nickname)
    if not NICKNAME.fullmatch(nickname):
        text = "a letter, then up to 39 letters, digits, - and _"
        raise WrongSetting(f"{printable(nickname)!r} is not a nickname ({where}): write {text}")
    if not isinstance(table, dict):
        raise WrongSetting(f"{nickname!r} is not a table ({where}): write [{CAMERAS}.{nickname}]")
    for key in CAMERA_KEYS:
        if key in table and not isinstance(table[key], str):
            raise WrongSetting(f"{key} of {nickname} is not a text in quotes ({where})")
    if (vendor := table.get("vendor")) not in (None, *NAMES):
        where = config.where(CAMERAS, nickname, "vendor")
        raise WrongSetting(f"{vendor!r} is not one of {', '.join(NAMES)} (vendor in {where})")
    if "address" in table:
        _check_address(table["address"], config.where(CAMERAS, nickname, "address"))
    elif near := get_close_matches("address", table, 1):
        where = config.where(CAMERAS, nickname, near[0])
        raise WrongSetting(f"unknown key {printable(near[0])!r} ({where}); did you mean 'address'?")
    elif find(nickname) is None:
        raise WrongSetting(
            f"{nickname} has no address ({where}): add one, or run 'ptpfast pair' with this name"
        )
    destination(config, nickname)


def _check_address(written: str, where: str) -> None:
    from ..session.address import parse_address

    try:
        parse_address(written)
    except ValueError as error:
        raise WrongSetting(f"{error} (address in {where})") from error


def destination(config: Config, nickname: str) -> str | None:
    """Return the folder or URL of a camera; None without one. WrongSetting."""
    written = config.table(CAMERAS, nickname).get("destination")
    if not isinstance(written, str):
        return None
    folder: str = os.path.expanduser(written)
    if not is_url(folder) and not os.path.isabs(folder):
        where = config.where(CAMERAS, nickname, "destination")
        raise WrongSetting(
            f"{written!r} is not a full path (destination in {where}): "
            "begin it with / or ~/, or write a URL"
        )
    return folder


def merged(config: Config, command: Configured, cameras: Iterable[str]) -> dict[str, Setting]:
    """Return the settings of a command for cameras. WrongSetting, also for cameras that differ."""
    found = dict(settings_of(config, command, (DEFAULTS,)))
    found |= dict(settings_of(config, command, command.words))
    each = []
    for name in dict.fromkeys(cameras):
        named = config.camera(name)
        assert named is not None
        each.append((named[0], dict(settings_of(config, command, (CAMERAS, named[0])))))
    for key in dict.fromkeys(key for _, own in each for key in own):
        first, *others = (own.get(key, found.get(key)) for _, own in each)
        if any(other is None or first is None or other.value != first.value for other in others):
            names = " and ".join(name for name, _ in each)
            raise WrongSetting(
                f"{names} have different values of {key} in {config.file}: use one after the other"
            )
        assert first is not None
        found[key] = first
    return found


def settings_of(config: Config, command: Configured, table: Keys) -> Iterator[tuple[str, Setting]]:
    """Yield the options of a command in one table. WrongSetting for keys that nothing has."""
    options = command.options()
    is_own = table == command.words
    for written, value in config.table(*table).items():
        if table[0] == CAMERAS and written in CAMERA_KEYS:
            continue
        key = written.replace("_", "-")
        if key in options:
            where = config.where(*table, written)
            line = config.lines.get((*table, written))
            camera = table[1] if table[0] == CAMERAS else ""
            yield key, Setting(typed(options[key], key, value, where), where, line, camera)
            continue
        known = set(options) if is_own else all_keys()
        if key not in known:
            own = CAMERA_KEYS if table[0] == CAMERAS else ()
            raise WrongSetting(_unknown(config, (*table, written), [*own, *sorted(known)], "keys"))


def all_keys() -> set[str]:
    """Return the keys of all commands' options."""
    return {key for command in all_commands() for key in command.options()}


def all_commands() -> Iterator[Configured]:
    """Yield all commands that `config.toml` has options for."""
    from .main import COMMANDS, ptpfast

    context = click.Context(ptpfast)
    for name in COMMANDS:
        command = ptpfast.get_command(context, name)
        each = command.commands.values() if isinstance(command, click.Group) else [command]
        yield from (one for one in each if isinstance(one, Configured) and one.reads_config)


def _unknown(config: Config, keys: Keys, known: list[str], what: str) -> str:
    near = get_close_matches(keys[-1].replace("_", "-"), known, 1)
    advice = f"did you mean {near[0]!r}?" if near else f"the {what} are: {', '.join(known)}"
    of = f" in [{'.'.join(keys[:-1])}]" if keys[:-1] else ""
    return f"unknown key {printable(keys[-1])!r}{of} ({config.where(*keys)}); {advice}"


def typed(option: click.Option, key: str, value: Any, where: str) -> Any:
    """Return a value of `config.toml` as if it had been typed. WrongSetting."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise WrongSetting(f"{key} takes true or false, not {value!r:.60} ({where})")
        return value
    if isinstance(value, list) and option.multiple:
        return [_word(option, key, each, where) for each in value]
    word = _word(option, key, value, where)
    return [word] if option.multiple else word


def _word(option: click.Option, key: str, value: Any, where: str) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bool | list | dict):
        kinds = {bool: "true or false", list: "a list", dict: "a table"}
        kind = next(text for each, text in kinds.items() if isinstance(value, each))
        raise WrongSetting(f"{key} takes one value, not {kind} ({where})")
    word: str = os.path.expanduser(value) if isinstance(option.type, click.Path) else str(value)
    return word


def judge(command: Configured, key: str, value: Any, where: str) -> Any:
    """Return what the command makes of a value that is not typed. WrongSetting."""
    option = command.options()[key]
    context = click.Context(command, info_name=" ".join(command.words))
    try:
        return option.process_value(context, value)
    except click.UsageError as error:
        raise WrongSetting(f"{error.message.rstrip('.')} ({key} in {where})") from error
