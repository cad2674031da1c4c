# SPDX-License-Identifier: MIT
"""Where models run: the device, and the number of CPU threads."""

from __future__ import annotations

import os

import torch

from pyfennix.exceptions import InputError

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def choose_dtype(precision: str) -> torch.dtype:
    """The torch dtype of "float32" or "float64"; InputError for anything else."""
    if precision not in DTYPES:
        raise InputError(f"precision {precision!r} is unknown: use float32 or float64")
    return DTYPES[precision]


def choose_device(wish: str = "auto", node_rank: int = 0) -> torch.device:
    """The device for "auto", "cpu", "cuda" or "cuda:i".

    The ranks of a node, of which this is number ``node_rank``, share its GPUs in turn unless one
    is named.

    Raises
    ------
    InputError
        When a CUDA device is asked for that is not there: there is no silent fall-back.
    """
    name = wish.lower()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and (kind == "cpu" or not index.isdigit())):
        raise InputError(f"ml-device {wish!r} is unknown: use auto, cpu, cuda or cuda:i")
    if kind == "cpu":
        return torch.device("cpu")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise InputError(f"ml-device {wish} was asked for, but PyTorch finds no CUDA device here")
    number = int(index) if index else node_rank % count
    if number >= count:
        raise InputError(f"ml-device {wish} was asked for, but there are only {count} CUDA devices")
    return torch.device("cuda", number)


def choose_threads(wish: int = 0, cores: int = 0) -> int:
    """CPU threads for the models: as asked, else OMP_NUM_THREADS, else the CPUs we may use.

    ``cores`` is this process's part of CPUs that several ranks share; 0: all that it may use.
    """
    if wish > 0:
        return wish
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if given.isdigit() and int(given) > 0:
        return int(given)
    return cores or len(os.sched_getaffinity(0))
