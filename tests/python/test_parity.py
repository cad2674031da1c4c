# SPDX-License-Identifier: MIT
"""RASTER checkpoints give FeNNol's numbers, through the public doors with default arguments."""

import numpy as np
import pytest
import torch
from helpers.oracles import RASTER, SYSTEMS, cases, unpack

import pyfennix as fx
from pyfennix.units import EV_IN_KCAL

# FeNNol's largest float32 errors over its reference systems: eV per atom
LISTED_ENERGY = 8e-7


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Checkpoints as FeNNol wrote them, by name and precision."""
    folder, loaded = tmp_path_factory.mktemp("fnx"), {}

    def get(name, dtype):
        if (name, dtype) not in loaded:
            loaded[name, dtype] = fx.load_model(unpack(name, folder), dtype=dtype)
        return loaded[name, dtype]

    return get


def deviations(result, case, precision="f64"):
    """Largest deviations: energy in eV/atom, atomic energies, forces in eV/Å, virial in eV."""
    energy = abs(result.energy / EV_IN_KCAL - case.total("total_energy", precision))
    return np.array([
        energy / len(result.forces),
        np.abs(result.atom_energies / EV_IN_KCAL - case.atoms("atomic_energies", precision)).max(),
        np.abs(result.forces / EV_IN_KCAL - case.atoms("forces", precision)).max(),
        np.abs(result.virial / EV_IN_KCAL - case.total("virial_tensor", precision)).max(),
    ])


@pytest.mark.parametrize("native", [True, False], ids=["kernels", "torch"])
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", RASTER)
def test_double_precision_is_fennols(load, monkeypatch, name, system, native):
    model = load(name, "float64")
    monkeypatch.setattr(model, "native", native)
    for case in cases(name, system):
        found = deviations(fx.evaluate(model, *case.system), case)
        # written so that a NaN fails
        assert (found < (1e-10, 1e-10, 1e-9, 1e-8)).all(), found


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", RASTER)
def test_single_precision_is_as_good_as_fennols(load, name, system):
    model = load(name, "float32")
    for case in cases(name, system):
        found = deviations(fx.evaluate(model, *case.system), case)
        energy, *own = (
            np.abs(at(key, "f32") - at(key)).max() / scale
            for at, key, scale in (
                (case.total, "total_energy", len(case.atoms("forces"))),
                (case.atoms, "atomic_energies", 1), (case.atoms, "forces", 1),
                (case.total, "virial_tensor", 1),
            )
        )
        # in small systems errors cancel by luck, so energies share a floor
        own[0] = max(own[0], LISTED_ENERGY)
        assert (found <= 3.0 * np.array([max(energy, LISTED_ENERGY), *own])).all(), (found, own)


# what FeNNol's modules write: shape after the atoms or systems, and largest deviation allowed
PER_ATOM = {"nn_energies_mean": 1e-11, "nn_energies_var": 1e-11, "energies_bis_mean": 1e-11,
            "energies_bis_var": 1e-11, "repulsion": 1e-11, "static_charges": 1e-12,
            "embedding": 1e-11, "embedding_tensor": 1e-10}
PER_SYSTEM = {"etot_ensemble": 1e-9, "etot_ensemble_mean": 1e-9, "etot_ensemble_var": 1e-9,
              "etot_ensemble_bis": 1e-9, "etot_ensemble_bis_mean": 1e-9,
              "etot_ensemble_bis_var": 1e-9}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", RASTER)
def test_what_modules_write_is_fennols(load, name, system):
    model = load(name, "float64")
    for case in cases(name, system):
        limits = {key: limit for key, limit in (PER_ATOM | PER_SYSTEM).items()
                  if f"f64.{key}" in case.data}
        assert len(limits) >= 12
        found = fx.evaluate(model, *case.system, outputs=tuple(limits), spread=True)
        for key, limit in limits.items():
            expected = (case.atoms if key in PER_ATOM else case.total)(key)
            assert found.outputs[key].shape == expected.shape, key
            scale = 1.0 + np.abs(expected).max()
            assert np.abs(found.outputs[key] - expected).max() < limit * scale, key
        spread = np.sqrt(case.total("etot_ensemble_var"))
        assert abs(found.spread / EV_IN_KCAL - spread) < 1e-9 * (1.0 + spread)


@pytest.mark.parametrize("system", ["acetate", "triclinic24"])
@pytest.mark.parametrize("name", RASTER)
def test_intermediate_tensors_are_fennols(load, monkeypatch, name, system):
    # `to` forgets the static part, which another test may have left for this very composition
    model = load(name, "float64").to(torch.float64)
    monkeypatch.setattr(model, "native", False)  # kernels run past the modules that are watched
    (case,) = cases(name, system)
    kept = {}
    hooks = [
        part.register_forward_hook(lambda _part, _in, out, key=key: kept.update({key: out}))
        for key, part in model.parts.named_modules()
        if key in ("embedding.species_linear", "charge_embedding.Layer_1",
                   *(f"embedding.update_net_{t}" for t in (0, 1)))
    ]
    try:
        found = fx.evaluate(model, *case.system, outputs=("species_embedding", "nn_energies"))
    finally:
        for hook in hooks:
            hook.remove()
    numbers = case.system[0]
    kind = np.unique(numbers, return_inverse=True)[1]
    for key, value in kept.items():
        expected = case.data["dbg64.mod." + key.replace(".", "/")]
        value = value.detach().numpy()
        # what needs no geometry has one row per element; the last update lacks unused columns
        value = value if len(value) == len(numbers) else value[kind]
        expected = expected[:, : value.shape[1]]
        assert np.abs(value - expected).max() < 1e-12 * (1.0 + np.abs(expected).max()), key
    assert len(kept) == 2 + model.parts["embedding"].config.nlayers
    for key, entry in (("species_embedding", "charge_embedding->species_embedding"),
                       ("nn_energies", "nn_energies->nn_energies")):
        expected = case.data[f"dbg64.mod.{entry}"]
        assert np.abs(found.outputs[key] - expected).max() < 1e-11
