"""Logs of several processes as one story."""

import os
import time

from kubehop.cli import journal

NOON = time.mktime((2026, 3, 5, 12, 0, 0, 0, 0, -1))


def log(directory, name, text, changed=NOON):
    path = directory / name
    path.write_text(text)
    os.utime(path, (changed, changed))
    return path


def told(logs):
    return [(name, text) for _, name, text in journal.merged(logs)]


def test_lines_of_all_processes_come_in_the_order_of_time(tmp_path):
    """Whatever the form of their time stamps."""
    utc = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(NOON - 60))
    gateway = log(tmp_path, "gateway.log", "11:59:00.100 a\n11:59:00.400 d\n")
    storage = log(tmp_path, "storage.log", f'{{"timestamp": "{utc}00.200000Z", "event": "b"}}\n')
    etcd = log(tmp_path, "etcd.log", f'{{"level":"warn","ts":"{utc}00.300Z","msg":"c"}}\n')
    assert [name for name, _ in told([etcd, storage, gateway])] == ["gateway", "storage", "etcd", "gateway"]


def test_lines_without_time_stay_with_the_line_before(tmp_path):
    """A traceback is not torn apart."""
    one = log(tmp_path, "one.log", "11:00:00.000 error\nTraceback:\n  File\n11:00:02.000 on\n")
    two = log(tmp_path, "two.log", "11:00:01.000 meanwhile\n")
    assert [text for _, text in told([one, two])] == [
        "11:00:00.000 error", "Traceback:", "  File", "11:00:01.000 meanwhile", "11:00:02.000 on",
    ]  # fmt: skip


def test_midnight_passes(tmp_path):
    """After 23:59 comes 00:00 of the next day, also beside a process that logs dates."""
    just_after = NOON - 12 * 3600 + 1
    one = log(tmp_path, "one.log", "23:59:59.500 before\n00:00:00.500 after\n", just_after)
    dated = time.strftime("%Y-%m-%dT%H:%M:%S.000", time.gmtime(just_after - 1)) + "Z between\n"
    two = log(tmp_path, "two.log", dated, just_after)
    assert [text.split()[-1] for _, text in told([one, two])] == ["before", "between", "after"]


def test_rotated_files_come_first(tmp_path):
    """The oldest has the highest number."""
    log(tmp_path, "one.log.2", "10:00:00.000 first\n")
    log(tmp_path, "one.log.1", "10:00:01.000 second\n")
    assert [text[-5:] for _, text in told([log(tmp_path, "one.log", "10:00:02.000 third\n")])] == [
        "first", "econd", "third",
    ]  # fmt: skip


def test_tail_follows_through_rotation_and_waits_for_whole_lines(tmp_path):
    """A half line is not shown until the rest has come."""
    path = log(tmp_path, "one.log", "10:00:00.000 old\n")
    tail = journal.Tail(path)
    assert tail.new_lines() == []
    with path.open("a") as file:
        file.write("10:00:01.000 new\n10:00:02.000 ha")
    assert [text for _, _, text in tail.new_lines()] == ["10:00:01.000 new"]
    with path.open("a") as file:
        file.write("lf\n")
    assert [text for _, _, text in tail.new_lines()] == ["10:00:02.000 half"]
    path.write_text("10:00:03.000 anew\n")
    assert [text for _, _, text in tail.new_lines()] == ["10:00:03.000 anew"]
