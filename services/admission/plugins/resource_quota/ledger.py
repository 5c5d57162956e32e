"""Charges requests to quotas by transactions on the quota objects, so that no quota is ever overrun.

Called by the plugin. The requests of a namespace that wait at the same moment are charged together with one write to
each quota; a quota that somebody else changed meanwhile is read anew and its requests judged again, and what such a
request had been charged elsewhere is given back when it is refused after all. Several admission stages may do this at
the same time: the storage stage lets one of them win.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from kubehop.machinery import status
from kubehop.machinery.objects import Object, metadata, resource_version
from kubehop.machinery.status import StatusError
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugins.resource_quota import usage
from services.admission.plugins.resource_quota.judging import Account, Question
from services.admission.plugins.resource_quota.usage import Usage

PATIENCE: Final = 10.0
"""Seconds after which a request that could not be charged is refused (apiserver waits as long)."""
_PAUSE: Final = 0.005
_REMEMBERED: Final = 1024


@dataclass(slots=True, eq=False)
class _Waiter:
    question: Question
    done: asyncio.Future[None]
    deadline: float
    charged: dict[str, Usage] = field(default_factory=dict)
    """What has been written for it, by quota."""
    pending: dict[str, Usage] = field(default_factory=dict)
    """What is to be written for it, by quota."""

    def settle(self, refusal: BaseException | None = None) -> None:
        """Tell the request."""
        if self.done.done():
            return
        if refusal is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(refusal)


class Ledger:
    """The quotas of all namespaces."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._quotas = Lookup.of(cluster, "", "resourcequotas")
        # what we wrote ourselves and memory may not have seen yet
        self._written: dict[tuple[str, str], Object] = {}
        self._queues: dict[str, list[_Waiter]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}

    def quotas(self, namespace: str) -> list[Object]:
        """The quotas of a namespace, the newest state known of each, by name."""
        found = [self._newest(place, obj) for place, obj in self._quotas.replica.items.items() if place[0] == namespace]
        return sorted(found, key=lambda obj: str(metadata(obj)["name"]))

    async def charge(self, namespace: str, question: Question) -> None:
        """Charge a request to the quotas of its namespace. Raises the refusal."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(question, loop.create_future(), time.monotonic() + PATIENCE)
        self._queues.setdefault(namespace, []).append(waiter)
        if namespace not in self._workers:
            self._workers[namespace] = asyncio.create_task(self._work(namespace), name=f"quotas of {namespace}")
        await waiter.done

    async def _work(self, namespace: str) -> None:
        """Charge batch after batch until nobody waits."""
        batch: list[_Waiter] = []
        try:
            while batch := self._queues.pop(namespace, []):
                await self._charge(namespace, batch)
        except Exception as error:
            for waiter in (*batch, *self._queues.pop(namespace, [])):
                waiter.settle(error)
        finally:
            del self._workers[namespace]

    async def _charge(self, namespace: str, batch: Sequence[_Waiter]) -> None:
        accounts = {account.name: account for account in map(Account, self.quotas(namespace))}
        open_waiters = [waiter for waiter in batch if self._judge(waiter, accounts.values())]
        while open_waiters:
            changed = {name for waiter in open_waiters for name in waiter.pending}
            stale = [name for name in sorted(changed) if not await self._write(namespace, accounts[name], open_waiters)]
            for waiter in open_waiters:
                if not waiter.pending:
                    waiter.settle()
            open_waiters = [waiter for waiter in open_waiters if waiter.pending]
            if not stale:
                return
            open_waiters = await self._retry(namespace, accounts, stale, open_waiters)

    @staticmethod
    def _judge(waiter: _Waiter, accounts: Iterable[Account]) -> bool:
        """Judge a request against accounts and note its charges there; False when it is settled by that."""
        if waiter.done.done():  # nobody waits any more
            return False
        known = list(accounts)
        try:
            charges = waiter.question.charges(known)
        except StatusError as refusal:
            waiter.settle(refusal)
            return False
        if not charges or waiter.question.attributes.dry_run:
            waiter.settle()
            return False
        for account in known:
            if account.name in charges:
                account.used = usage.plus(account.used, charges[account.name])
        waiter.pending = charges
        return True

    async def _retry(
        self, namespace: str, accounts: dict[str, Account], stale: Sequence[str], waiters: Sequence[_Waiter]
    ) -> list[_Waiter]:
        """Judge the requests that wait for quotas which changed meanwhile against those anew."""
        fresh = {}
        for name in stale:
            found = await self._quotas.live(name, namespace)
            if found is not None:  # a quota that is gone charges nothing any more
                fresh[name] = accounts[name] = Account(found)
        still_open = []
        refused = []
        for waiter in waiters:
            concerned = [account for name, account in fresh.items() if name in waiter.pending]
            waiter.pending = {}
            if time.monotonic() > waiter.deadline:
                waiter.settle(status.internal_error("resource quota evaluation timed out"))
                refused.append(waiter)
            elif self._judge(waiter, concerned):
                still_open.append(waiter)
            elif waiter.done.cancelled() or waiter.done.exception() is not None:
                refused.append(waiter)
        for waiter in refused:
            await self._give_back(namespace, waiter)
        if still_open:
            await asyncio.sleep(_PAUSE)
        return still_open

    async def _write(self, namespace: str, account: Account, waiters: Sequence[_Waiter]) -> bool:
        """Write a quota with what the requests were charged; False when it is not what it was any more."""
        stored = await self._store(namespace, account)
        if stored is None:
            return False
        account.obj = stored
        for waiter in waiters:
            if account.name in waiter.pending:
                waiter.charged[account.name] = waiter.pending.pop(account.name)
        return True

    async def _give_back(self, namespace: str, waiter: _Waiter) -> None:
        """Take back what a refused request was charged."""
        until = time.monotonic() + PATIENCE
        for name, charge in waiter.charged.items():
            while time.monotonic() < until:
                found = await self._quotas.live(name, namespace)
                if found is None:
                    break
                account = Account(found)
                account.used = {**account.used, **usage.minus(usage.masked(account.used, charge), charge)}
                if await self._store(namespace, account) is not None:
                    break
                await asyncio.sleep(_PAUSE)

    async def _store(self, namespace: str, account: Account) -> Object | None:
        """Write an account's usage into its quota; None when the quota has changed meanwhile or is gone."""
        obj = account.obj
        used = {name: str(account.used[name]) for name in sorted(account.used)}
        new = {**obj, "status": {**(obj.get("status") or {}), "used": used}}
        stored = await self._cluster.update("", "resourcequotas", namespace, account.name, new)
        if stored is not None:
            if len(self._written) >= _REMEMBERED:
                self._written.clear()
            self._written[namespace, account.name] = stored
        return stored

    def _newest(self, place: tuple[str, str], seen: Object) -> Object:
        own = self._written.get(place)
        if own is None:
            return seen
        if int(resource_version(seen)) >= int(resource_version(own)):
            del self._written[place]
            return seen
        return own
