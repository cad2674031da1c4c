# SPDX-License-Identifier: MIT
"""Sizes of a RASTER embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class RasterConfig:
    """Sizes of a RASTER embedding; defaults are FeNNol's."""

    dim: int = 176
    lmax: int = 3
    scal_heads: int = 16
    tens_heads: int = 4
    att_dim: int = 16
    nlayers: int = 2
    update_hidden: Sequence[int] = (352, 176)
    radial_dim: int = 10
    positional_hidden: int = 32
    cutoff: float = 3.5
    switch_cov_start: float = 0.5
    switch_cov_end: float = 0.6
    lode_channels: int = 0
    lmax_lode: int = 2
    lode_extra_powers: Sequence[int] = (6, 8, 10)
    lode_cutoff: float = 0.0
    lode_rshort: float = 1.75
    lode_dshort: float = 1.75
