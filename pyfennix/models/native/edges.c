/* SPDX-License-Identifier: MIT
 * Forces and virials from gradients of edge vectors, each atom summed by one thread in fixed order.
 */
#include "real.h"

/* Of one receiver: sum of its edges' gradients, and of the vectors' outer products with them. */
static inline void own_sums(const real *restrict gradient, const real *restrict vectors,
                            int64_t begin, int64_t end, double *restrict sum,
                            double *restrict outer) {
    double s0 = 0, s1 = 0, s2 = 0, xx = 0, xy = 0, xz = 0, yx = 0, yy = 0, yz = 0, zx = 0,
           zy = 0, zz = 0;
    for (int64_t e = begin; e < end; e++) {
        const double x = vectors[3 * e], y = vectors[3 * e + 1], z = vectors[3 * e + 2];
        const double a = gradient[3 * e], b = gradient[3 * e + 1], c = gradient[3 * e + 2];
        s0 += a;
        s1 += b;
        s2 += c;
        xx += x * a;
        xy += x * b;
        xz += x * c;
        yx += y * a;
        yy += y * b;
        yz += y * c;
        zx += z * a;
        zy += z * b;
        zz += z * c;
    }
    const double sums[3] = {s0, s1, s2}, products[9] = {xx, xy, xz, yx, yy, yz, zx, zy, zz};
    for (int k = 0; k < 3; k++)
        sum[k] = sums[k];
    for (int k = 0; k < 9; k++)
        outer[k] = products[k];
}

/* force(n_total,3): sum of the gradients of an atom's own edges minus those of the edges that end
 * at it; incoming(E) lists edges by neighbour, bounds in in_first(n_total + 1). virial(systems,9):
 * sum of vector times gradient; system(n_center), or null for one system. parts(n_center,9) is
 * scratch. All sums are double. */
void KERNEL(edge_forces)(const real *restrict gradient, const real *restrict vectors,
                         const int64_t *restrict first, const int64_t *restrict incoming,
                         const int64_t *restrict in_first, const int64_t *restrict system,
                         int64_t n_center, int64_t n_total, int64_t n_systems,
                         double *restrict parts, double *restrict force, double *restrict virial) {
#pragma omp parallel for schedule(dynamic, 32)
    for (int64_t i = 0; i < n_total; i++) {
        double sum[3] = {0};
        if (i < n_center)
            own_sums(gradient, vectors, first[i], first[i + 1], sum, parts + 9 * i);
        for (int64_t k = in_first[i]; k < in_first[i + 1]; k++) {
            const real *g = gradient + 3 * incoming[k];
            for (int m = 0; m < 3; m++)
                sum[m] -= g[m];
        }
        for (int m = 0; m < 3; m++)
            force[3 * i + m] = sum[m];
    }
    for (int64_t k = 0; k < 9 * n_systems; k++)
        virial[k] = 0.0;
    for (int64_t i = 0; i < n_center; i++)
        for (int k = 0; k < 9; k++)
            virial[9 * (system ? system[i] : 0) + k] += parts[9 * i + k];
}
