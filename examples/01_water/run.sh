#!/usr/bin/env bash
# 2.1 ps of 216 waters: 700 outer steps of 3 fs, a frame each 0.03 ps, NVT (2) at 300 K. STEPS=... makes it shorter.
set -euo pipefail
cd "$(dirname "$0")"
export PATH="$PWD/../../.venv/bin:$PATH"

rm -rf output
mkdir output
cp water.xyz water.key output/
cd output
fennix-dynamic water "${STEPS:-700}" 3.0 0.03 2 300 | tee water.log
python ../plot.py water.h5 water.png
echo "The figure is $PWD/water.png"
