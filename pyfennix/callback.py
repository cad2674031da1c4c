# SPDX-License-Identifier: MIT
"""Force providers: the engine's raw pointers to tensors, a model's answer back, in its units."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pyfennix import seam, units
from pyfennix.exceptions import ModelError
from pyfennix.failure import Failure, short_bytes
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model


def view(address: int | None, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Numpy view of the engine's memory, without a copy; empty shapes may have no address."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size == 0:
        return np.zeros(shape, dtype)
    if not address:
        raise ModelError("the engine passed no address for an array it must give")
    memory = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memory, dtype).reshape(shape)


class Arrays:
    """Views of one evaluation's arrays; valid while the engine keeps the same buffers.

    Attributes
    ----------
    numbers, ids
        (n_total,) int32.
    positions, forces
        (n_total, 3) float64 tensors on the CPU that share the engine's memory, Å and kcal/mol/Å.
    atom_energy
        (n_local,) float64 tensor sharing the engine's memory, or None when it is not wanted.
    """

    def __init__(self, request: seam.ForceRequest, result: seam.ForceResult):
        n = request.n_total
        self.numbers = view(request.number, (n,), np.int32)
        self.ids = view(request.id, (n,), np.int32)
        self.positions = torch.from_numpy(view(request.position, (n, 3), np.float64))
        self.forces = torch.from_numpy(view(result.forces, (n, 3), np.float64))
        self.atom_energy = None
        if result.atom_energy:
            local = view(result.atom_energy, (request.n_local,), np.float64)
            self.atom_energy = torch.from_numpy(local)


# Writes arrays.forces and result.virial as wanted, returns the energy; kcal/mol and Å
Compute = Callable[[seam.ForceRequest, seam.ForceResult, Arrays], float]


class ProviderHandle:
    """A force provider for the engine; keep it as long as the engine may call it.

    Parameters
    ----------
    compute
        Called for every evaluation with the request, the result and views of the arrays.
    label
        What is printed about it.
    cutoff, interaction_range
        Reach of the pair list, and how far an atom's energy sees, Å.
    elements
        Atomic numbers it accepts; None means all.
    traits
        Sum of seam.CONSERVATIVE, seam.USES_CHARGE, seam.EXCHANGES.
    culprit
        The user's object that errors are blamed on.
    """

    def __init__(
        self,
        compute: Compute,
        label: str,
        cutoff: float,
        interaction_range: float | None = None,
        elements: tuple[int, ...] | None = None,
        traits: int = seam.CONSERVATIVE,
        culprit: object = None,
    ):
        self.label = label
        self.failure = Failure(f"the evaluation of {label.split(' (')[0]}", culprit)
        self._compute = compute
        self._key: tuple | None = None
        self._arrays: Arrays | None = None
        self._function = seam.ForceFunction(self._force)
        self.record = record = seam.ProviderRecord()
        record.version = seam.VERSION
        record.traits = traits
        record.force = seam.pointer(self._function)
        record.message = seam.pointer(self.failure.message)
        record.cutoff = cutoff
        record.range = cutoff if interaction_range is None else interaction_range
        for number in range(seam.MAX_NUMBER + 1):
            record.element[number] = elements is None or number in elements
        record.label = short_bytes(label, seam.LABEL_SIZE)

    @property
    def address(self) -> int:
        """Address of the provider_record."""
        return ctypes.addressof(self.record)

    def _force(self, _context, request_pointer, result_pointer) -> int:
        """The C function: status 0, or 1 with the text kept for `message`."""
        try:
            request, result = request_pointer.contents, result_pointer.contents
            key = (
                request.position,
                result.forces,
                request.number,
                request.n_total,
                request.n_local,
                result.atom_energy,
            )
            arrays = self._arrays
            if arrays is None or key != self._key:
                arrays = self._arrays = Arrays(request, result)
                self._key = key
            result.energy = self._compute(request, result, arrays)
        except BaseException as error:  # also KeyboardInterrupt: nothing may cross Fortran
            return self.failure.note(error)
        return 0


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

    def __call__(
        self, request: seam.ForceRequest, result: seam.ForceResult, arrays: Arrays
    ) -> float:
        """Energy in kcal/mol; forces and virial are written where the engine wants them."""
        forces_wanted = bool(request.wanted & seam.WANT_FORCES)
        virial_wanted = bool(request.wanted & seam.WANT_VIRIAL)
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


def make_provider(
    model: Model, device: torch.device | str = "cpu", label: str | None = None
) -> ProviderHandle:
    """A provider for a torch model, which is put on the device and frozen.

    Raises
    ------
    ModelError
        When the model declares an unknown unit, or no cutoff.
    """
    device = torch.device(device)
    model = model.to(device=device).eval().requires_grad_(False)
    compute = ModelCompute(model, device)
    if not model.cutoff > 0.0:
        raise ModelError(f"model {model.name} declares no cutoff; set the attribute `cutoff` in Å")
    traits = seam.CONSERVATIVE if model.conservative else 0
    traits += seam.USES_CHARGE if model.uses_total_charge else 0
    traits += seam.EXCHANGES if model.exchanges_features else 0
    return ProviderHandle(
        compute,
        label or describe(model, device),
        model.cutoff * compute.length_unit,
        model.halo * compute.length_unit,
        model.elements,
        traits,
        culprit=model,
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
