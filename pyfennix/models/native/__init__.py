# SPDX-License-Identifier: MIT
"""Compiled kernels for the CPU: the same functions as the torch modules, in far fewer passes."""
