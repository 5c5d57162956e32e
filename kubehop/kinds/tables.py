"""The table printer of every resource, the descriptions of its columns filled in.

The gateway asks for one where a client wants `as=Table`. A kind's printer is the `PRINTER` of its home module; kinds
without one have Name and Created At, as in kube-apiserver.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from kubehop.kinds import definitions, homes
from kubehop.kinds.printing import DOCUMENTED
from kubehop.kinds.resource import Resource
from kubehop.machinery.table import DEFAULT, Column, Printer


@functools.cache
def columns_for(resource: Resource) -> Printer:
    """Return the printer of a resource's objects, which it takes in their stored version."""
    printer = homes.attribute(resource, "PRINTER", Printer)
    if printer is None:
        return DEFAULT
    return replace(printer, columns=tuple(_describe(column) for column in printer.columns))


@functools.cache
def scale_printer() -> Printer:
    """Return the printer of the Scale that scale subresources speak."""
    from kubehop.kinds.autoscaling import scale

    return replace(scale.PRINTER, columns=tuple(_describe(column) for column in scale.PRINTER.columns))


def _describe(column: Column) -> Column:
    if not column.description.startswith(DOCUMENTED):
        return column
    kind, _, field = column.description.removeprefix(DOCUMENTED).rpartition(".")
    return replace(column, description=definitions.description(f"io.k8s.api.{kind}", field))
