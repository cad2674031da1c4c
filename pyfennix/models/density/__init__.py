# SPDX-License-Identifier: MIT
"""Potentials of the atomic density: one pass over the neighbours, made to be cheap."""
