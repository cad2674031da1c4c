# SPDX-License-Identifier: MIT
"""The ANI family: symmetry functions, one network per element, constants per element."""
