# SPDX-License-Identifier: MIT
"""Models stored as ``.fnx`` module lists: the registry of modules, and what families share."""
