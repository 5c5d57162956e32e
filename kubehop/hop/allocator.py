"""How the C library keeps memory that has been freed, set once per process by `kubehop.hop.process`.

Messages of some hundred KB come and go with every large list. glibc gives such blocks back to the system as soon as
they are freed, and the next one is paged in anew, a fault for each 4 KB: that cost six times the copying itself (lists
of 1.3 MB in chunks of 256 KB: 790 against 125 µs). Environment variables of the user (MALLOC_*) win.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
KEPT_BYTES: Final = 16 * 1024 * 1024
"""Free memory at the end of the heap that is kept."""
HEAP_BYTES: Final = 4 * 1024 * 1024
"""Size from which on a block is mapped by itself, and given back when it is freed."""


def keep_freed_memory() -> bool:
    """Let the heap keep what large messages used; False where the C library has no such setting."""
    if any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl and macOS
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, HEAP_BYTES)) and bool(mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES))
