# SPDX-License-Identifier: MIT
"""Sizes of a RASTER embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class RasterConfig:
    """Sizes of a RASTER embedding; defaults are FeNNol's.

    ``positional_hidden`` None means twice ``att_dim``, ``lode_rshort`` None a long-range part that
    is not faded in; ``cutoff``, ``lode_cutoff`` and ``radial_dim`` come from the graphs and the
    radial basis, and ``lode_channels`` is 0 without a long-range part.
    """

    dim: int = 176
    lmax: int = 3
    scal_heads: int = 16
    tens_heads: int = 4
    att_dim: int = 16
    nlayers: int = 2
    update_hidden: Sequence[int] = ()
    radial_dim: int = 10
    positional_hidden: int | None = None
    activation: str = "swish"
    att_activation: str = "identity"
    positional_activation: str = "swish"
    cutoff: float = 3.5
    switch_cov_start: float = 0.5
    switch_cov_end: float = 0.6
    lode_channels: int = 0
    lmax_lode: int = 0
    lode_extra_powers: Sequence[int] = ()
    lode_cutoff: float = 0.0
    lode_rshort: float | None = None
    lode_dshort: float = 2.0

    def __post_init__(self) -> None:
        if self.positional_hidden is None:
            self.positional_hidden = 2 * self.att_dim
        if self.lode_rshort is None:
            # a ramp that has ended before any distance
            self.lode_rshort, self.lode_dshort = -2.0, 1.0
