"""The data directory: lock, sockets, state."""

import os
import stat
import subprocess
import sys
import time

import pytest

from kubehop.cli import processes, state
from kubehop.cli.errors import CommandError


def test_lock_refuses_a_second_holder_and_names_the_first(tmp_path):
    """The message says how to go on."""
    directory = state.DataDirectory(tmp_path)
    directory.make()
    descriptor = directory.lock()
    state.write(directory, state.State(os.getpid(), processes.identity(os.getpid()), "ready", "", 0.0))
    assert directory.is_locked()
    with pytest.raises(CommandError, match=rf"already runs in .* \(pid {os.getpid()}\): end it with `kubehop down"):
        directory.lock()
    os.close(descriptor)
    assert not directory.is_locked()


def test_sockets_live_in_run_where_the_path_is_short(tmp_path_factory):
    """The data directory keeps everything."""
    directory = state.DataDirectory.at("/tmp/k")
    assert directory.sockets() == directory.run


def test_sockets_move_to_a_short_private_directory(tmp_path, monkeypatch):
    """A unix socket's path holds about 100 bytes; the other directory is for the owner only."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    (tmp_path / "r").mkdir()
    deep = state.DataDirectory(tmp_path / ("d" * 100))
    sockets = deep.sockets()
    assert len(os.fsencode(sockets)) + state.LONGEST_SOCKET_NAME <= state.LONGEST_SOCKET_PATH
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert deep.sockets() == sockets
    assert state.DataDirectory(tmp_path / ("e" * 100)).sockets() != sockets
    for directory in (tmp_path / "r").iterdir():
        directory.chmod(0o755)  # as if somebody else had made it
    assert (tmp_path / "r") not in deep.sockets().parents


def test_state_survives_the_way_to_disk(tmp_path):
    """What was written is read; what is not ours is None."""
    directory = state.DataDirectory(tmp_path)
    directory.make()
    written = state.State(1, "2", "ready", "https://x", 3.0, [state.ProcessState("etcd", 4, "5", 6.0, ready=True)])
    state.write(directory, written)
    assert state.read(directory) == written
    directory.state.write_text('{"other": 1}')
    assert state.read(directory) is None


def test_a_pid_is_only_believed_with_its_start(tmp_path):
    """A recycled pid is somebody else; a zombie is nobody."""
    command = [sys.executable, "-c", "print('here', flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout.readline() == b"here\n"
        started = processes.identity(child.pid)
        assert processes.is_running(child.pid, started)
        assert processes.resident_bytes(child.pid) > 1 << 20
        assert not processes.is_running(child.pid, started + "1")
        assert not processes.is_running(child.pid, "")
        child.kill()
        deadline = time.monotonic() + 5
        while processes.is_running(child.pid, started) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not processes.is_running(child.pid, started)
