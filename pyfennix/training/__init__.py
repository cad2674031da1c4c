# SPDX-License-Identifier: MIT
"""Training of potentials on energies, forces and virials; eV and Å throughout, as data come."""
