#!/usr/bin/env bash
# Check the model, then 10 ps of liquid argon: 2000 steps of 5 fs, a frame each 0.5 ps, NVT (2) at 94 K.
set -euo pipefail
cd "$(dirname "$0")"
export PATH="$PWD/../../.venv/bin:$PATH"

rm -rf output
mkdir output
cp argon.xyz argon.key argon.py output/
cd output
python -c "import pyfennix; print(pyfennix.validate_model(pyfennix.load_model('argon.py:Argon', dtype='float64')))"
fennix-dynamic argon "${STEPS:-2000}" 5.0 0.5 2 94 | tee argon.log
