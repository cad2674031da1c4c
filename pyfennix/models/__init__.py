# SPDX-License-Identifier: MIT
"""Models: the contract, the shipped architectures, and how to evaluate them from Python."""
