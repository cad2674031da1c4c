# SPDX-License-Identifier: MIT
"""The RASTER family of FeNNix-Bio1: equivariant attention with a long-range part."""
