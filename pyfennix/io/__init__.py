# SPDX-License-Identifier: MIT
"""Reading and writing of files; nothing here knows an engine."""
