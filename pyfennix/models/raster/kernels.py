# SPDX-License-Identifier: MIT
"""RASTER's work per edge by compiled kernels, as functions with first derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pyfennix.exceptions import ModelError
from pyfennix.models.native.library import call, first_derivative

# Edges of one receiver that the kernels work on together, and the multiple rows are padded to
_BLOCK, _PAD = 32, 16


def padded(n: int, unit: int = _PAD) -> int:
    """The next multiple of ``unit``."""
    return -(-n // unit) * unit


@dataclass(frozen=True)
class Sizes:
    """Sizes of one attention layer; the kernels read them in this order (raster.h).

    ``later``: 0 for the first layer, whose queries, keys and values have one row per kind;
    ``by_kind``: its scalar heads are summed per kind of the neighbour and multiplied by no values.
    """

    later: int
    n_l: int
    tens_heads: int
    scal_heads: int
    channels: int
    radial: int
    hidden: int
    by_kind: int

    @property
    def n_tens(self) -> int:
        """Heads of one weighted harmonic per degree."""
        return self.n_l * self.tens_heads

    @property
    def heads(self) -> int:
        """All heads, padded."""
        return padded((1 + self.later) * self.n_tens + self.scal_heads)

    @property
    def components(self) -> int:
        """Harmonics."""
        return self.n_l**2

    @property
    def pattern(self) -> int:
        """The scalar heads, repeated until they fill whole vectors."""
        n = self.scal_heads
        while n % _PAD:
            n += self.scal_heads
        return n

    @property
    def values(self) -> int:
        """Width of an atom's values, [channel][head], padded."""
        return padded(self.channels * self.scal_heads, self.pattern)

    @property
    def queries(self) -> int:
        """Width of an atom's queries and keys, [channel][head]."""
        return self.channels * self.heads

    @property
    def inputs(self) -> int:
        """Inputs of the positional network."""
        return self.radial + self.later * self.n_tens

    @property
    def record(self) -> int:
        """Numbers of an edge: radial functions, harmonics, switch."""
        return self.radial + self.components + 1

    @property
    def kept(self) -> int:
        """Numbers of an edge that the passes hand on: see raster.h."""
        extra = self.hidden
        if self.later:
            extra = max(extra, padded(self.scal_heads + 2 * self.n_tens))
        return self.heads + padded(self.channels) + extra

    def memory(self, n_sums: int) -> int:
        """Scratch numbers of a thread, enough for any pass."""
        edge = (2 * padded(self.inputs) + 2 * self.hidden + self.kept + 2 * self.heads
                + 2 * self.pattern + padded(self.channels) + 1)
        atom = (2 * self.queries + 3 * self.heads + self.hidden + self.pattern
                + 4 * self.components * self.tens_heads + n_sums + 2 * self.values)
        return padded(_BLOCK * edge + atom)

    def table(self) -> Tensor:
        """The sizes as the kernels read them."""
        return torch.tensor([self.later, self.n_l, self.tens_heads, self.scal_heads,
                             self.channels, self.radial, self.hidden, self.by_kind])


@dataclass(eq=False)
class Positional:
    """Weights of the positional network, (in, out) and (out, in), rows padded; and the mixing."""

    w1: Tensor
    b1: Tensor
    w2: Tensor
    b2: Tensor
    w1_t: Tensor
    w2_t: Tensor
    mixing: Tensor


@dataclass(eq=False)
class List:
    """The short edges, sorted by receiver, and how the neighbours' rows are found.

    ``kind`` (n_total,) is each atom's row in the tables of the first layer; ``incoming`` and
    ``in_first`` list the edges by neighbour.
    """

    first: Tensor
    receiver: Tensor
    neighbor: Tensor
    kind: Tensor
    incoming: Tensor | None = None
    in_first: Tensor | None = None


# Order of the table `layer` in raster.h
_FIELDS = (
    "first", "neighbor", "kind", "receiver", "incoming", "in_first",
    "records", "q", "k", "v", "tensor", "w1", "b1", "w2", "b2", "w1_t", "w2_t", "mixing",
    "place", "kept", "out", "new_tensor", "g_out", "g_new",
    "g_records", "g_q", "g_k", "g_v", "g_tensor", "g_total", "memory",
    "q_stride", "k_stride", "v_stride", "out_stride", "n_sums", "n_own", "memory_size", "threads",
)


def _run(kernel: str, sizes: Sizes, n: int, fields: dict[str, Tensor | int | None]) -> None:
    """Call a kernel with the table of what it works on."""
    records = fields["records"]
    n_sums = fields["n_sums"]
    size, threads = sizes.memory(n_sums), torch.get_num_threads()
    memory = records.new_empty(threads * size)
    fields = fields | {"memory": memory, "memory_size": size, "threads": threads}
    values = []
    for name in _FIELDS:
        value = fields.get(name)
        if isinstance(value, Tensor):
            _check(name, value, records.dtype)
            value = value.data_ptr()
        values.append(value or 0)
    call(kernel, records.dtype, sizes.table(), torch.tensor(values), n)


def _check(name: str, value: Tensor, dtype: torch.dtype) -> None:
    """Refuse what a kernel would misread; parts of rows are reached by strides of their own."""
    by_stride = name.removeprefix("g_") in ("q", "k", "v", "out") and value.stride(-1) == 1
    if not (by_stride or value.is_contiguous()) or value.dtype not in (dtype, torch.int64):
        raise ValueError(f"kernels take contiguous {dtype} tensors only, not this {name}")


def edge_records(vectors: Tensor, edges: List, radii: Tensor, settings: Tensor, n_radial: int,
                 n_l: int) -> Tensor:
    """(E, radial + harmonics + 1) numbers of each edge from the (E, 3) vectors.

    ``radii`` (U,) of kinds, in Å; ``settings`` (10,) float64: cutoff, start and end of the
    covalent ramp per sum of radii, three exponents and three coefficients of the switch
    1 - c1 u^p1 + c2 u^p2 - c3 u^p3; the last, unless 0, makes it (1/2 + cos(pi u)/2)^p instead.
    """
    return _Records.apply(vectors, edges, radii, settings, n_radial, n_l)


class _Records(torch.autograd.Function):
    @staticmethod
    def forward(ctx, vectors, edges: List, radii, settings, n_radial: int, n_l: int):
        vectors = vectors.contiguous()
        ctx.save_for_backward(vectors, radii, settings)
        ctx.edges, ctx.shape = edges, (len(vectors), n_radial, n_l)
        records = vectors.new_empty(len(vectors), n_radial + n_l**2 + 1)
        call("raster_records", vectors.dtype, settings, vectors, edges.receiver, edges.neighbor,
             edges.kind, radii, *ctx.shape, records)
        return records

    @staticmethod
    @first_derivative
    def backward(ctx, gradient):
        (vectors, radii, settings), edges = ctx.saved_tensors, ctx.edges
        out = torch.empty_like(vectors)
        call("raster_records_gradient", vectors.dtype, settings, vectors, edges.receiver,
             edges.neighbor, edges.kind, radii, *ctx.shape, gradient.contiguous(), out)
        return out, None, None, None, None, None


def attention(records: Tensor, q: Tensor, kv: Tensor, tensor: Tensor | None, edges: List,
              place: Tensor, sizes: Sizes, weights: Positional,
              n_sums: int) -> tuple[Tensor, Tensor]:
    """One layer up to the input of its update network.

    Parameters
    ----------
    records
        (E, record) of the edges.
    q, kv
        Rows of queries and own values, and of keys and values; of kinds in the first layer, else
        q of centers and kv of all atoms.
    tensor
        (n_total, M, tens_heads), or None in the first layer.
    place
        (n_center,) row of each center in the result.
    n_sums
        Sums of scalar heads: ``sizes.values``, or heads times kinds where they are by kind.

    Returns
    -------
    (n_center, sums + invariants + own) and (n_center, M, tens_heads). The derivative can be taken
    once, not differentiated again.
    """
    return _Attention.apply(records, q, kv, tensor, edges, place, sizes, weights, n_sums)


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, records, q, kv, tensor, edges: List, place, sizes: Sizes,
                weights: Positional, n_sums: int):
        records, q, kv = records.contiguous(), q.contiguous(), kv.contiguous()
        tensor = None if tensor is None else tensor.contiguous()
        n_center, n_own = len(edges.first) - 1, q.shape[1] - sizes.queries
        keep = any(ctx.needs_input_grad)
        kept = records.new_empty(len(records), sizes.kept) if keep else None
        out = records.new_empty(n_center, n_sums + sizes.n_tens + n_own)
        new = records.new_empty(n_center, sizes.components, sizes.tens_heads)
        fields = vars(edges) | vars(weights) | {
            "records": records, "q": q, "k": kv, "v": kv[:, sizes.queries :], "tensor": tensor,
            "place": place, "kept": kept, "out": out, "new_tensor": new, "q_stride": q.shape[1],
            "k_stride": kv.shape[1], "v_stride": kv.shape[1], "out_stride": out.shape[1],
            "n_sums": n_sums, "n_own": n_own,
        }
        _run("raster_forward", sizes, n_center, fields)
        # a result kept by its own node would never be freed
        ctx.save_for_backward(new)
        ctx.fields = {name: value for name, value in fields.items() if value is not new}
        ctx.fields["out"], ctx.sizes = None, sizes
        return out, new

    @staticmethod
    @first_derivative
    def backward(ctx, g_out, g_new):
        sizes, fields = ctx.sizes, ctx.fields | {"new_tensor": ctx.saved_tensors[0]}
        if ctx.fields["kept"] is None:
            raise ModelError("the gradient of a compiled layer can be taken once only: "
                             "set model.native = False for more")
        ctx.fields["kept"] = None
        records, q, kv, tensor = (fields[name] for name in ("records", "q", "k", "tensor"))
        n_center, later = len(fields["first"]) - 1, bool(sizes.later)
        g_records = torch.empty_like(records)
        fields = fields | {"g_out": g_out.contiguous(), "g_new": g_new.contiguous(),
                           "g_records": g_records}
        g_q = g_kv = g_tensor = None
        if later:
            g_q, g_kv, g_tensor = (torch.empty_like(x) for x in (q, kv, tensor))
            g_tensor[n_center:] = 0.0
            g_kv[:, sizes.queries + sizes.values :] = 0.0
            fields |= {"g_q": g_q, "g_k": g_kv, "g_v": g_kv[:, sizes.queries :],
                       "g_tensor": g_tensor, "g_total": fields["g_new"].new_empty(g_new.shape)}
        _run("raster_backward", sizes, n_center, fields)
        if later:
            _run("raster_incoming", sizes, len(kv), fields)
        return g_records, g_q, g_kv, g_tensor, None, None, None, None, None
