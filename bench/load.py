"""Load by wrk over TLS: requests per second and latencies of one kind of request."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}


@dataclass(frozen=True)
class Request:
    """One kind of request.

    `{n}` in path or body is what no other request of the run has, `{m}` in the path one of a thousand numbers in turn.
    """

    name: str
    path: str
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def script(self, seed: str) -> str:
        """wrk's Lua script for it."""
        heads = "".join(f'wrk.headers["{k}"] = "{v}"\n' for k, v in self.headers.items())
        return (
            f'local n = 0\nlocal seed = "{seed}"\n'
            'function setup(thread) thread:set("id", tostring(thread.addr)) end\n'
            f'wrk.method = "{self.method}"\n{heads}'
            f"local path = [[{self.path}]]\nlocal body = [[{self.body}]]\n"
            'function request()\n  n = n + 1\n  local unique = seed .. "-" .. n\n'
            '  local b = nil\n  if body ~= "" then b = body:gsub("{n}", unique) end\n'
            '  local p = path:gsub("{n}", unique):gsub("{m}", tostring(n % 1000))\n'
            "  return wrk.format(nil, p, nil, b)\nend\n"
        )

    @property
    def plain(self) -> bool:
        """True when every request is the same, so that wrk needs no script."""
        return self.method == "GET" and not self.headers and "{n}" not in self.path and "{m}" not in self.path


@dataclass(frozen=True)
class Result:
    """What wrk measured."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int


def milliseconds(text: str) -> float:
    """wrk's way to write a time; NaN where it had nothing to measure."""
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    return float(found[1]) * UNITS[found[2]] if found else float("nan")


def run(server: str, request: Request, connections: int, seconds: float, token: str = "", seed: str = "r") -> Result:
    """Send `request` over `connections` for `seconds`."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("make bench needs wrk: apt-get install wrk (or brew install wrk)")
    with tempfile.TemporaryDirectory() as scratch:
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "10s"]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        if not request.plain:
            script = Path(scratch) / "request.lua"
            script.write_text(request.script(seed))
            command += ["-s", str(script)]
        command.append(server + (request.path if request.plain else "/"))
        text = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    total = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    p50 = re.search(r"^ +50% +(\S+)", text, re.MULTILINE)
    p99 = re.search(r"^ +99% +(\S+)", text, re.MULTILINE)
    if not (total and rate and p50 and p99):
        raise SystemExit(f"cannot read wrk's answer:\n{text}")
    errors = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", text))
    errors += sum(int(n) for line in re.findall(r"Socket errors: (.*)", text) for n in re.findall(r"\d+", line))
    return Result(int(total[1]), float(rate[1]), milliseconds(p50[1]), milliseconds(p99[1]), errors)
