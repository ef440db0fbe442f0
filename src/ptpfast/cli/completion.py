"""`ptpfast completion`: the script that lets a shell complete commands, options and cameras."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from .options import Common, command

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_PTPFAST_COMPLETE"  # with it the script asks `ptpfast` itself


@command(
    "completion bash > ~/.local/share/bash-completion/completions/ptpfast",
    "completion zsh > ~/.zfunc/_ptpfast",
    "completion fish > ~/.config/fish/completions/ptpfast.fish",
    far=False,
    reads_config=False,
)
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
def completion(common: Common, shell: str) -> None:
    """Print the completion script of a shell.

    Save it where the shell looks for completions, as in the examples, and start a new shell.
    """
    from .main import ptpfast

    kind = get_completion_class(shell)
    assert kind is not None
    # Not the method of the class: that of bash runs a bash for its version.
    script = ShellComplete.source(kind(ptpfast, {}, "ptpfast", VARIABLE))
    common.output.record("completion", shell=shell, script=script)
    for line in script.strip("\n").splitlines():
        common.output.result(line, whole=True)
