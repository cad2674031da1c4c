# SPDX-License-Identifier: MIT
"""One setting of the C library's allocator, worth a quarter of an evaluation's time."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

# mallopt's parameter numbers, from glibc's malloc.h
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


@cache
def keep_freed_memory() -> bool:
    """Let the process keep freed memory for its next evaluation; returns whether it took effect.

    By default glibc gives arrays above 128 kB back to the system at once and asks for them
    afresh microseconds later; the page faults cost 154 instead of 118 ms per evaluation of
    water-accurate at 648 atoms. Up to 1.9 GB stay with the process instead. Elsewhere than with
    glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_MMAP_THRESHOLD, 1 << 25), (_TRIM_THRESHOLD, 1_900_000_000), (_TOP_PAD, 1 << 27))
    done = [bool(mallopt(parameter, value)) for parameter, value in wanted]
    return all(done)
