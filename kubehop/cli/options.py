"""Option types and options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from kubehop.cli import state

F = TypeVar("F", bound=Callable[..., object])
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


class GoBool(click.ParamType[bool]):
    """A boolean flag as Kubernetes components take it: `--flag`, `--flag=true`, `--flag=false`.

    The accepted words are those of Go's strconv.ParseBool, which pflag uses.
    """

    name = "true|false"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """The boolean that a word stands for."""
        if isinstance(value, bool):
            return value
        if value in TRUE:
            return True
        if value in FALSE:
            return False
        return self.fail(f"{value!r} is neither true nor false", param, ctx)


def go_bool(flag: str, *, default: bool, text: str) -> Callable[[F], F]:
    """An option of type GoBool, whose bare form means true."""
    return click.option(
        flag, type=GoBool(), is_flag=False, flag_value="true", default=default, show_default=True, help=text
    )


def data_dir() -> Callable[[F], F]:
    """The directory that everything of one kubehop lives in."""
    return click.option(
        "--data-dir",
        "directory",
        default=state.DEFAULT,
        show_default=True,
        envvar="KUBEHOP_DATA_DIR",
        show_envvar=True,
        metavar="DIR",
        callback=lambda _ctx, _param, value: state.DataDirectory.at(value),
        help="Where keys, etcd's data, sockets, logs and the kubeconfig are kept.",
    )
