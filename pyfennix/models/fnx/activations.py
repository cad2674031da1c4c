# SPDX-License-Identifier: MIT
"""Activation functions by the texts that name them in a ``.fnx`` file."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from pyfennix.exceptions import ModelError

Activation = Callable[[Tensor], Tensor]


def _softplus(x: Tensor) -> Tensor:
    # torch's own is the identity above 20, which leaves 2e-9
    return torch.logaddexp(x, torch.zeros((), dtype=x.dtype, device=x.device))


def _shifted_softplus(x: Tensor) -> Tensor:
    return _softplus(x) - math.log(2.0)


def _mish(x: Tensor) -> Tensor:
    return x * torch.tanh(_softplus(x))


def _aptx(x: Tensor) -> Tensor:
    return (1.0 + torch.tanh(x)) * x


def _gelu(x: Tensor, approximate: bool = True) -> Tensor:
    return functional.gelu(x, approximate="tanh" if approximate else "none")


def _celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    # torch.celu's gradient rounds 1 / alpha to float32 (torch 2), its elu does not
    return torch.ops.aten.elu(x, alpha, 1.0, 1.0 / alpha)


def _identity(x: Tensor) -> Tensor:
    return x


# name -> function, and the settings that partial(name, setting=value) may give
_KNOWN: dict[str, tuple[Callable, tuple[str, ...]]] = {
    "swish": (functional.silu, ()),
    "silu": (functional.silu, ()),
    "celu": (_celu, ("alpha",)),
    "elu": (functional.elu, ("alpha",)),
    "selu": (functional.selu, ()),
    "gelu": (_gelu, ("approximate",)),
    "relu": (functional.relu, ()),
    "leaky_relu": (functional.leaky_relu, ("negative_slope",)),
    "sigmoid": (torch.sigmoid, ()),
    "tanh": (torch.tanh, ()),
    "softplus": (_softplus, ()),
    "ssp": (_shifted_softplus, ()),
    "mish": (_mish, ()),
    "aptx": (_aptx, ()),
    "sin": (torch.sin, ()),
    "cos": (torch.cos, ()),
    "square": (torch.square, ()),
    "identity": (_identity, ()),
    "linear": (_identity, ()),
    "none": (_identity, ()),
}


def activation(text: str) -> Activation:
    """The function that ``text`` names: ``"silu"``, ``"partial(celu, alpha=0.1)"``.

    Raises
    ------
    ModelError
        For anything else, with the names that are known.
    """
    try:
        call = ast.parse(str(text).strip(), mode="eval").body
        settings = {}
        if isinstance(call, ast.Call) and _name(call.func) == "partial" and len(call.args) == 1:
            settings = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
            call = call.args[0]
        function, allowed = _KNOWN[_name(call)]
        if not set(settings) <= set(allowed) or not all(
            isinstance(value, int | float) for value in settings.values()
        ):
            raise KeyError(text)
    except (SyntaxError, ValueError, KeyError):
        raise ModelError(
            f"activation {text!r} is not supported: use one of {', '.join(_KNOWN)}, "
            "or partial(celu, alpha=0.1) and the like"
        ) from None
    return partial(function, **settings) if settings else function


def _name(node: ast.AST) -> str:
    """The last part of ``celu`` or ``nn.celu``; empty for anything else."""
    if isinstance(node, ast.Attribute) and _name(node.value) == "nn":
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
