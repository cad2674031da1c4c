/* SPDX-License-Identifier: MIT
 * Forces on atoms from gradients of edge vectors, each atom summed by one thread in fixed order.
 */
#include "real.h"

/* force(n_total,3), double: sum of the gradients of an atom's own edges minus those of the edges
 * that end at it. incoming(E) lists edges by neighbour, bounds in in_first(n_total + 1). */
void KERNEL(edge_forces)(const real *restrict gradient, const int64_t *restrict first,
                         const int64_t *restrict incoming, const int64_t *restrict in_first,
                         int64_t n_center, int64_t n_total, double *restrict force) {
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t i = 0; i < n_total; i++) {
        double x = 0.0, y = 0.0, z = 0.0;
        if (i < n_center)
            for (int64_t e = first[i]; e < first[i + 1]; e++) {
                x += gradient[3 * e];
                y += gradient[3 * e + 1];
                z += gradient[3 * e + 2];
            }
        for (int64_t k = in_first[i]; k < in_first[i + 1]; k++) {
            const int64_t e = incoming[k];
            x -= gradient[3 * e];
            y -= gradient[3 * e + 1];
            z -= gradient[3 * e + 2];
        }
        force[3 * i] = x;
        force[3 * i + 1] = y;
        force[3 * i + 2] = z;
    }
}
