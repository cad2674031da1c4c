# SPDX-License-Identifier: MIT
"""The H5MD sink, driven as the engine drives it: content, MDAnalysis, kills, continuation."""

import ctypes
import os
import signal
import subprocess
import sys
import textwrap
import warnings

import h5py
import numpy as np
import pytest

from pyfennix import seam
from pyfennix.frames import FrameSink
from pyfennix.io import h5md

NUMBERS = np.array([8, 1, 1], np.int32)
MASSES = np.array([15.999, 1.008, 1.008])
BONDS = np.array([[0, 1], [0, 2]], np.int32)
OBSERVABLES = b"potential_energy=kcal mol-1\ntemperature=K\n\0"
CELL = np.array([[9.0, 0, 0], [1.0, 8.0, 0], [0, 0.5, 7.0]])


def address(array):
    return array.ctypes.data


ALL = seam.FRAME_VELOCITY | seam.FRAME_FORCE | seam.FRAME_BOX


def open_sink(sink, keep=-1, numbers=NUMBERS, start=-1, contents=ALL):
    header = seam.FrameHeader(
        version=seam.VERSION, n_atoms=len(numbers), n_bonds=len(BONDS), n_observables=2,
        keep_frames=keep, number=address(numbers), mass=address(MASSES), bond=address(BONDS),
        observables=ctypes.cast(OBSERVABLES, ctypes.c_void_p), contents=contents, start_step=start,
    )
    return sink._functions[0](None, ctypes.addressof(header))


def write(sink, step, periodic=True, velocity=True):
    rng = np.random.default_rng(step)
    position, speed, force = rng.normal(size=(3, 3, 3))
    image = rng.integers(-2, 2, (3, 3)).astype(np.int32)
    values = np.array([-1.0 * step, 300.0 + step])
    frame = seam.FrameRecord(
        version=seam.VERSION, n_atoms=3, periodic=int(periodic), n_observables=2, step=step,
        time=0.001 * step, cell=tuple(CELL.ravel()), position=address(position),
        image=address(image), velocity=address(speed) if velocity else None,
        force=address(force) if velocity else None, observable=address(values),
    )
    status = sink._functions[1](None, ctypes.addressof(frame))
    return status, position, image, speed, force


def close(sink):
    return sink._functions[2](None, None)


def make_sink(path):
    return FrameSink(path, {"keyfile": "dt 1.0\n", "seed": "7"}, "0.1.0")


def content(path):
    """Every data set and attribute by name."""
    found = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes() if item.dtype.kind != "O" else item[()]
        for key, value in item.attrs.items():
            if not isinstance(value, h5py.Reference):
                found[f"{name}@{key}"] = np.asarray(value).tolist()

    with h5md.open_for_reading(path) as file:
        file.visititems(take)
    return found


def test_content(tmp_path):
    path = tmp_path / "a.h5"
    sink = make_sink(path)
    assert open_sink(sink) == 0
    frames = [write(sink, step) for step in (0, 10, 20)]
    assert [frame[0] for frame in frames] == [0, 0, 0]
    assert close(sink) == 0
    with h5py.File(path) as file:
        group = file["particles/trajectory"]
        np.testing.assert_array_equal(group["position/step"], [0, 10, 20])
        np.testing.assert_allclose(group["position/time"], [0, 0.01, 0.02])
        for name, place in (("position", 1), ("image", 2), ("velocity", 3), ("force", 4)):
            for k, frame in enumerate(frames):
                np.testing.assert_allclose(group[f"{name}/value"][k], frame[place], rtol=1e-6)
            assert group[f"{name}/step"] == group["position/step"]  # one object, hard linked
        np.testing.assert_array_equal(group["box/edges/value"][1], CELL)
        np.testing.assert_array_equal(group["species"], NUMBERS)
        np.testing.assert_array_equal(file["connectivity/bonds"], BONDS)
        np.testing.assert_array_equal(file["observables/temperature/value"], [300, 310, 320])
        assert file["observables/potential_energy/value"].attrs["unit"] == "kcal mol-1"
        assert file["parameters/keyfile"][()].decode() == "dt 1.0\n"
        assert list(file["h5md"].attrs["version"]) == [1, 1]


def test_keep_all_goes_on_after_what_is_there(tmp_path):
    path = tmp_path / "a.h5"
    for steps in ((0, 10), (20, 30)):
        sink = make_sink(path)
        assert open_sink(sink, keep=seam.KEEP_ALL) == 0
        for step in steps:
            assert write(sink, step)[0] == 0
        assert close(sink) == 0
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["particles/trajectory/position/step"], [0, 10, 20, 30])
    assert not path.with_name("a.h5.1").exists()


def test_keep_all_drops_what_is_later_than_the_start(tmp_path):
    path = tmp_path / "a.h5"
    for start, steps in ((0, (0, 10, 20, 30)), (10, (20,))):
        sink = make_sink(path)
        assert open_sink(sink, keep=seam.KEEP_ALL, start=start) == 0
        for step in steps:
            assert write(sink, step)[0] == 0
        assert close(sink) == 0
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["particles/trajectory/position/step"], [0, 10, 20])


@pytest.mark.parametrize("contents", [seam.FRAME_BOX, ALL - seam.FRAME_BOX])
def test_other_contents(tmp_path, contents):
    """A start from .dyn keeps the old file by another name, a resumed run is refused."""
    path = tmp_path / "a.h5"
    sink = make_sink(path)
    open_sink(sink)
    write(sink, 0)
    close(sink)
    before = path.read_bytes()
    sink = make_sink(path)
    assert open_sink(sink, keep=1, contents=contents) == 1
    assert "cannot be continued" in sink.failure.text()
    assert path.read_bytes() == before
    sink = make_sink(path)
    assert open_sink(sink, keep=seam.KEEP_ALL, contents=contents, start=0) == 0
    write(sink, 10, periodic=bool(contents & seam.FRAME_BOX), velocity=contents != seam.FRAME_BOX)
    close(sink)
    assert path.with_name("a.h5.1").read_bytes() == before
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["particles/trajectory/position/step"], [10])


@pytest.mark.parametrize("periodic", [True, False])
def test_mdanalysis_reads(tmp_path, periodic):
    mda = pytest.importorskip("MDAnalysis")
    path = tmp_path / "a.h5md"
    sink = make_sink(path)
    open_sink(sink)
    frames = [write(sink, step, periodic) for step in (0, 10)]
    close(sink)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = mda.Universe.empty(3, trajectory=True, velocities=True, forces=True)
        universe.load_new(str(path), format="H5MD")
    assert len(universe.trajectory) == 2
    ts = universe.trajectory[1]
    np.testing.assert_allclose(ts.positions, frames[1][1], rtol=1e-6)
    np.testing.assert_allclose(ts.velocities, frames[1][3], rtol=1e-6)
    np.testing.assert_allclose(ts.forces, frames[1][4] * 4.184, rtol=1e-5)
    assert ts.data["step"] == 10
    assert ts.data["temperature"] == 310.0
    if periodic:
        np.testing.assert_allclose(ts.triclinic_dimensions, CELL, atol=1e-5)
    else:
        assert ts.dimensions is None


def test_continuation_equals_uninterrupted(tmp_path):
    whole, parts = tmp_path / "whole.h5", tmp_path / "parts.h5"
    sink = make_sink(whole)
    open_sink(sink)
    for step in range(5):
        write(sink, step)
    close(sink)
    sink = make_sink(parts)
    open_sink(sink)
    for step in range(4):
        write(sink, step)
    close(sink)
    sink = make_sink(parts)
    assert open_sink(sink, keep=2) == 0
    for step in range(2, 5):
        assert write(sink, step)[0] == 0
    close(sink)
    assert content(whole) == content(parts)
    assert not list(tmp_path.glob("*.tmp"))


def test_earlier_file_is_kept(tmp_path):
    path = tmp_path / "a.h5"
    for _ in range(3):
        sink = make_sink(path)
        open_sink(sink)
        write(sink, 1)
        close(sink)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.h5", "a.h5.1", "a.h5.2"]


def test_failures_are_sentences(tmp_path):
    path = tmp_path / "a.h5"
    sink = make_sink(path)
    assert open_sink(sink, keep=3) == 1
    assert sink.failure.text() == f"{path}: the trajectory is missing"
    sink = make_sink(path)
    open_sink(sink)
    write(sink, 1)
    close(sink)
    before = path.read_bytes()
    sink = make_sink(path)
    assert open_sink(sink, keep=3) == 1
    assert "holds 1 complete frames, but 3 are needed" in sink.failure.text()
    assert path.read_bytes() == before
    sink = make_sink(path)
    assert open_sink(sink, keep=1, numbers=np.array([8, 1, 3], np.int32)) == 1
    assert "another system" in sink.failure.text()
    sink = make_sink(tmp_path / "absent" / "a.h5")
    assert open_sink(sink) == 1
    assert "cannot be written" in sink.failure.text()


def test_message_reaches_a_small_buffer(tmp_path):
    sink = make_sink(tmp_path / "absent" / "a.h5")
    open_sink(sink)
    buffer = ctypes.create_string_buffer(b"x" * 20, 20)
    sink.failure.message(None, ctypes.addressof(buffer), 20)
    assert buffer.value == sink.failure.text().encode()[:19]


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
import test_frames as t
sink = t.make_sink(Path(sys.argv[1]))
t.open_sink(sink)
for step in range(100000):
    t.write(sink, step)
    print(step, flush=True)
"""


def test_killed_file_is_recovered(tmp_path):
    path = tmp_path / "a.h5"
    script = textwrap.dedent(WRITER.format(here=os.path.dirname(__file__)))
    for wait in (1, 7, 40):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(wait):
            last = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        with h5md.open_for_reading(path) as file:
            assert h5md.count_frames(file) >= last + 1
        kept = h5md.rewrite(path)
        assert kept >= last + 1
        with h5py.File(path) as file:  # opens the ordinary way again
            steps = file["particles/trajectory/position/step"][()]
            np.testing.assert_array_equal(steps, np.arange(kept))
            assert file["particles/trajectory/position/value"].shape == (kept, 3, 3)
