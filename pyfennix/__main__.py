# SPDX-License-Identifier: MIT
"""`python -m pyfennix` is the command `pyfennix`."""

import sys

from pyfennix.cli import main

sys.exit(main())
