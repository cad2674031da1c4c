# SPDX-License-Identifier: MIT
"""Finds the compiled kernels for this processor and calls them with torch tensors."""

from __future__ import annotations

import ctypes
import os
import platform
import warnings
from collections.abc import Iterable
from functools import cache, wraps
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor

from pyfennix.exceptions import ModelError

SUFFIX = {torch.float32: "f32", torch.float64: "f64"}

# What a level of the x86-64 psABI needs, by the names of /proc/cpuinfo
_LEVELS = {
    "v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "fma", "avx2", "bmi2"},
    "v3": {"fma", "avx2", "bmi2", "f16c", "movbe"},
}


def _levels() -> list[str]:
    """Builds that this processor can run, best first."""
    best: list[str] = []
    if platform.machine() == "x86_64":
        try:
            text = Path("/proc/cpuinfo").read_text()
        except OSError:
            text = ""
        line = next((row for row in text.splitlines() if row.startswith("flags")), "")
        have = set(line.split())
        best = [level for level, needs in _LEVELS.items() if needs <= have]
    return [*best, "base"]


@cache
def library() -> ctypes.CDLL | None:
    """The kernels built for this processor; None when none were installed.

    The library uses OpenMP; torch is loaded first, so both share one pool of threads.
    """
    for level in _levels():
        # asked of importlib: in an editable installation they lie in the build folder
        path = resources.files("pyfennix.models.native").joinpath(f"kernels-{level}.so")
        if path.is_file():
            return ctypes.CDLL(os.fspath(path))
    warnings.warn("this installation of pyfennix lacks its compiled kernels: models run several "
                  "times slower", stacklevel=2)
    return None


def available(like: Tensor) -> bool:
    """Whether kernels can work on tensors like this one.

    They never do when the variable PYFENNIX_NATIVE is 0; torch operations are used instead.
    """
    if like.device.type != "cpu" or like.dtype not in SUFFIX:
        return False
    return os.environ.get("PYFENNIX_NATIVE", "1") != "0" and library() is not None


def wanted(native: bool, like: Tensor, parameters: Iterable[Tensor]) -> bool:
    """Whether a model with this setting (see ``Model.native``) takes the kernels now.

    They give first derivatives by positions only, so never while a parameter is trained.
    """
    if not native or not available(like):
        return False
    return not (torch.is_grad_enabled() and any(p.requires_grad for p in parameters))


def first_derivative(backward):
    """Decorator of a kernel's ``backward``: ModelError where a derivative of it is prepared."""

    @wraps(backward)
    def checked(ctx, *gradients):
        # so it is with create_graph only; an error on use would be None for some callers
        if torch.is_grad_enabled():
            raise ModelError("compiled kernels give first derivatives only: "
                             "set model.native = False for second ones")
        return backward(ctx, *gradients)

    return checked


def call(name: str, dtype: torch.dtype, *arguments: Tensor | int | float | None) -> None:
    """Call the kernel ``name`` built for ``dtype``: ``void name_f32(arguments)``.

    Contiguous tensors become addresses, None a null pointer, int int64_t and float double. The
    kernel writes into tensors that the caller has made; nothing is checked on the other side.
    """
    function = _function(f"{name}_{SUFFIX[dtype]}")
    function(*map(_convert, arguments))


def scaled(gradient: Tensor, factor: Tensor, first: Tensor) -> Tensor:
    """(E, 3) each edge's gradient times the factor of its receiver, (n_center,)."""
    out = torch.empty_like(gradient)
    call("scale_edges", out.dtype, gradient, factor.contiguous(), first, len(factor), out)
    return out


@cache
def _function(symbol: str):
    function = getattr(library(), symbol)
    function.restype = None
    return function


def _convert(value: Tensor | int | float | None):
    if value is None:
        return ctypes.c_void_p(None)
    if isinstance(value, Tensor):
        if not value.is_contiguous():
            raise ValueError("kernels take contiguous tensors only")
        return ctypes.c_void_p(value.data_ptr())
    if isinstance(value, int):
        return ctypes.c_int64(value)
    return ctypes.c_double(value)
