"""healthz, livez and readyz: named checks, verbose output, exclusions, and each check alone.

Called by `gateway.routing` for the three paths and what is below them. Formats as apiserver pkg/server/healthz.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

from gateway.answers import Answer, page_not_found, text
from gateway.context import RequestContext
from gateway.lifecycle import Lifecycle
from kubehop.hop import logs
from kubehop.machinery.gotext import quote

CHECK_SECONDS = 5.0
"""How long a check may take before it counts as failed."""
_log = logs.get()


class Check(NamedTuple):
    """One named check; raises when something is wrong."""

    name: str
    run: Callable[[], Awaitable[None]]


class Hooks(Protocol):
    """The post-start hooks, as far as their checks go."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return them in order."""

    def failure(self, name: str) -> str | None:
        """Say why a hook has not finished yet; None once it has."""


class CheckFailedError(Exception):
    """A check did not pass; the message is for the log only, the endpoint is public."""


class Health:
    """All checks of this process.

    `stages` maps each stage to the function that asks its grpc.health.v1, `etcd` asks the store through storage.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        stages: Mapping[str, Callable[[], Awaitable[bool]]],
        etcd: Callable[[], Awaitable[object]],
        hooks: Hooks,
    ) -> None:
        self._lifecycle = lifecycle
        self._hooks = hooks
        self._stages = [Check(f"stage/{name}", self._stage(ask)) for name, ask in stages.items()]
        self._etcd = etcd

    def checks(self, kind: str) -> list[Check]:
        """Return the checks of "healthz", "livez" or "readyz", in the order in which they are shown."""
        found = [Check("ping", self._ping), Check("log", self._ping), Check("etcd", self._ask_etcd)]
        if kind == "readyz":
            found.append(Check("etcd-readiness", self._ask_etcd))
        if kind != "livez":  # a gateway whose stages are away must not be restarted for it
            found += self._stages
        found += [Check(f"poststarthook/{name}", self._hook(name)) for name in self._hooks.names]
        if kind == "readyz":
            found.append(Check("shutdown", self._shutdown))
        return found

    def paths(self) -> list[str]:
        """Return the path of every single check, for the index."""
        return [f"/{kind}/{check.name}" for kind in ("healthz", "livez", "readyz") for check in self.checks(kind)]

    async def answer(self, request: RequestContext) -> Answer:
        """Answer /KIND or /KIND/CHECK."""
        kind, _, name = request.path.strip("/").partition("/")
        checks = self.checks(kind)
        if not name:
            return await self._all(request, kind, checks)
        for check in checks:
            if check.name == name:
                problem = await _problem(check)
                if problem is None:
                    return text(200, "ok", nosniff=False)
                return text(500, f"internal server error: {problem}\n")
        return page_not_found()

    async def _all(self, request: RequestContext, kind: str, checks: list[Check]) -> Answer:
        excluded = set(request.query.all("exclude"))
        unknown = set(excluded)
        asked = [check for check in checks if check.name not in excluded]
        verdicts = await asyncio.gather(*map(_problem, asked))
        problems = {check.name: verdict for check, verdict in zip(asked, verdicts, strict=True)}
        lines, failed = [], []
        for check in checks:
            if check.name in excluded:
                unknown.discard(check.name)
                lines.append(f"[+]{check.name} excluded: ok\n")
            elif problems[check.name] is not None:
                failed.append(check.name)
                lines.append(f"[-]{check.name} failed: reason withheld\n")
            else:
                lines.append(f"[+]{check.name} ok\n")
        if unknown:
            listed = ",".join(quote(name) for name in sorted(unknown))
            lines.append(f"warn: some health checks cannot be excluded: no matches for {listed}\n")
        if failed:
            reasons = {name: problems[name] for name in failed}
            _log.warning("health check failed", kind=kind, audit_id=request.audit_id, reasons=reasons)
            return text(500, f"{''.join(lines)}{kind} check failed\n")
        if "verbose" not in request.query:
            return text(200, "ok")
        return text(200, f"{''.join(lines)}{kind} check passed\n")

    async def _ping(self) -> None:
        """Pass: whoever answers is alive."""

    async def _ask_etcd(self) -> None:
        await self._etcd()

    async def _shutdown(self) -> None:
        if self._lifecycle.shutting_down:
            raise CheckFailedError("process is shutting down")

    def _hook(self, name: str) -> Callable[[], Awaitable[None]]:
        async def check() -> None:
            if problem := self._hooks.failure(name):
                raise CheckFailedError(problem)

        return check

    @staticmethod
    def _stage(ask: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[None]]:
        async def check() -> None:
            if not await ask():
                raise CheckFailedError("not serving")

        return check


async def _problem(check: Check) -> str | None:
    """Run a check; return what is wrong, None when nothing is."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check.run()
    except TimeoutError:
        return "no answer in time"
    except Exception as error:
        return str(error) or type(error).__name__
    return None
