"""What may have been meant by a wrong word of the command line, as advice for its error."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath

import click

_FOLDER_IS_LAST = "the folder is the last word: {command} CAMERA FOLDER"
_CAMERA_IS_A_WORD = "the camera's address is a word without an option: {command} 192.168.1.1"
_RESUMES = "an interrupted file is always resumed"
_ALL_FOLDERS = "all folders of the card are always read"
_SKIPS = "files that are in the folder are always skipped"

# Options of other programs → the option of ptpfast, or a sentence.
_ELSEWHERE = {
    "raw": "--format raw",
    "nef": "--format raw",
    "jpeg": "--format jpeg",
    "jpg": "--format jpeg",
    "video": "--format video",
    "movies": "--format video",
    "type": "--format",
    "ext": "--format",
    "extension": "--format",
    "pattern": "--include",
    "glob": "--include",
    "filter": "--include",
    "after": "--since",
    "newer": "--since",
    "from": "--since",
    "date": "--since",
    "days": "--since 3d",
    "before": "--until",
    "stars": "--rating",
    "slot": "--storage",
    "card": "--storage",
    "sort": "--order",
    "limit": "--bwlimit",
    "rate": "--bwlimit",
    "move": "--delete-verified",
    "delete": "--delete-verified",
    "remove": "--delete-verified",
    "erase": "--delete-verified",
    "empty": "--delete-verified",
    "checksum": "--verify hash",
    "hash": "--verify hash",
    "md5": "--verify hash",
    "sha256": "--verify hash",
    "overwrite": "--on-conflict overwrite",
    "force": "--on-conflict overwrite",
    "replace": "--on-conflict overwrite",
    "rename": "--name",
    "template": "--name",
    "filename": "--name",
    "copy": "--copies",
    "backup": "--copies",
    "hook": "--exec",
    "run": "--exec",
    "preview": "--dry-run",
    "simulate": "--dry-run",
    "n": "--dry-run",
    "v": "--verbose",
    "q": "--quiet",
    "dest": _FOLDER_IS_LAST,
    "o": _FOLDER_IS_LAST,
    "output": _FOLDER_IS_LAST,
    "to": _FOLDER_IS_LAST,
    "into": _FOLDER_IS_LAST,
    "target": _FOLDER_IS_LAST,
    "directory": _FOLDER_IS_LAST,
    "host": _CAMERA_IS_A_WORD,
    "ip": _CAMERA_IS_A_WORD,
    "address": _CAMERA_IS_A_WORD,
    "camera": _CAMERA_IS_A_WORD,
    "resume": _RESUMES,
    "continue": _RESUMES,
    "recursive": _ALL_FOLDERS,
    "r": _ALL_FOLDERS,
    "skip-existing": _SKIPS,
    "ignore-existing": _SKIPS,
    "update": _SKIPS,
}


def option_meant(name: str, context: click.Context | None) -> str:
    """Return advice for an option that does not exist; '' if nothing is known of it."""
    meant = _ELSEWHERE.get(name.lstrip("-").lower(), "")
    if context is None:
        return ""
    if not meant and context.info_name in ("watch", "pick", "ls") and _is_of_pull(name, context):
        return f"it is an option of 'ptpfast pull', not of '{context.command_path}'"
    if not meant:
        return ""
    own = {each for param in context.command.params for each in param.opts}
    words = {param.name for param in context.command.params if isinstance(param, click.Argument)}
    if meant.startswith("--"):
        return f"write {meant}" if meant.partition(" ")[0] in own else ""
    needs = {_CAMERA_IS_A_WORD: {"host", "hosts"}}.get(meant, {"dest"})
    return meant.format(command=context.command_path) if words & needs else ""


def _is_of_pull(name: str, context: click.Context) -> bool:
    root = context.find_root()
    group = root.command
    pull = group.get_command(root, "pull") if isinstance(group, click.Group) else None
    params = pull.params if pull is not None else []
    return any(name in (*each.opts, *each.secondary_opts) for each in params)


def extra_words(words: Sequence[str], context: click.Context) -> str:
    """Return the message for words that the command does not take."""
    shown = " ".join(words)
    path, camera = context.command_path, context.params.get("host") is not None
    text = f"unexpected '{shown}'"
    if camera and words[0].isdecimal():
        return f"{text}: a port is written 192.168.1.1:{words[0]}"
    if (pattern := expanded_pattern(words, context)) is not None:
        return f"{text}: put the pattern in quotes, so that the shell does not expand it: {pattern}"
    if any("--to" in param.opts for param in context.command.params):
        return f"{text}: the folder or file goes after --to: {path} CAMERA --to {words[0]}"
    if camera and context.info_name in ("ls", "info"):
        return f"{text}: '{path}' takes one camera; to download: ptpfast pull CAMERA {words[0]}"
    return f"{text}: leave it out, or put words with spaces in quotes"


def expanded_pattern(words: Sequence[str], context: click.Context) -> str | None:
    """Return the option that the shell has expanded into names of files; None if it has not."""
    files = [word for word in words if os.path.isfile(word)]
    for name in ("include", "exclude", "folder"):
        if files and any(os.path.exists(each) for each in context.params.get(name) or ()):
            return f"--{name} '*{PurePath(files[-1]).suffix}'"
    return None
