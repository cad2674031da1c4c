# SPDX-License-Identifier: MIT
"""Build step: run f90wrap, then f2py, in the output folder, where both leave their files."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """`wrap.py f90wrap|f2py OUTDIR KIND_MAP SOURCE...`, called by meson."""
    step, outdir, *rest = sys.argv[1:]
    kind_map, *sources = (str(Path(name).resolve()) for name in rest)
    if step == "f90wrap":
        # The map must list kinds by number as well as by name, or float64 shows up as float32.
        command = ["-m", "f90wrap", "-m", "core", "--f90-mod-name", "pyfennix._core"]
        command += ["-k", kind_map, "--return-decoded", *sources]
    else:
        command = ["-m", "f90wrap.scripts.f2py_f90wrap", "--lower", "--build-dir", "."]
        command += ["-m", "_core", *sources]
    result = subprocess.run(
        [sys.executable, *command], cwd=outdir, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        sys.stderr.write(result.stdout + result.stderr)
        return result.returncode
    if step == "f2py":  # written only when there is something for it; meson needs a fixed list
        Path(outdir, "_core-f2pywrappers.f").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
