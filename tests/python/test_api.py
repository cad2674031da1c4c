# SPDX-License-Identifier: MIT
"""The wrapped surface: nothing dropped by f90wrap, right kinds, the seam mirrored, a C provider."""

import inspect
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pyfennix.core import fennix_api, fennix_api_virtual

from pyfennix import engine, seam
from pyfennix.engine import Engine
from pyfennix.exceptions import FennixError, InputError
from pyfennix.host import Attachment

SURFACE = {
    "create", "create_from_arrays", "destroy", "set_provider", "set_frame_sink", "share_failure",
    "prepare", "run", "checkpoint", "finish", "counters", "text_length", "text_codes",
    "get_array", "set_array", "get_numbers", "get_cell", "get_energies", "get_observables",
    "get_time", "get_virial", "seam_layout",
}
KEYS = "ml-model spring\nml-precision float64\nrandomseed 1\ntimestep 0.5\ntemperature 50\n"

# The ten-line C program that is a provider: harmonic springs to the origin, k = 2 kcal/mol/Å²
SPRINGS = """
#include <stdint.h>
#include <string.h>
int force(void *context, const char *request, char *result)
{{
    int32_t n; memcpy(&n, request + {n_total}, 4);
    const double *x; memcpy(&x, request + {position}, 8);
    double *f; memcpy(&f, result + {forces}, 8);
    double energy = 0;
    for (int i = 0; i < 3 * n; i++) {{ energy += x[i] * x[i]; f[i] = -2 * x[i]; }}
    memcpy(result + {energy}, &energy, 8);
    return x[0] > 100;
}}
void message(void *context, char *buffer, int size) {{ strncpy(buffer, "too far out", size); }}
"""


class Springs:
    """A provider whose functions are C."""

    def __init__(self, folder: Path):
        import ctypes

        source = SPRINGS.format(
            n_total=seam.ForceRequest.n_total.offset, position=seam.ForceRequest.position.offset,
            forces=seam.ForceResult.forces.offset, energy=seam.ForceResult.energy.offset,
        )
        (folder / "springs.c").write_text(source)
        line = ["cc", "-shared", "-fPIC", "-w", "-o", "springs.so", "springs.c"]
        subprocess.run(line, cwd=folder, check=True)
        self.library = ctypes.CDLL(str(folder / "springs.so"))
        self.record = seam.ProviderRecord(
            version=seam.VERSION, traits=seam.CONSERVATIVE, cutoff=1.0, range=1.0, label=b"springs",
            force=seam.pointer(self.library.force), message=seam.pointer(self.library.message),
            element=(1,) * (seam.MAX_NUMBER + 1),
        )
        self.address = ctypes.addressof(self.record)

    class failure:  # noqa: N801
        """C has no exception to raise again."""

        @staticmethod
        def take():
            return None


def make(positions=((1.0, 0, 0), (0, 2.0, 0)), keys=KEYS, **given):
    arrays = {"velocities": None, "masses": None, "cell": None} | given
    return Engine.from_arrays(
        ["test"], keys, "", np.array([8, 1])[: len(positions)], np.array(positions),
        arrays["velocities"], arrays["masses"], arrays["cell"],
    )


@pytest.fixture
def running(tmp_path):
    made = make(masses=np.array([4.0, 2.0]))
    made.attach(Attachment([Springs(tmp_path)]))
    made.prepare()
    yield made
    made.close()


def test_nothing_is_dropped():
    names = {name for name, _ in inspect.getmembers(fennix_api, inspect.isfunction)}
    assert {name for name in names if not name.startswith("_")} == SURFACE


def test_nothing_is_dropped_of_the_virtual_ranks():
    names = {name for name, _ in inspect.getmembers(fennix_api_virtual, inspect.isfunction)}
    assert {name for name in names if not name.startswith("_")} == {
        "choose_bricks", "split_system", "see_rank", "view_arrays", "forget_split"}


def test_seam_is_mirrored():
    assert engine.seam_layout() == seam.layout()


def test_a_c_program_is_a_provider(running):
    x = running.get("position")
    np.testing.assert_array_equal(running.get("force"), -2.0 * x)
    assert running.observables()["potential_energy"] == pytest.approx(np.sum(x * x))
    running.run(5)
    np.testing.assert_allclose(running.get("force"), -2.0 * running.get("position"))


def test_kinds_and_values(running):
    numbers, masses = running.identities()
    assert numbers.dtype == np.int32
    assert numbers.tolist() == [8, 1]
    assert masses.tolist() == [4.0, 2.0]
    assert running.get("position").dtype == np.float64
    assert running.get("position").tolist() == [[1.0, 0, 0], [0, 2.0, 0]]
    facts = running.counters()
    assert (facts["n_atoms"], facts["step"], facts["periodic"]) == (2, 0, 0)
    assert running.cell() is None
    running.run(3)
    assert running.counters()["step"] == 3
    assert running.time() == pytest.approx(0.0015)


def test_triclinic_cell_goes_through():
    cell = np.array([[9.0, 0, 0], [1.0, 8.0, 0], [0.5, -0.5, 7.0]])
    made = make(cell=cell)
    np.testing.assert_array_equal(made.cell(), cell)
    made.close(finish=False)


def test_c_failure_becomes_an_exception(running):
    far = np.full((2, 3), 200.0)
    before = running.get("position")
    with pytest.raises(FennixError, match="too far out"):
        running.set("position", far)
    np.testing.assert_array_equal(running.get("position"), before)


def test_closed_engine():
    made = make()
    made.close(finish=False)
    made.close()
    with pytest.raises(FennixError, match="closed"):
        made.run(1)


def test_two_at_once(tmp_path):
    one, two = make(), make(((3.0, 0, 0),))
    for made in (one, two):
        made.attach(Attachment([Springs(tmp_path)]))
        made.prepare()
    one.run(4)
    assert (one.counters()["step"], two.counters()["step"]) == (4, 0)
    two.close()
    one.run(1)
    one.close()


@pytest.mark.parametrize(("keys", "words"), [
    ("frction 1\n", "friction"),
    ("ml-model x\ntimestep zero\n", "timestep"),
    ("", "ml-model"),
])
def test_bad_keywords(keys, words):
    with pytest.raises(InputError, match=words):
        make(keys=keys)


def test_unknown_array(running):
    with pytest.raises(FennixError, match="no array named"):
        running.get("colour")
    with pytest.raises(InputError, match="finite"):
        running.set("position", np.zeros((5, 3)))
