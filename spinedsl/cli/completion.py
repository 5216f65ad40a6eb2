"""Print the script that teaches a shell to complete the command, its options and .spine files."""

from __future__ import annotations

import argparse

from spinedsl import checks
from spinedsl.cli.parsing import leaves
from spinedsl.extras import require

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")
PATHS = ("FILE", "PATH", "WEIGHTS", "OLD", "NEW")
EXAMPLES = """\
examples:
  spine completion bash > ~/.local/share/bash-completion/completions/spine
  spine completion zsh > ~/.zfunc/_spine              (a folder in $fpath)
  spine completion fish > ~/.config/fish/completions/spine.fish
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that reads the script")


def run(options: argparse.Namespace) -> int:
    """Print the script, made of the arguments of every command."""
    require("shtab")
    import shtab  # noqa: PLC0415  for this command only

    from spinedsl.cli import parser  # noqa: PLC0415  which imports the commands, and so this one

    whole = parser()
    for command in leaves(whole):
        for action in command._actions:  # noqa: SLF001  argparse has no other way to list them
            if action.metavar in PATHS:
                action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks
            elif action.metavar == "CODE":
                action.choices = list(checks.codes())
    print(shtab.complete(whole, shell=options.shell))
    return 0
