# SPDX-License-Identifier: MIT
"""Exceptions as one sentence and a status: nothing may be raised across Fortran."""

from __future__ import annotations

import ctypes
import os
import sys
import traceback
from pathlib import Path

from pyfennix import seam
from pyfennix.exceptions import FennixError

TRACEBACK = "PYFENNIX_TRACEBACK"


class Failure:
    """The text of a context's first failure, fetched by the engine through `message`.

    Attributes
    ----------
    message
        C function ``message(context, buffer, size)``; must live as long as Fortran may call it.
    error
        The exception itself, for a Python host that wants to raise it again; None before.
    """

    def __init__(self, what: str, culprit: object = None):
        self.what = what
        self.culprit = culprit
        self.error: BaseException | None = None
        self._told = False
        self.message = seam.MessageFunction(self._fetch)

    def note(self, error: BaseException) -> int:
        """Keep the first error until the engine has asked for it; returns a failed status."""
        if self.error is None or self._told:
            self.error, self._told = error, False
        show_traceback(error)
        return 1

    def text(self) -> str:
        """One sentence for the first failure, empty without one."""
        return "" if self.error is None else sentence(self.error, self.what, self.culprit)

    def take(self) -> BaseException | None:
        """The first failure, which is forgotten: a Python host raises it again."""
        error, self.error = self.error, None
        return error

    def _fetch(self, _context: int, buffer: int, size: int) -> None:
        self._told = True
        text = short_bytes(self.text(), size)
        ctypes.memmove(buffer, text + b"\0", len(text) + 1)


def short_bytes(text: str, size: int) -> bytes:
    """UTF-8 that fits `size` bytes with a terminating zero, cut between characters."""
    return text.encode()[: size - 1].decode(errors="ignore").encode()


def sentence(error: BaseException, what: str, culprit: object = None) -> str:
    """One line that says what went wrong, and whose fault it is.

    Parameters
    ----------
    what
        What was being done, for an error of our own.
    culprit
        A model of the user's: an error raised in its file is told as its own.
    """
    kind = type(error).__name__
    text = " ".join(str(error).split()) or "without a text"
    if isinstance(error, FennixError):
        return text
    if kind == "OutOfMemoryError":
        return f"the device ran out of memory in {what}; use a smaller system or float32"
    place = user_line(error, culprit)
    if place is not None:
        file, line = place
        return f"{file}:{type(culprit).__name__} raised {kind}: {text} ({file}, line {line})"
    hint = "" if os.environ.get(TRACEBACK) else f" (set {TRACEBACK}=1 to see where)"
    return f"internal error in {what}: {kind}: {text}{hint}"


def user_line(error: BaseException, culprit: object) -> tuple[str, int] | None:
    """File name and line of the innermost frame in the culprit's own file, if it is not ours."""
    if culprit is None:
        return None
    file = getattr(sys.modules.get(type(culprit).__module__), "__file__", None)
    if file is None or Path(__file__).parent in Path(file).parents:
        return None
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename) == Path(file):
            return Path(file).name, frame.lineno or 0
    return None


def show_traceback(error: BaseException) -> None:
    """Print the traceback when the user asked for it in the environment."""
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error, file=sys.stderr)
