# SPDX-License-Identifier: MIT
"""Progress of long work, on one line of stderr."""

from __future__ import annotations

import sys
import time


class Progress:
    """Shows how many of a number of steps are done, how fast, and how long the rest takes.

    Parameters
    ----------
    steps
        Steps in all.
    what
        Their name in the plural.
    start
        Steps that were done before.
    """

    def __init__(self, steps: int, what: str = "steps", start: int = 0):
        self.steps = steps
        self.what = what
        self._begin = self._shown = time.monotonic()
        self._start = self._done = start

    def show(self, done: int) -> None:
        """Rewrite the line, at most twice a second; ends it when all is done."""
        self._done = done
        now = time.monotonic()
        if now - self._shown < 0.5 and done < self.steps:
            return
        self._shown = now
        speed = (done - self._start) / max(now - self._begin, 1e-9)
        left = (self.steps - done) / speed if speed else 0.0
        line = f"\r{100 * done // self.steps:4d} %  {done} of {self.steps} {self.what}"
        line += f"  {speed:.1f} {self.what}/s  {left:.0f} s left   "
        print(line, end="\n" if done == self.steps else "", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Print a line on stdout that stays, without mixing it with the line of progress."""
        print(f"\r{'':<78}\r", end="", file=sys.stderr, flush=True)
        print(text, flush=True)

    def stop(self, reason: str) -> None:
        """End the line before all is done, and say why."""
        if self._done < self.steps:
            line = f"\r{self._done} of {self.steps} {self.what}: stopped by {reason}"
            print(f"{line:<78}", file=sys.stderr, flush=True)
