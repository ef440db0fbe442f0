"""The destination of `pull`, `watch` and `pick`, and what they have in common on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from ..engine.text import unescaped
from ..library.plan.planning import ON_CONFLICT
from ..library.plan.template import read_template
from ..library.remote.place import is_url, local_folder
from ..transfer import VERIFY
from ..transfer.hashing import ALGORITHMS


class Folder(click.Path):
    """The folder to download into; an empty word is none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            self.fail("'' is not a folder; write . for this one", param, ctx)
        if isinstance(value, str) and value.startswith("~") and not os.path.lexists(value):
            self.fail(
                f"the shell has not replaced the ~ of {value!r}: leave the ~ out of the quotes, or "
                "write $HOME; for a folder of that name write ./~",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="dir")]


class Destination(Folder):
    """The folder to download into, or the URL of one on another computer."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            value = local_folder(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if is_url(value):
            return value
        folder = super().convert(value, param, ctx)
        try:
            return local_folder(folder)
        except ValueError:
            scheme, _, rest = str(value).partition(":")
            self.fail(f"{value!r} is not a URL; write {scheme}://{rest.lstrip('/')}", param, ctx)


conflict_option = click.option(
    "--on-conflict",
    type=click.Choice(ON_CONFLICT),
    default="rename",
    show_default=True,
    help="What to do if a different file has the name.",
)


class Level(click.Choice):  # type: ignore[type-arg] # generic, but only in newer clicks
    """A level of --verify; a hash is chosen by another option."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value in ALGORITHMS:
            self.fail(f"{value!r} is a hash, not a level; write --algorithm {value}", param, ctx)
        return super().convert(value, param, ctx)


verify_option = click.option(
    "--verify",
    type=Level(VERIFY),
    default="size",
    show_default=True,
    help="How to verify the downloaded files.",
)
algorithm_option = click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    help="Hash to verify with; implies --verify hash.  [default: sha256]",
)
copies_option = click.option(
    "--copies",
    type=Folder(path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="Store a verified copy of each file here, too; repeatable.",
)
delete_option = click.option(
    "--delete-verified",
    is_flag=True,
    help="Delete files from the camera once their copies are proven.",
)
folders_option = click.option(
    "--keep-folders", is_flag=True, help="Keep the card's folders below DEST."
)


class NameTemplate(click.ParamType):  # type: ignore[type-arg] # generic, but only in newer clicks
    """A template for names, as `library.plan.template` reads it."""

    name = "template"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        text = unescaped(value)
        try:
            read_template(text)
        except ValueError as error:
            self.fail(str(error).removeprefix("template: "), param, ctx)
        return text


name_option = click.option(
    "--name",
    "template",
    type=NameTemplate(),
    metavar="TEMPLATE",
    help="Name the files: '{date}/{time}_{name}', '{model}_{seq:05}'.",
)
