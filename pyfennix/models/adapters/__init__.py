# SPDX-License-Identifier: MIT
"""Doors through which models of other programs come in, a file each."""
