"""Entry point of `kubehop`: finds the subcommand, and turns every failure into one line and an exit status.

Subcommands are loaded when they are called, since `kubehop up` counts the time from the moment of pressing enter.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

import click

import kubehop
from kubehop.cli.errors import BAD_INPUT, CommandError

COMMANDS: Final = ("up", "down", "status", "logs", "pki", "kubeconfig")


class Commands(click.Group):
    """The subcommands, each in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click names it
        """Names in the order of a first day with kubehop."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Load one subcommand."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"kubehop.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(kubehop.__version__, prog_name="kubehop")
def kubehop_command() -> None:
    """A Kubernetes-compatible API server taken apart at its handler-chain boundaries."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    try:
        status = kubehop_command.main(arguments, prog_name="kubehop", standalone_mode=False)
    except CommandError as error:
        for line in error.lines:
            print(f"kubehop: {line}", file=sys.stderr)
        return error.status
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return BAD_INPUT
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "kubehop"
        print(f"kubehop: {' '.join(error.format_message().split())} (see `{where} --help`)", file=sys.stderr)
        return BAD_INPUT
    except click.ClickException as error:
        print(f"kubehop: {error.format_message()}", file=sys.stderr)
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # `kubehop logs | head`: nothing is left to flush to
        return 0
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
