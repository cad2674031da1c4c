# SPDX-License-Identifier: MIT
"""The contract between a model and the engine: what a model declares and what it returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from pyfennix.exceptions import ModelError
from pyfennix.models.exchange import Exchange
from pyfennix.models.graph import Graph

# by atomic number; X stands for nothing
SYMBOLS = (
    "X", "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S",
    "Cl", "Ar", "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge",
    "As", "Se", "Br", "Kr", "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd",
    "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd",
    "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg",
    "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm",
    "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn",
    "Nh", "Fl", "Mc", "Lv", "Ts", "Og",
)  # fmt: skip


class Model(nn.Module):
    """A potential that returns one energy per atom.

    Subclass it, set the class attributes (or set them on the instance) and write ``forward``::

        class Pair(Model):
            cutoff = 5.0
            elements = (18,)
            energy_unit = "eV"

            def forward(self, graph):
                d = graph.distances
                return graph.sum_neighbors(0.5 * torch.exp(-d) * (1 - d / self.cutoff) ** 3)

    The engine forms edge vectors, calls ``forward`` once, sums the energies of the first
    ``graph.n_local`` atoms and differentiates them with respect to the edge vectors. A model
    never imports MPI and never needs to know whether its atoms are decomposed.

    Attributes
    ----------
    name, description
        Used in messages, and printed by ``pyfennix info``.
    cutoff
        Range of the pair list in ``length_unit``; contributions must vanish smoothly there.
    interaction_range
        How far an atom's energy sees, same unit; None means ``cutoff`` (one layer, no message
        passing). The halo is made this wide.
    center_range
        How far outside a domain ghosts need their own neighbours listed (n_center), same unit;
        None means ``interaction_range - cutoff``. Larger for a model whose last layer reads
        features of earlier layers over a longer range than those layers have.
    energy_unit, length_unit
        "kcal/mol", "eV" or "Ha"; "Å" or "bohr".
    dtype
        Kind of the edge vectors given to ``forward``.
    elements
        Atomic numbers the model knows; None means all. Others are refused before a run.
    conservative
        Whether forces are minus the gradient of the energy.
    exchanges_features
        Whether ``forward`` calls ``self.exchange`` between layers.
    uses_total_charge
        Whether the total charge matters; otherwise the engine warns once and ignores it.
    native
        Whether a model that has compiled kernels uses them on the CPU (not while it is trained);
        False means torch operations only, which also have second derivatives.
    output_names
        What :meth:`forward_outputs` can return besides the energies.
    system_outputs
        Those of them that have one row per system; the others have one per center.
    ensembles
        Outputs (n_center, members) whose sum over atoms are the members of an ensemble of
        energies; their standard deviation is the spread.
    """

    name: str = "model"
    description: str = ""
    cutoff: float = 0.0
    interaction_range: float | None = None
    center_range: float | None = None
    energy_unit: str = "kcal/mol"
    length_unit: str = "Å"
    dtype: torch.dtype = torch.float32
    elements: tuple[int, ...] | None = None
    conservative: bool = True
    exchanges_features: bool = False
    uses_total_charge: bool = False
    native: bool = True
    output_names: tuple[str, ...] = ()
    system_outputs: frozenset[str] = frozenset()
    ensembles: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        # The identity, until a decomposed engine puts its halo exchange here
        self.exchange = Exchange()

    def forward(self, graph: Graph) -> Tensor:
        """Energies of the atoms of ``graph``, shape (n_center,), in ``energy_unit``."""
        raise NotImplementedError

    def forward_outputs(self, graph: Graph, names: Sequence[str]) -> tuple[Tensor, dict]:
        """Energies as of :meth:`forward`, and the named outputs: {name: (rows, ...)}.

        Models without ``output_names`` need not define it; called instead of ``forward`` only
        when somebody asks for outputs.
        """
        raise NotImplementedError

    @property
    def halo(self) -> float:
        """Width of the halo a decomposed run needs, in ``length_unit``."""
        return self.cutoff if self.interaction_range is None else self.interaction_range

    @property
    def center_halo(self) -> float:
        """Width of the part of the halo whose atoms are centers, in ``length_unit``."""
        return self.halo - self.cutoff if self.center_range is None else self.center_range

    def to(self, *args, **kwargs) -> Model:
        """Like ``nn.Module.to``; a floating dtype also becomes the model's ``dtype``."""
        dtype = torch._C._nn._parse_to(*args, **kwargs)[1]
        super().to(*args, **kwargs)
        if dtype is not None:
            self.dtype = dtype
        return self

    def half(self) -> Model:
        """Refused: models compute in float32 or float64."""
        raise ModelError("models compute in float32 or float64; float16 is not supported")

    def bfloat16(self) -> Model:
        """Refused: models compute in float32 or float64."""
        raise ModelError("models compute in float32 or float64; bfloat16 is not supported")

    def float(self) -> Model:
        """The same as ``to(torch.float32)``."""
        return self.to(torch.float32)

    def double(self) -> Model:
        """The same as ``to(torch.float64)``."""
        return self.to(torch.float64)


def check_elements(model: Model, numbers: Iterable[int]) -> None:
    """Raise ModelError, naming symbol and known elements, when the model refuses an atom."""
    if model.elements is None:
        return
    unknown = sorted({int(z) for z in numbers} - set(model.elements))
    if unknown:
        names = ", ".join(_symbol(z) for z in unknown)
        known = _listed(sorted(model.elements))
        raise ModelError(f"model {model.name} does not know element {names}: it supports {known}")


def _listed(numbers: list[int]) -> str:
    """`H, O` or, of many without a gap, `H to Rn`."""
    if len(numbers) > 10 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{_symbol(numbers[0])} to {_symbol(numbers[-1])}"
    return ", ".join(_symbol(z) for z in numbers)


def _symbol(number: int) -> str:
    return SYMBOLS[number] if 0 < number < len(SYMBOLS) else f"Z={number}"
