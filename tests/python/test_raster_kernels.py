# SPDX-License-Identifier: MIT
"""RASTER's compiled kernels against the torch operations they stand for."""

import numpy as np
import pytest
import torch
from helpers.waters import cubic, waters

from pyfennix.exceptions import ModelError
from pyfennix.models.evaluate import evaluate, evaluate_topology
from pyfennix.models.fnx.edges import Edges
from pyfennix.models.fnx.layers import BlockNet
from pyfennix.models.graph import Topology
from pyfennix.models.native.library import available
from pyfennix.models.pairs import build_pairs
from pyfennix.models.raster.compiled import compilable, embed
from pyfennix.models.raster.config import RasterConfig
from pyfennix.models.raster.embedding import Raster
from pyfennix.models.raster.kernels import List, attention
from pyfennix.models.raster.packing import pack_layer
from pyfennix.models.registry import load_model

pytestmark = pytest.mark.skipif(
    not available(torch.zeros(1)), reason="no compiled kernels for this machine"
)

BIO1 = {"att_activation": "swish", "update_hidden": (12, 10), "dim": 14}
SIZES = {
    "bio1M": {**BIO1, "scal_heads": 16, "tens_heads": 4},
    "bio1S": {**BIO1, "scal_heads": 8, "tens_heads": 1},
    "distilled": {**BIO1, "scal_heads": 8, "tens_heads": 1, "nlayers": 1},
    "three layers": {**BIO1, "scal_heads": 5, "tens_heads": 2, "nlayers": 3, "radial_dim": 7,
                     "att_dim": 6, "positional_hidden": 20},
    "wide": {**BIO1, "scal_heads": 40, "tens_heads": 9, "att_dim": 24, "lmax": 1},
    "scalar": {**BIO1, "scal_heads": 3, "tens_heads": 1, "att_dim": 1, "lmax": 0},
    "one matrix": {**BIO1, "scal_heads": 4, "tens_heads": 6, "lmax": 2, "update_hidden": ()},
    "long range": {**BIO1, "scal_heads": 4, "tens_heads": 3, "lmax": 2, "lode_channels": 2,
                   "lmax_lode": 1, "lode_extra_powers": (6, 8), "lode_cutoff": 6.0,
                   "lode_rshort": 1.0, "lode_dshort": 1.5},
}
SWITCHES = [("polynomial", 4.0), ("polynomial", torch.tensor(7.9)), ("cosine", 1.0),
            ("cosine", 2.3), ("hard", 1.0)]


def edge_list(rng, counts, n_total, kind, n_kinds, cutoff, dtype, switch=SWITCHES[1]) -> Edges:
    """Random edges of every length up to the cutoff, some of them from an atom to itself."""
    n = int(np.sum(counts))
    vectors = rng.normal(size=(n, 3))
    vectors *= rng.uniform(0.05, cutoff, (n, 1)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[: min(n, 1)] *= 1e-3  # below the least distance
    first = torch.tensor(np.concatenate([[0], np.cumsum(counts)]), dtype=torch.int64)
    return Edges(
        vectors=torch.tensor(vectors, dtype=dtype).requires_grad_(True),
        receiver=torch.repeat_interleave(torch.arange(len(counts)), first.diff()),
        neighbor=torch.tensor(rng.integers(0, max(n_total, 1), n)), order=torch.arange(n),
        first=first, pair_rows=(n_kinds * kind, kind, n_kinds**2),
        switch_settings=(cutoff, *switch, True),
    )


class Case:
    """An embedding with random weights and edges, evaluated by kernels or by torch."""

    def __init__(self, sizes, counts=(3, 0, 40, 7, 5), n_total=8, n_kinds=3,
                 dtype=torch.float64, switch=SWITCHES[1]):
        torch.manual_seed(1)
        rng = np.random.default_rng(2)
        config = RasterConfig(**sizes)
        # drawn in float32 whatever the dtype, so that models of both are the same
        self.raster = Raster(config, 6, ("A", "B")).requires_grad_(False)
        for name, value in self.raster.named_parameters():
            if name.endswith("bias"):
                value.normal_(std=0.3)
        self.raster.to(dtype)
        self.kind = torch.tensor(rng.integers(0, n_kinds, n_total))
        pairs = torch.cartesian_prod(torch.arange(n_kinds), torch.arange(n_kinds)).T
        radii = torch.tensor(rng.uniform(0.3, 1.0, n_kinds), dtype=dtype)
        species = torch.randn(n_kinds, 6).to(dtype)
        self.static = self.raster.static(species, radii, tuple(pairs))
        lists = [edge_list(rng, counts, n_total, self.kind, n_kinds, r, dtype, switch)
                 for r in (3.5, 6.0)]
        self.short, self.long = lists
        self.n_center = len(counts)
        block = self.kind[: self.n_center] == 0
        self.partition = [("A", block.nonzero().squeeze(1)), ("B", (~block).nonzero().squeeze(1))]

    def __call__(self, native: bool, final: bool = False):
        """Embedding, tensor, and gradients of a function of both by the edge vectors."""
        for edges in (self.short, self.long):
            edges.native = native
            edges.made_distances = edges.made_switch = edges.made_pair = None
            edges.cache.clear()
        function = embed if native else Raster.forward
        x, tensor = function(self.raster, self.static, self.kind, self.short, self.long,
                             self.partition, self.n_center, final)
        weights = [torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view_as(y).cos()
                   for y in (x, tensor)]
        value = (weights[0] * x).sum() + (weights[1] * tensor).sum()
        leaves = [self.short.vectors] + [self.long.vectors] * (self.raster.lode is not None)
        return x.detach(), tensor.detach(), *torch.autograd.grad(value, leaves)


def agree(case, limit=1e-10, **options):
    for compiled, plain in zip(case(True, **options), case(False, **options), strict=True):
        assert compiled.shape == plain.shape
        scale = max(float(plain.abs().max()), 1e-3) if plain.numel() else 1.0
        assert torch.allclose(compiled, plain, rtol=0, atol=limit * scale)


@pytest.mark.parametrize("n_kinds", [1, 3, 60])
@pytest.mark.parametrize("name", SIZES)
def test_kernels_are_the_torch_operations(name, n_kinds):
    agree(Case(SIZES[name], n_kinds=n_kinds), final=name == "bio1M")


@pytest.mark.parametrize("name", SIZES)
def test_single_precision_is_double_but_for_rounding(name):
    # not below what float32 resolves: the shortest edge would have a gradient of 1e6
    single, double = (Case(SIZES[name], dtype=dtype) for dtype in (torch.float32, torch.float64))
    single.short.vectors.data[0] = double.short.vectors.data[0] = torch.tensor([0.4, 0.5, 0.6])
    for x, y in zip(single(True), double(True), strict=True):
        assert torch.allclose(x.double(), y, rtol=0, atol=1e-4 * float(y.abs().max()))


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_switch(switch):
    agree(Case(SIZES["distilled"], switch=switch))


@pytest.mark.parametrize("counts", [(), (0,), (0, 0, 0), (1,), (300,)])
def test_few_atoms_and_many_edges(counts):
    for name in ("bio1S", "distilled"):
        agree(Case(SIZES[name], counts=counts, n_total=max(len(counts), 0)))


@pytest.mark.parametrize("neurons", [(5,), (7, 5), (16, 9, 5)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_out", [None, 2])
def test_block_networks(neurons, bias, n_out):
    torch.manual_seed(3)
    net = BlockNet(("A", "B", "C"), 6, neurons, bias).double().requires_grad_(False)
    partition = [("B", torch.tensor([4, 0])), ("A", torch.tensor([], dtype=torch.int64)),
                 ("C", torch.tensor([1, 2, 3]))]
    x = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
    results = []
    for native in (True, False):
        out = net(x, partition, n_out, native=native)
        results.append((out.detach(), *torch.autograd.grad(out.sin().sum(), x)))
    for compiled, plain in zip(*results, strict=True):
        assert torch.allclose(compiled, plain, rtol=1e-12, atol=1e-13)
    # rows of no block stay zero, by torch
    assert not net(x, partition[:1], n_out, native=True)[1:4].any()


def test_other_activations_are_left_to_torch():
    assert compilable(RasterConfig(att_activation="silu"))
    assert not compilable(RasterConfig())
    assert not compilable(RasterConfig(att_activation="swish", positional_activation="tanh"))


def water(name, native, seed=1, dtype="float64"):
    model = load_model(name, dtype)
    model.native = native
    numbers, positions = waters(cubic(8), (2, 2, 2), seed)
    return model, numbers, positions


@pytest.mark.parametrize("name", ["water-accurate", "water-fast"])
def test_forces_and_virials_of_shipped_models(name):
    results = []
    for native in (True, False):
        model, numbers, positions = water(name, native)
        results.append(evaluate(model, numbers, positions, cubic(8)))
    compiled, plain = results
    assert compiled.energy == pytest.approx(plain.energy, rel=1e-11)
    assert np.abs(compiled.forces - plain.forces).max() < 1e-10
    assert np.abs(compiled.virial - plain.virial).max() < 1e-9


@pytest.mark.parametrize("name", ["water-accurate", "water-fast"])
def test_finite_differences_through_the_kernels(name):
    model, numbers, positions = water(name, True)
    forces = evaluate(model, numbers, positions, cubic(8)).forces
    rng, step = np.random.default_rng(3), 1e-4
    for _ in range(3):
        direction = rng.normal(size=positions.shape)
        energies = [evaluate(model, numbers, positions + k * step * direction, cubic(8)).energy
                    for k in (-2, -1, 1, 2)]
        slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * step)
        assert -(forces * direction).sum() == pytest.approx(slope, rel=1e-7, abs=1e-6)


def run_layer(case):
    """Results and gradients of the kernels of a later layer alone, from random rows."""
    layer, n_total = pack_layer(case.raster, 1), len(case.kind)
    sizes = layer.sizes
    rng = np.random.default_rng(5)

    def rows(*shape):
        return torch.tensor(rng.normal(size=shape), dtype=torch.float32).requires_grad_(True)

    inputs = (rows(len(case.short.neighbor), sizes.record),
              rows(case.n_center, layer.queries.shape[1]),
              rows(n_total, layer.keys_values.shape[1]),
              rows(n_total, sizes.components, sizes.tens_heads))
    edges = List(case.short.first, case.short.receiver, case.short.neighbor, case.kind,
                 *case.short.incoming(n_total))
    place = torch.arange(case.n_center).flip(0)
    out = attention(*inputs, edges, place, sizes, layer.weights, sizes.values)
    value = sum(y.sin().sum() for y in out)
    return [y.detach() for y in out] + list(torch.autograd.grad(value, inputs))


def test_results_do_not_depend_on_the_number_of_threads():
    case = Case(SIZES["bio1M"], counts=(17,) * 40, n_total=50, dtype=torch.float32)
    threads, results = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(run_layer(case))
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(x, y) for x, y in zip(results[0], other, strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_position_that_is_no_number_is_refused(dtype):
    model, numbers, positions = water("water-fast", True, dtype=dtype)
    positions[4, 1] = np.nan
    n = len(numbers)
    pairs = build_pairs(np.nan_to_num(positions), cubic(8), model.cutoff)
    topology = Topology.from_csr(numbers, *pairs, n, n, n)
    with pytest.raises(ModelError, match="not finite"):
        evaluate_topology(model, topology, torch.tensor(positions), torch.tensor(cubic(8)))


def test_second_derivatives_are_refused():
    case = Case(SIZES["bio1S"])
    case.short.native = True
    x, _ = embed(case.raster, case.static, case.kind, case.short, None, case.partition,
                 case.n_center, False)
    with pytest.raises(ModelError, match="native = False"):
        torch.autograd.grad(x.square().sum(), case.short.vectors, create_graph=True)


def test_a_layer_gives_its_gradient_once():
    case = Case(SIZES["bio1S"])
    case.short.native = True
    x, _ = embed(case.raster, case.static, case.kind, case.short, None, case.partition,
                 case.n_center, False)
    torch.autograd.grad(x.sum(), case.short.vectors, retain_graph=True)
    with pytest.raises(ModelError, match="once"):
        torch.autograd.grad(x.sum(), case.short.vectors)
