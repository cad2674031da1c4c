# SPDX-License-Identifier: MIT
"""From an accurate model and a system to a fast model that agrees where forces change quickly."""
