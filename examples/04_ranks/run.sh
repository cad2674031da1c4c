#!/usr/bin/env bash
# The water of the first example on one rank and on two, in float64: the same trajectory. STEPS=... makes it shorter.
set -euo pipefail
cd "$(dirname "$0")"
export PATH="$PWD/../../.venv/bin:$PATH"
# Open MPI asks root, as in a container, to say so; with fewer cores than ranks it has to be told
if [ "$(id -u)" -eq 0 ]; then
   export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

rm -rf output
for ranks in 1 2; do
   mkdir -p "output/$ranks"
   cp ../01_water/water.xyz ../01_water/water.key "output/$ranks/"
   echo "ml-precision float64" >> "output/$ranks/water.key"
   (cd "output/$ranks"; mpirun -n $ranks --oversubscribe fennix-dynamic water "${STEPS:-50}" 3.0 0.03 2 300 | tee water.log)
done
python compare.py output/1/water.h5 output/2/water.h5
