# SPDX-License-Identifier: MIT
"""Attention logits of RASTER, contracted in blocks of edges that fit in a core's cache.

The logit of edge e = (i, j) and head h is ``sum_c q[i, h, c] w[e, c] k[j, h, c]``. Written with
tensor operations it moves arrays of (edges, heads, channels) through memory a dozen times; here
they only ever exist for one block of edges. The gradient is again of this kind, and so is the
gradient of the gradient, which training on forces needs; a third derivative is refused.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Edges x heads x channels of one block: half a megabyte of float32, a few of which fit in L2.
_BLOCK = 1 << 17


def attention_logits(q: Tensor, k: Tensor, w: Tensor, receiver: Tensor, neighbor: Tensor) -> Tensor:
    """(E, H) logits.

    Parameters
    ----------
    q, k
        (n, H, A) queries of receivers and keys of neighbours.
    w
        (E, A) encoding of each edge, shared by all heads.
    receiver, neighbor
        (E,) rows of ``q`` and ``k``.
    """
    # heads innermost: products with w and g then broadcast along longer contiguous runs
    q, k = q.transpose(1, 2).contiguous(), k.transpose(1, 2).contiguous()
    return _Logits.apply(q, k, w, receiver, neighbor)


def _blocks(w: Tensor, q: Tensor) -> range:
    """Starts of the blocks; the step is the number of edges in one.

    A GPU gains nothing from small blocks, so there the whole list is one.
    """
    step = max(1, _BLOCK // (q.shape[1] * q.shape[2])) if w.device.type == "cpu" else len(w)
    return range(0, len(w), max(step, 1))


class _Logits(torch.autograd.Function):
    """Here and below ``q`` and ``k`` are (n, A, H)."""

    @staticmethod
    def forward(ctx, q, k, w, receiver, neighbor):
        ctx.save_for_backward(q, k, w, receiver, neighbor)
        out = w.new_empty(len(w), q.shape[2])
        blocks = _blocks(w, q)
        for start in blocks:
            e = slice(start, start + blocks.step)
            product = q.index_select(0, receiver[e])
            product *= k.index_select(0, neighbor[e])
            product *= w[e].unsqueeze(2)
            torch.sum(product, 1, out=out[e])
        return out

    @staticmethod
    def backward(ctx, grad):
        q, k, w, receiver, neighbor = ctx.saved_tensors
        return (*_LogitsGradient.apply(grad, q, k, w, receiver, neighbor), None, None)


class _LogitsGradient(torch.autograd.Function):
    """(dq, dk, dw) as functions of (grad, q, k, w)."""

    @staticmethod
    def forward(ctx, grad, q, k, w, receiver, neighbor):
        ctx.save_for_backward(grad, q, k, w, receiver, neighbor)
        dq, dk, dw = torch.zeros_like(q), torch.zeros_like(k), torch.empty_like(w)
        blocks = _blocks(w, q)
        for start in blocks:
            e = slice(start, start + blocks.step)
            qe, ke = q.index_select(0, receiver[e]), k.index_select(0, neighbor[e])
            g = grad[e].unsqueeze(1)
            torch.sum((qe * ke).mul_(g), 2, out=dw[e])
            gw = g * w[e].unsqueeze(2)
            dq.index_add_(0, receiver[e], ke.mul_(gw))
            dk.index_add_(0, neighbor[e], qe.mul_(gw))
        return dq, dk, dw

    @staticmethod
    @once_differentiable
    def backward(ctx, uq, uk, uw):
        grad, q, k, w, receiver, neighbor = ctx.saved_tensors
        dg, dw = torch.empty_like(grad), torch.empty_like(w)
        dq, dk = torch.zeros_like(q), torch.zeros_like(k)
        blocks = _blocks(w, q)
        for start in blocks:
            e = slice(start, start + blocks.step)
            i, j = receiver[e], neighbor[e]
            qe, ke = q.index_select(0, i), k.index_select(0, j)
            uqe, uke = uq.index_select(0, i), uk.index_select(0, j)
            we, uwe, g = w[e].unsqueeze(2), uw[e].unsqueeze(2), grad[e].unsqueeze(1)
            cross = uqe * ke
            cross.addcmul_(qe, uke)
            torch.sum((cross * we).addcmul_(qe * ke, uwe.expand_as(ke)), 1, out=dg[e])
            torch.sum(cross.mul_(g), 2, out=dw[e])
            gw, guw = g * we, g * uwe
            dq.index_add_(0, i, (guw * ke).addcmul_(gw, uke))
            dk.index_add_(0, j, (guw * qe).addcmul_(gw, uqe))
        return dg, dq, dk, dw, None, None
