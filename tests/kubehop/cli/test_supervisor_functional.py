"""The supervisor with real children: order, restarts, messages, ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubehop.cli import processes, state, supervisor
from kubehop.cli.plan import Child, Plan, python_module
from kubehop.cli.probe import Probe

PATIENCE = 20
REPOSITORY = str(Path(__file__).resolve().parents[3])


class Run:
    """A supervisor process with stand-ins as children."""

    def __init__(self, tmp_path):
        self.directory = state.DataDirectory(tmp_path)
        self.directory.make()
        self.children = []
        self.process = None
        self.output = ""
        self._lock = self.directory.lock()

    def child(self, name, *flags, tier=1, waits_for=(), grace=10.0):
        target = f"unix:{self.directory.root}/{name}.sock"
        argv = (sys.executable, "-m", "tests.kubehop.cli.stand_in", target, *flags)
        self.children.append(
            Child(name, argv, tier, Probe(target), target, waits_for, {"PYTHONPATH": REPOSITORY}, grace)
        )

    def start(self, *, start_timeout=PATIENCE, detached=False):
        plan = Plan(tuple(self.children), "https://s", "/kubeconfig", time.time(), detached, start_timeout)
        plan.write(self.directory.plan)
        os.set_inheritable(self._lock, True)
        self.process = subprocess.Popen(
            python_module("kubehop.cli.supervisor", str(self.directory.root), str(self._lock)),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=(self._lock,),
        )  # fmt: skip
        os.close(self._lock)
        return self

    def state(self):
        found = state.read(self.directory)
        return {} if found is None else {"": found, **{child.name: child for child in found.children}}

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self.state()
            if found and condition(found):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(self.directory.logs.joinpath("kubehop.log").read_text())

    def ready(self):
        return self.until(lambda found: found[""].phase == "ready")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        self.output, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def close(self):
        if self.process is None:
            os.close(self._lock)
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGTERM)
        if not self.process.stdout.closed:
            self.process.communicate(timeout=PATIENCE)


@pytest.fixture
def run(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("d"))
    yield run
    run.close()


def test_all_become_ready_and_end_from_the_top(run):
    """Each step is shown with its time; those who call end before those who are called."""
    ended = run.directory.root / "ended"
    for name, tier in (("gateway", 3), ("storage", 1), ("authorization", 2)):
        run.child(name, "--ended", str(ended), tier=tier)
    run.start()
    found = run.ready()
    assert all(found[name].ready and found[name].restarts == 0 for name in ("gateway", "storage", "authorization"))
    assert run.directory.is_locked()
    assert run.end() == 0
    assert ended.read_text().split() == ["gateway.sock", "authorization.sock", "storage.sock"]
    for name in ("gateway", "storage", "authorization"):
        assert re.search(rf"✓ {name} +unix:/.*{name}\.sock +\d\.\d\d s", run.output)
    assert re.search(r"ready after \d\.\d\d s", run.output)
    assert "export KUBECONFIG=/kubeconfig" in run.output
    assert run.output.count("kubectl ") == 3
    assert not run.directory.state.exists()
    assert not run.directory.is_locked()


def test_a_child_waits_for_those_that_it_needs(run):
    """It is not started before they are ready."""
    run.child("etcd", "--ready-after", "0.6", tier=0)
    run.child("storage", waits_for=("etcd",))
    run.start()
    found = run.ready()
    assert found["storage"].since - found["etcd"].since >= 0.6


def test_a_killed_child_is_named_with_its_last_lines_and_comes_back(run):
    """Which, why, and what it said; the others stay as they are."""
    run.child("storage")
    run.child("admission")
    run.start()
    before = run.ready()
    os.kill(before["storage"].pid, signal.SIGKILL)
    after = run.until(lambda found: found["storage"].restarts == 1 and found["storage"].ready)
    assert after["storage"].pid != before["storage"].pid
    assert after["admission"] == before["admission"]
    assert after["storage"].last_end == "was killed by SIGKILL"
    run.end()
    assert re.search(
        rf"✗ kubehop: storage \(pid {before['storage'].pid}\) was killed by SIGKILL after \d+\.\d s; its last lines:\n"
        rf"    \| stand-in {before['storage'].pid} says hello\n"
        r"kubehop: storage starts again in 0\.5 s \(restart 1\)\n"
        rf"kubehop: storage is ready again \(pid {after['storage'].pid}, \d\.\d s\)",
        run.output,
    )


def test_restarts_back_off(run):
    """Each death in a row doubles the pause."""
    run.child("storage", "--exit-after", "0.1")
    run.child("admission")
    run.start()
    run.until(lambda found: found["storage"].restarts >= 3)
    run.end()
    pauses = re.findall(r"storage starts again in ([\d.]+) s", run.output)
    assert pauses[:3] == ["0.5", "1", "2"]


def test_a_child_that_refuses_its_settings_ends_the_start(run):
    """Exit status 2 is passed on; nothing stays behind."""
    run.child("storage", "--exit-after", "0", "--status", "2")
    run.child("admission")
    run.start()
    assert run.wait() == 2
    assert "stand-in: no good" in run.output
    assert "giving up, storage does not start" in run.output
    assert not run.directory.state.exists()


def test_a_child_that_dies_at_each_start_ends_the_start(run):
    """After the third time; lines that are known are not repeated."""
    run.child("storage", "--exit-after", "0", "--status", "7")
    run.start()
    assert run.wait() == 1
    assert run.output.count("ended with status 7") == 3
    assert "giving up, storage does not start" in run.output


def test_a_start_takes_only_so_long(run):
    """Who is not ready, and what it said last."""
    run.child("storage", "--ready-after", "60", grace=0.2)
    run.child("admission")
    run.start(start_timeout=2.0)
    assert run.wait() == 1
    assert "storage not ready after 2 s (NOT_SERVING); last lines:" in run.output
    assert "admission not ready" not in run.output


def test_who_ignores_the_request_to_end_is_killed_after_its_grace(run):
    """The message names it."""
    run.child("storage", "--ignore-term", grace=0.5)
    run.start()
    run.ready()
    began = time.monotonic()
    assert run.end() == 0
    assert 0.5 <= time.monotonic() - began < 5
    assert "storage did not end in 0.5 s, killed it" in run.output


def test_a_second_signal_forces_the_end(run):
    """No grace then."""
    run.child("storage", "--ignore-term", grace=60.0)
    run.start()
    pid = run.ready()["storage"].pid
    run.process.send_signal(signal.SIGINT)
    run.until(lambda found: found[""].phase == "stopping")
    assert run.end(signal.SIGINT) == 0
    assert processes.identity(pid) == ""


def test_a_program_that_does_not_exist(run):
    """One line, and the end."""
    run.children.append(Child("etcd", ("/nowhere/etcd",), 0, Probe("unix:/nowhere"), "x"))
    run.start()
    assert run.wait() == 1
    assert "etcd" in run.output


@pytest.mark.skipif(
    not processes.LINUX, reason="only Linux ends children with their parent; others find them at next up"
)
def test_a_killed_supervisor_takes_its_children_along(run):
    """Nothing runs on unattended."""
    run.child("storage")
    run.start()
    found = run.ready()
    run.process.kill()
    run.wait()
    deadline = time.monotonic() + PATIENCE
    while found["storage"].is_running():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_detached_it_lets_go_when_ready(run):
    """Its output ends, it does not."""
    run.child("storage")
    run.start(detached=True)
    said = run.process.stdout.read()
    assert "`kubehop down` ends it" in said
    assert run.process.poll() is None
    assert run.state()[""].phase == "ready"
    assert run.end() == 0


def test_it_stays_small_and_quiet(run):
    """Less than 25 MB, and no CPU while nothing happens."""
    run.child("storage")
    run.start()
    found = run.ready()
    assert processes.resident_bytes(found[""].pid) < 25 << 20
    if processes.LINUX:
        before = cpu_ticks(found[""].pid)
        time.sleep(1)
        assert cpu_ticks(found[""].pid) - before <= 1


def cpu_ticks(pid):
    """User and system time of a process in clock ticks, from /proc."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))


def test_large_logs_start_over(tmp_path, monkeypatch):
    """Three old ones are kept, the file that is written stays the same."""
    monkeypatch.setattr(supervisor, "LOG_BYTES", 10)
    log = tmp_path / "storage.log"
    with log.open("a") as writer:
        for number in range(6):
            writer.write(f"line number {number}\n")
            writer.flush()
            supervisor.rotate([log])
        writer.write("on\n")
        writer.flush()
    assert log.read_text() == "on\n"
    assert [(tmp_path / f"storage.log.{n}").read_text() for n in (1, 2, 3)] == [
        "line number 5\n", "line number 4\n", "line number 3\n",
    ]  # fmt: skip
    assert not (tmp_path / "storage.log.4").exists()


def test_the_plan_survives_the_way_to_disk(tmp_path):
    """And is readable JSON."""
    child = Child("a", ("b", "c"), 1, Probe("unix:/d", port=3), "e", ("f",), {"G": "h"}, 2.0)
    plan = Plan((child,), "https://s", "/k", 1.5, True, 3.0)
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan
    assert json.loads((tmp_path / "plan.json").read_text())["server"] == "https://s"
