# SPDX-License-Identifier: MIT
"""Parts of a distillation: selection, the tail of differences, the spectrum, verdicts."""

import numpy as np
import pytest
from helpers.waters import cubic, waters

from pyfennix.distillation.augment import contacts
from pyfennix.distillation.difference import Histogram, by_magnitude
from pyfennix.distillation.report import write_report
from pyfennix.distillation.selection import describe, in_parts, select_diverse
from pyfennix.distillation.spectrum import WAVENUMBER, power_spectrum
from pyfennix.training.frames import Frame


def frame(seed: int, scale: float = 1.0) -> Frame:
    numbers, positions = waters(cubic(8), (2, 2, 2), seed)
    return Frame(numbers, scale * positions, scale * cubic(8))


def test_selection_prefers_what_is_different():
    twins = [frame(1).moved(1e-4 * np.random.default_rng(k).normal(size=(24, 3)), "")
             for k in range(20)]
    odd = [frame(1, 0.9), frame(1, 1.1), frame(7)]
    chosen = select_diverse(twins[:10] + odd + twins[10:], 4)
    assert sum(any(f is o for o in odd) for f in chosen) == 3
    assert select_diverse(twins, 30) == twins


def test_the_description_ignores_order_and_place():
    one = frame(3)
    order = np.random.default_rng(0).permutation(24)
    other = Frame(one.numbers[order], one.positions[order] + 1.7, one.cell)
    assert np.allclose(describe(one), describe(other), atol=1e-9)


def test_parts_of_a_run_are_apart_in_time():
    frames = [frame(0) for _ in range(50)]
    training, validation, test = in_parts(frames)
    assert training[0] is frames[0]
    assert test[-1] is frames[-1]
    place = {id(f): k for k, f in enumerate(frames)}
    assert place[id(validation[0])] - place[id(training[-1])] > 1
    assert place[id(test[0])] - place[id(validation[-1])] > 1
    assert len(training) == 35
    assert len(validation) >= 5
    assert len(test) >= 5
    assert in_parts(frames[:5]) == (frames[:5], [], [])


def test_a_histogram_counts_and_judges():
    rng = np.random.default_rng(0)
    numbers = np.tile([8, 1, 1], 100)
    histogram = Histogram()
    sizes = []
    for _ in range(400):
        difference = rng.normal(0, 3.0, (300, 3))
        sizes.append(np.linalg.norm(difference, axis=1))
        histogram.add(numbers, difference)
    sizes = np.concatenate(sizes)
    assert histogram.total == len(sizes) == histogram.counts.sum()
    assert histogram.largest == sizes.max()
    assert not histogram.is_fat
    rms = histogram.facts()["rms_by_element"]
    assert rms["O"] == pytest.approx(3.0 * np.sqrt(3), rel=0.02)
    spike = np.zeros((300, 3))
    spike[4, 1] = 40.0
    histogram.add(numbers, spike)
    assert not histogram.is_fat  # one of 120 300, below a hundred thousandth
    histogram.add(numbers, spike)
    assert histogram.is_fat
    assert histogram.facts()["largest_element"] == "H"
    other = Histogram()
    for _ in range(400):
        other.add(numbers, np.zeros((300, 3)))
    assert not other.is_fat
    spike[4, 1] = 151.0
    other.add(numbers, spike)
    assert other.is_fat  # once beyond 150 is enough


def test_errors_by_magnitude_are_those_of_their_bin():
    wanted = np.array([[0.1, 0, 0], [3.0, 0, 0], [3.5, 0, 0]])
    found = wanted + np.array([[0.01, 0, 0], [0.1, 0, 0], [0.1, 0, 0]])
    rows = by_magnitude(found, wanted)
    assert [row["atoms"] for row in rows] == [1, 2]
    assert rows[0]["rmse"] == pytest.approx(10 / np.sqrt(3))
    assert rows[1]["rmse"] == pytest.approx(100 / np.sqrt(3))


def test_the_spectrum_finds_its_frequencies():
    """A slow mode at 800 fs and a fast one at 9 fs; the fast model misses a known part of each."""
    time = np.arange(2000.0)
    slow, fast = np.cos(2 * np.pi * time / 800), np.cos(2 * np.pi * time / 9.0)
    accurate = np.stack([slow + fast], axis=1)
    spectrum = power_spectrum(np.stack([slow + 0.01 * fast], axis=1), accurate, 1.0)
    assert spectrum.power.sum() == pytest.approx(1.0)
    assert spectrum.frequency[spectrum.power.argmax()] == pytest.approx(1 / 800, abs=6e-4)
    assert spectrum.above(3.0) < 1e-6  # 1/9 fs lies below 1/6 fs
    assert spectrum.above(5.0) == pytest.approx(1e-4, rel=0.1)
    assert spectrum.shortest_period == pytest.approx(9.0, rel=0.02)
    assert 4.0 < spectrum.longest_step < 4.5  # below half of 9 fs
    worse = power_spectrum(np.stack([slow + fast], axis=1), accurate, 1.0)
    assert worse.above(5.0) == pytest.approx(0.5, rel=0.05)
    assert 3500 < worse.frequency[worse.total[100:].argmax() + 100] * WAVENUMBER < 3800


def test_noise_of_a_thermostat_is_no_vibration():
    """A salt or a metal: 120 fs, and a little of everything."""
    rng, time = np.random.default_rng(0), np.arange(2000.0)
    forces = np.cos(2 * np.pi * time / 120)[:, None] + 0.01 * rng.standard_normal((2000, 50))
    assert power_spectrum(forces, forces, 1.0).shortest_period == pytest.approx(120, rel=0.1)


def test_a_fat_tail_is_said_in_the_report(tmp_path):
    histogram = Histogram()
    histogram.add(np.array([8]), np.array([[200.0, 0.0, 0.0]]))
    errors = {"frames": 1, "mae": 1.0, "rmse": 1.0, "by_element": {}, "by_magnitude": []}
    write_report(tmp_path, {"system": "<x>", "errors": errors, "difference": histogram.facts()})
    page = (tmp_path / "report.html").read_text()
    assert "Refused as a default" in page
    assert "&lt;x&gt;" in page


def test_contacts_push_whole_molecules_together():
    rng = np.random.default_rng(0)
    one = frame(2)
    pushed = contacts(one, rng)
    move = pushed.positions - one.positions
    moved = np.abs(move).max(axis=1) > 0.0
    assert 0 < moved.sum() < 24
    for molecule in move.reshape(-1, 3, 3):  # rigidly
        assert np.abs(molecule - molecule[0]).max() < 1e-12

    def closest(f: Frame) -> float:
        vectors = f.positions[:, None] - f.positions[None]
        vectors -= f.cell[0, 0] * np.round(vectors / f.cell[0, 0])
        distance = np.linalg.norm(vectors, axis=2)
        same = np.repeat(np.arange(8), 3)
        return distance[same[:, None] != same[None]].min()

    assert min(closest(contacts(one, rng)) for _ in range(10)) < 0.9 * closest(one)
    lone = Frame(one.numbers[:3], one.positions[:3])
    assert contacts(lone, rng) is None
