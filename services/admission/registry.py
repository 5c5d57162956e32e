"""Which plugins are built, and how each is made from what it needs of the cluster.

Called by `__main__` at start with the flags. A plugin that has a place in the order but is not built does not pretend:
asking for it by name is an error, and those that kube-apiserver has on by default are named for the start-up log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.admission import chain
from services.admission.cluster import Cluster
from services.admission.plugin import Plugin
from services.admission.plugins.always import AlwaysAdmit, AlwaysDeny
from services.admission.plugins.namespace_lifecycle import NamespaceLifecycle

Factory = Callable[[Cluster], Plugin]

FACTORIES: Final[Mapping[str, Factory]] = {
    "AlwaysAdmit": lambda _: AlwaysAdmit(),
    "NamespaceLifecycle": NamespaceLifecycle,
    "AlwaysDeny": lambda _: AlwaysDeny(),
}
"""How the plugins that are built are made."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The plugins that the flags ask for."""

    names: tuple[str, ...]
    """Those that will run, in order."""
    missing: tuple[str, ...]
    """Those on by default in kube-apiserver that are not built."""


class SelectionError(Exception):
    """The flags cannot be followed; `problems` has one line for each reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def select(enable: Sequence[str], disable: Sequence[str]) -> Selection:
    """The plugins for `--enable-admission-plugins` and `--disable-admission-plugins`. Raises SelectionError."""
    problems = chain.problems_of(enable, disable)
    problems += [
        f"enable-admission-plugins plugin {chain.quoted(name)} is not built into kubehop yet"
        for name in enable
        if name in chain.NAMES and name not in FACTORIES and name not in chain.GATED
    ]
    if problems:
        raise SelectionError(problems)
    enabled = chain.enabled_names(enable, disable)
    return Selection(
        names=tuple(name for name in enabled if name in FACTORIES),
        missing=tuple(name for name in enabled if name not in FACTORIES and name not in chain.GATED),
    )


def build(selection: Selection, cluster: Cluster) -> chain.Chain:
    """The chain of the selected plugins."""
    return chain.Chain([FACTORIES[name](cluster) for name in selection.names])
