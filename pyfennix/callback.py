# SPDX-License-Identifier: MIT
"""From the engine's request to a model of either kind and back, with units converted."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor

from pyfennix import seam, units
from pyfennix.exceptions import ModelError
from pyfennix.halo_exchange import HaloSwap
from pyfennix.models.adapters.door import AnyModel
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.exchange import SwapExchange
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model
from pyfennix.models.total_energy import TotalEnergyModel, evaluate_total
from pyfennix.provider_handle import Arrays, ProviderHandle, view


class ModelCompute:
    """Evaluates a torch model for the engine; the topology stays until the pair list changes."""

    def __init__(self, model: Model, device: torch.device):
        self.model = model
        self.device = device
        self.energy_unit = units.energy_in_kcal(model.energy_unit)
        self.length_unit = units.length_in_angstrom(model.length_unit)
        self._key: tuple | None = None
        self._topology: Topology | None = None
        self._cell: tuple[bytes, Tensor | None] = (b"", None)
        self._swap = HaloSwap()
        self._hooks = model.exchange, SwapExchange(self._swap)

    def __call__(
        self, request: seam.ForceRequest, result: seam.ForceResult, arrays: Arrays
    ) -> float:
        """Energy in kcal/mol; forces and virial are written where the engine wants them."""
        forces_wanted = bool(request.wanted & seam.WANT_FORCES)
        virial_wanted = bool(request.wanted & seam.WANT_VIRIAL)
        self._choose_exchange(request)
        positions = arrays.positions
        if self.length_unit != 1.0:
            positions = positions / self.length_unit
        answer = evaluate_topology(
            self.model,
            self._current_topology(request, arrays),
            positions.to(self.device),
            self._current_cell(request),
            forces_wanted,
            virial_wanted,
        )
        if forces_wanted:
            arrays.forces.copy_(answer.forces)
            if self.energy_unit != self.length_unit:
                arrays.forces.mul_(self.energy_unit / self.length_unit)
        if virial_wanted:
            result.virial[:] = (answer.virial * self.energy_unit).flatten().tolist()
        if arrays.atom_energy is not None:
            local = answer.atom_energies[: request.n_local]
            arrays.atom_energy.copy_(local).mul_(self.energy_unit)
        return float(answer.energy) * self.energy_unit

    def _choose_exchange(self, request: seam.ForceRequest) -> None:
        """The engine's exchange of features when the request offers one, else the model's own."""
        if request.exchange:
            self._swap.connect(request)
        hook = self._hooks[bool(request.exchange)]
        if self.model.exchange is not hook:
            self.model.exchange = hook

    def _current_topology(self, request: seam.ForceRequest, arrays: Arrays) -> Topology:
        key = (request.list_version, request.neighbor, request.n_edges, request.n_center)
        if self._topology is None or key != self._key:
            self._topology = Topology.from_csr(
                arrays.numbers,
                view(request.first, (request.n_center + 1,), np.int32),
                view(request.neighbor, (request.n_edges,), np.int32),
                view(request.shift, (request.n_edges, 3), np.int32),
                request.n_local,
                request.n_center,
                request.n_total,
                view(request.composition, (seam.MAX_NUMBER + 1,), np.int64),
                request.total_charge if self.model.uses_total_charge else 0.0,
                self.device,
            )
            self._key = key
        return self._topology

    def _current_cell(self, request: seam.ForceRequest) -> Tensor | None:
        if not any(request.periodic):
            return None
        numbers = bytes(request.cell)
        if numbers != self._cell[0]:
            rows = np.frombuffer(numbers, np.float64).reshape(3, 3) / self.length_unit
            self._cell = (numbers, torch.tensor(rows, device=self.device))
        return self._cell[1]


class TotalCompute:
    """Evaluates a total-energy model for the engine, which gives it the whole system."""

    def __init__(self, model: TotalEnergyModel):
        self.model = model
        self.energy_unit = units.energy_in_kcal(model.energy_unit)

    def __call__(
        self, request: seam.ForceRequest, result: seam.ForceResult, arrays: Arrays
    ) -> float:
        """Energy in kcal/mol; forces and virial are written where the engine wants them.

        Raises
        ------
        ModelError
            When a part of the system is asked for, or energies of atoms.
        """
        if not request.n_total == request.n_local == request.n_global:
            raise ModelError(
                f"model {self.model.name} returns the energy of a whole system and cannot be "
                "spread over several ranks; run it on one"
            )
        if arrays.atom_energy is not None:
            raise ModelError(f"model {self.model.name} has no energies of single atoms")
        cell = None
        if any(request.periodic):
            cell = np.frombuffer(bytes(request.cell), np.float64).reshape(3, 3)
        virial_wanted = bool(request.wanted & seam.WANT_VIRIAL)
        answer = evaluate_total(
            self.model, arrays.numbers.copy(), arrays.positions.numpy().copy(), cell,
            request.total_charge, virial_wanted,
        )
        if request.wanted & seam.WANT_FORCES:
            arrays.forces.copy_(torch.from_numpy(answer.forces)).mul_(self.energy_unit)
        if virial_wanted:
            if answer.virial is None:
                raise ModelError(f"model {self.model.name} gives no virial of a periodic system")
            result.virial[:] = (answer.virial * self.energy_unit).flatten().tolist()
        return answer.energy * self.energy_unit


def make_provider(
    model: AnyModel, device: torch.device | str = "cpu", label: str | None = None
) -> ProviderHandle:
    """A provider for a model; one of torch is put on the device and frozen.

    Raises
    ------
    ModelError
        When the model declares an unknown unit, or no cutoff.
    """
    traits = seam.CONSERVATIVE if model.conservative else 0
    traits += seam.USES_CHARGE if model.uses_total_charge else 0
    if isinstance(model, TotalEnergyModel):
        traits += 0 if model.gives_virial else seam.NO_VIRIAL
        return ProviderHandle(
            TotalCompute(model), label or model.label, 0.0, 0.0, model.elements, traits,
            culprit=model,
        )
    device = torch.device(device)
    model = model.to(device=device).eval().requires_grad_(False)
    compute = ModelCompute(model, device)
    if not model.cutoff > 0.0:
        raise ModelError(f"model {model.name} declares no cutoff; set the attribute `cutoff` in Å")
    traits += seam.EXCHANGES if model.exchanges_features else 0
    return ProviderHandle(
        compute,
        label or describe(model, device),
        model.cutoff * compute.length_unit,
        model.halo * compute.length_unit,
        model.elements,
        traits,
        culprit=model,
        center_range=model.center_halo * compute.length_unit,
    )


def fingerprint(model: Model) -> str:
    """Eight hexadecimal digits that change with any weight; empty for a model without weights."""
    digest = hashlib.sha256()
    parameters = list(model.parameters())
    for parameter in parameters:
        digest.update(parameter.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8] if parameters else ""


def describe(model: Model, device: torch.device) -> str:
    """`water-accurate 1a2b3c4d (Raster, 123456 parameters, float32, cpu, 2 threads)`."""
    kind = type(model).__name__
    name = kind if model.name == Model.name else model.name
    count = sum(parameter.numel() for parameter in model.parameters())
    facts = [] if name == kind else [kind]
    facts += [f"{count} parameters", str(model.dtype).removeprefix("torch."), str(device)]
    if device.type == "cpu":
        threads = torch.get_num_threads()
        facts.append(f"{threads} thread" + "s" * (threads != 1))
    weights = fingerprint(model)
    return f"{name} {weights}{' ' * bool(weights)}({', '.join(facts)})"
