# SPDX-License-Identifier: MIT
"""Training frames for a fast model, labelled by an accurate one on fragments of a big system."""
