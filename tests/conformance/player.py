#!/usr/bin/env python3
"""Record and compare HTTP exchanges with a Kubernetes API server.

A scenario (scenarios/*.yaml) is a list of requests. `record` plays the scenarios
against a reference server and writes what came back to golden/*.json; `compare`
plays them against another server and says, step by step, where its answers differ.
The golden files were recorded from kube-apiserver v1.36.2 with etcd, alone: no
controller manager, so a fresh namespace holds nothing but what a scenario creates
(the player itself creates the ServiceAccount `default` where `serviceaccount: true`).

    player.py record  --server https://127.0.0.1:6443 [--scenarios DIR] [--golden DIR] [NAME ...]
    player.py compare --server https://127.0.0.1:6443 [--scenarios DIR] [--golden DIR] [-v] [NAME ...]

The server must accept the static tokens of tokens.csv and authorize with RBAC.
Exit status of compare: 0 when every step is equal, 1 otherwise, 2 on unusable input.

Scenario form
    name: what it is about
    serviceaccount: true           # optional: create ServiceAccount default in ${ns} first
    steps:
    - id: create                   # unique within the scenario
      request: POST /api/v1/namespaces/${ns}/configmaps
      as: admin                    # optional user of tokens.csv, default admin; `none` sends no token
      headers: {Accept: ...}       # optional
      body: {...}                  # optional mapping, sent as JSON; or a string, sent as it is
      contentType: ...             # optional, default application/json
      save: {rv: metadata.resourceVersion}   # optional: values of the answer for later ${rv}
      ignore: [status.x, items.*.spec.y]     # optional: paths left out of the comparison
      only: [kind, metadata.name]  # optional: compare these paths alone
      unordered: [groups]          # optional: lists compared without their order
    - id: watch
      watch: /api/v1/namespaces/${ns}/configmaps?resourceVersion=${rv}   # collected for `seconds`
      seconds: 2
`${ns}` is a namespace made for the scenario; `${ns2}` a second one, made if it is named.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import re
import ssl
import sys
import time
import urllib.parse
import uuid
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
VOLATILE_KEYS = {"uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "continue"}


class Client:
    def __init__(self, server: str, tokens: dict[str, str]):
        self.url = urllib.parse.urlsplit(server)
        self.tokens = tokens

    def connect(self) -> http.client.HTTPConnection:
        if self.url.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection(self.url.hostname, self.url.port, context=context, timeout=30)
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=30)

    def call(self, method: str, path: str, user: str = "admin", headers: dict | None = None, body: Any = None,
             content_type: str | None = None, seconds: float | None = None):
        head = {"Accept": "application/json"}
        if user != "none":
            head["Authorization"] = "Bearer " + self.tokens.get(user, user)
        data = None
        if body is not None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            head["Content-Type"] = content_type or "application/json"
        head.update(headers or {})
        connection = self.connect()
        try:
            connection.request(method, path, body=data, headers=head)
            response = connection.getresponse()
            if seconds is None or response.status != 200:
                return response.status, response.getheaders(), response.read()
            lines, end = [], time.monotonic() + seconds + 3
            while time.monotonic() < end:
                line = response.readline()
                if not line:
                    break
                lines.append(line)
            return response.status, response.getheaders(), b"".join(lines)
        finally:
            connection.close()


def dig(value: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)]
        else:
            value = value[part]
    return value


def drop(value: Any, parts: list[str]) -> None:
    if not parts or value is None:
        return
    head, rest = parts[0], parts[1:]
    if head == "*":
        for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            drop(child, rest)
    elif isinstance(value, list) and head.isdigit() and int(head) < len(value):
        drop(value[int(head)], rest) if rest else value.__setitem__(int(head), "<ignored>")
    elif isinstance(value, dict) and head in value:
        drop(value[head], rest) if rest else value.pop(head)


def keep(value: Any, paths: list[str]) -> Any:
    kept = {}
    for path in paths:
        try:
            kept[path] = dig(value, path)
        except (KeyError, IndexError, TypeError, ValueError):
            kept[path] = "<absent>"
    return kept


class Normalizer:
    """Replaces what differs from run to run by placeholders, the same way on both servers."""

    def __init__(self, words: dict[str, str]):
        self.words = words  # literal text -> placeholder, longest first

    def text(self, value: str) -> str:
        for literal, placeholder in sorted(self.words.items(), key=lambda kv: -len(kv[0])):
            value = value.replace(literal, placeholder)
        return TIME.sub("<time>", UID.sub("<uid>", value))

    def __call__(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            out = {}
            for k, v in value.items():
                if k in VOLATILE_KEYS and isinstance(v, str) and v not in ("", "0"):
                    out[k] = f"<{k}>"
                else:
                    out[self.text(k)] = self(v, k)
            return out
        if isinstance(value, list):
            if key == "columnDefinitions":  # their prose is documentation, not behaviour
                value = [{k: v for k, v in c.items() if k != "description"} if isinstance(c, dict) else c for c in value]
            return [self(v) for v in value]
        return self.text(value) if isinstance(value, str) else value


def unorder(value: Any, paths: list[str]) -> None:
    for path in paths:
        try:
            target = dig(value, path)
        except (KeyError, IndexError, TypeError, ValueError):
            continue
        if isinstance(target, list):
            target.sort(key=lambda v: json.dumps(v, sort_keys=True))


def play(client: Client, scenario: dict) -> dict[str, dict]:
    """Run one scenario; returns step id -> normalized answer."""
    tag = uuid.uuid4().hex[:8]
    text = json.dumps(scenario)
    variables = {"ns": f"orc-{tag}", "ns2": f"orc-{tag}-b", "tag": tag}
    spaces = [v for v in ("ns", "ns2") if "${%s}" % v in text]
    for space in spaces:
        name = variables[space]
        status, _, body = client.call("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
        if status != 201:
            raise SystemExit(f"cannot create a namespace: {status} {body[:300]!r}")
        if scenario.get("serviceaccount"):
            client.call("POST", f"/api/v1/namespaces/{name}/serviceaccounts", body={"metadata": {"name": "default"}})
    saved: dict[str, str] = {}
    answers: dict[str, dict] = {}

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", lambda m: str({**variables, **saved}.get(m[1], m[0])), value)
        if isinstance(value, dict):
            return {fill(k): fill(v) for k, v in value.items()}
        return [fill(v) for v in value] if isinstance(value, list) else value

    for step in scenario["steps"]:
        words = {variables[v]: "${%s}" % v for v in spaces} | {tag: "${tag}"}
        normalize = Normalizer(words)
        watch = "watch" in step
        if watch:
            method, path, seconds = "GET", fill(step["watch"]), step.get("seconds", 2)
            path += ("&" if "?" in path else "?") + f"watch=1&timeoutSeconds={seconds}"
        else:
            method, path = fill(step["request"]).split(" ", 1)
            seconds = None
        if "sleep" in step:
            time.sleep(step["sleep"])
        try:
            status, headers, raw = client.call(
                method, path, step.get("as", "admin"), fill(step.get("headers")), fill(step.get("body")),
                step.get("contentType"), seconds)
        except (OSError, http.client.HTTPException) as error:
            answers[step["id"]] = {"status": 0, "error": f"{type(error).__name__}: {error}"}
            continue
        answer: dict[str, Any] = {"status": status}
        kinds = {k.lower(): v for k, v in headers}
        answer["contentType"] = kinds.get("content-type", "")
        warnings = [v for k, v in headers if k.lower() == "warning"]
        if warnings:
            answer["warnings"] = [normalize.text(w) for w in warnings]
        try:
            if watch and status == 200:
                body: Any = [json.loads(line) for line in raw.splitlines() if line.strip()]
            else:
                body = json.loads(raw)
        except ValueError:
            body = None
        if body is None:
            answer["text"] = normalize.text(raw.decode(errors="replace"))
        else:
            for name, where in (step.get("save") or {}).items():
                try:
                    saved[name] = dig(body, where)
                except (KeyError, IndexError, TypeError, ValueError):
                    saved[name] = "<absent>"
            for where in step.get("ignore") or []:
                drop(body, where.split("."))
            unorder(body, step.get("unordered") or [])
            if "only" in step:
                body = keep(body, step["only"])
            answer["body"] = normalize(body)
        answers[step["id"]] = answer
    for space in spaces:
        client.call("DELETE", f"/api/v1/namespaces/{variables[space]}")
    return answers


def differences(want: Any, got: Any, where: str = "") -> list[str]:
    if isinstance(want, dict) and isinstance(got, dict):
        out = []
        for k in sorted(want.keys() | got.keys()):
            at = f"{where}.{k}" if where else k
            if k not in got:
                out.append(f"{at}: missing, want {json.dumps(want[k])[:160]}")
            elif k not in want:
                out.append(f"{at}: not expected, got {json.dumps(got[k])[:160]}")
            else:
                out += differences(want[k], got[k], at)
        return out
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [d for i, (w, g) in enumerate(zip(want, got)) for d in differences(w, g, f"{where}.{i}")]
    return [] if want == got else [f"{where}: want {json.dumps(want)[:200]}, got {json.dumps(got)[:200]}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["record", "compare"])
    parser.add_argument("--server", required=True)
    parser.add_argument("--tokens", type=Path, default=HERE / "tokens.csv")
    parser.add_argument("--scenarios", type=Path, default=HERE / "scenarios")
    parser.add_argument("--golden", type=Path, default=HERE / "golden")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every difference, not the first three")
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    tokens = {row[1]: row[0] for row in csv.reader(args.tokens.open()) if row}
    client = Client(args.server, tokens)
    files = sorted(args.scenarios.glob("*.yaml"))
    if args.names:
        files = [f for f in files if f.stem in args.names]
    if not files:
        print("no scenario", file=sys.stderr)
        return 2
    total = equal = codes = 0
    for file in files:
        scenario = yaml.safe_load(file.read_text())
        golden = args.golden / f"{file.stem}.json"
        answers = play(client, scenario)
        if args.mode == "record":
            args.golden.mkdir(parents=True, exist_ok=True)
            golden.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")
            print(f"{file.stem}: {len(answers)} steps recorded")
            continue
        if not golden.exists():
            print(f"{file.stem}: nothing recorded", file=sys.stderr)
            return 2
        want = json.loads(golden.read_text())
        ok = 0
        for step in scenario["steps"]:
            name = step["id"]
            found = differences(want[name], answers[name])
            codes += want[name]["status"] == answers[name]["status"]
            if found:
                print(f"{file.stem}/{name}: {step.get('request') or step.get('watch')}")
                for line in found if args.verbose else found[:3]:
                    print(f"    {line}")
                if len(found) > 3 and not args.verbose:
                    print(f"    (+{len(found) - 3} more)")
            else:
                ok += 1
        print(f"{file.stem}: {ok} of {len(scenario['steps'])} steps equal")
        total += len(scenario["steps"])
        equal += ok
    if args.mode == "record":
        return 0
    print(f"status codes equal: {codes} of {total}")
    print(f"exchanges equal: {equal} of {total}")
    return 0 if equal == total else 1


if __name__ == "__main__":
    sys.exit(main())
