# SPDX-License-Identifier: MIT
"""The RASTER family: models stored as ``.fnx`` module lists (notes: FeNNol's RASTER)."""
