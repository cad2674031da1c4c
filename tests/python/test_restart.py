"""SIGKILL at random moments, then --resume: every file as if nothing had happened.

PYFENNIX_KILLS sets the number of kills (default 4).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest
from helpers.runs import TWO_LEVELS, dynamic, environment, executable, small_case

KILLS = int(os.environ.get("PYFENNIX_KILLS", "4"))
STEPS = 1500
KEYWORDS = TWO_LEVELS + "checkpoint-every 20\n"
RUN = ("case", STEPS, 1.0, 0.02, 2, 300.0)  # a frame and a checkpoint each 20 steps


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The run that nobody disturbs, and how long it took (s)."""
    folder = small_case(tmp_path_factory.mktemp("uninterrupted"), KEYWORDS, "periodic")
    begin = time.monotonic()
    done = dynamic(folder, *RUN)
    assert done.returncode == 0, done.stderr
    return folder, time.monotonic() - begin


def datasets(path) -> dict[str, np.ndarray]:
    """Every dataset of an HDF5 file."""
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.update({name: item[()]})
                        if isinstance(item, h5py.Dataset) else None)
    return found


def same_files(one, two) -> None:
    """Trajectories to the last byte, and the same state in the restart files."""
    assert (one / "case.arc").read_bytes() == (two / "case.arc").read_bytes()
    assert (one / "case.dyn").read_bytes() == (two / "case.dyn").read_bytes()
    first, second = datasets(one / "case.h5"), datasets(two / "case.h5")
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    assert (one / "case.chk").read_bytes() == (two / "case.chk").read_bytes()


def start(folder, resume):
    """Begin the run, or continue it once there is a checkpoint."""
    line = [str(executable()), *map(str, RUN)] + ["--resume"] * resume
    return subprocess.Popen(line, cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path, process, limit=60.0) -> None:
    """Until a file exists, or the process has ended."""
    begin = time.monotonic()
    while not path.exists() and process.poll() is None and time.monotonic() - begin < limit:
        time.sleep(0.01)


def test_killed_runs_continue_exactly(uninterrupted, tmp_path):
    """Each kill falls somewhere in the stepping; the last start runs to the end."""
    whole, seconds = uninterrupted
    folder = small_case(tmp_path, KEYWORDS, "periodic")
    choice = random.Random(2)
    kills = 0
    while kills < KILLS:
        process = start(folder, resume=(folder / "case.chk").exists())
        # signs of life differ: a new run writes its first checkpoint, a resumed one prints
        if (folder / "case.chk").exists():
            process.stdout.readline()
        else:
            wait_for(folder / "case.chk", process)
        time.sleep(choice.uniform(0.0, 2.0 * seconds / KILLS))
        if process.poll() is not None:  # it reached its end first: so many kills begin anew
            assert process.returncode == 0, process.stderr.read()
            same_files(whole, folder)
            again = tmp_path / f"after{kills}"
            again.mkdir(exist_ok=True)
            folder = small_case(again, KEYWORDS, "periodic")
            for left in again.glob("case.[acd]*"):
                left.unlink()
            continue
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
    done = dynamic(folder, *RUN, "--resume")
    assert done.returncode == 0, done.stderr
    same_files(whole, folder)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_polite_stop_writes_a_checkpoint(uninterrupted, tmp_path, name):
    """Exit status 0, and the continued run is the uninterrupted one."""
    whole, _ = uninterrupted
    folder = small_case(tmp_path, KEYWORDS, "periodic")
    process = start(folder, resume=False)
    wait_for(folder / "case.arc", process)
    time.sleep(0.7)
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    done = dynamic(folder, *RUN, "--resume")
    assert done.returncode == 0, done.stderr
    same_files(whole, folder)


def test_a_stop_file_stops(tmp_path):
    """NAME.end finishes the step and leaves a checkpoint."""
    folder = small_case(tmp_path, KEYWORDS, "periodic")
    process = start(folder, resume=False)
    wait_for(folder / "case.arc", process)
    (folder / "case.end").touch()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert (folder / "case.chk").exists()


def test_a_damaged_checkpoint_is_refused(uninterrupted, tmp_path):
    """One sentence, and no file touched."""
    whole, _ = uninterrupted
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    content = (folder / "case.chk").read_bytes()
    for damaged in (content[: len(content) // 2], content[:-40] + b"\0" * 40):
        (folder / "case.chk").write_bytes(damaged)
        before = {p.name: p.read_bytes() for p in folder.glob("case.*")}
        done = dynamic(folder, *RUN, "--resume")
        assert done.returncode != 0
        assert "case.chk" in done.stderr
        assert "Traceback" not in done.stderr
        assert {p.name: p.read_bytes() for p in folder.glob("case.*")} == before
