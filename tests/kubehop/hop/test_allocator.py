"""What the C library does with freed memory."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
from kubehop.hop import allocator
assert allocator.keep_freed_memory()
block = b"x" * 300_000
block = [block + b"y" for _ in range(8)]
del block
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    blocks = [bytes(300_000) for _ in range(8)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_freed_blocks_are_not_paged_in_again() -> None:
    """Large blocks that come and go cost no page faults after the first ones."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2000  # 60,000 and more without the setting


def test_settings_of_the_user_win() -> None:
    """Somebody who has set MALLOC_* is left alone."""
    script = "from kubehop.hop import allocator; print(allocator.keep_freed_memory())"
    environment = {"MALLOC_ARENA_MAX": "2"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "False"
