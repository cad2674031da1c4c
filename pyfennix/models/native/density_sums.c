/* SPDX-License-Identifier: MIT
 * The atomic density and its derivatives as sums over edges: what the training of a model needs.
 */
#include "density.h"

static density_t made(double cutoff, double least, int64_t power, int64_t radial_functions,
                      int64_t species) {
    const density_t p = {.cutoff = cutoff, .least = least, .power = (int)power,
                         .radial = (int)radial_functions, .species = (int)species};
    return p;
}

/* The edges first + 0..LANES - 1; the last one again where there are no more. */
static void numbers(int64_t first, int64_t end, int64_t *restrict edge) {
    for (int e = 0; e < LANES; e++)
        edge[e] = first + e < end ? first + e : end - 1;
}

/* density(n, species, radial, M) = sum over edges of radial times harmonics; with motion(E,3) the
 * derivative of that when the vectors move so. */
void KERNEL(density_sums)(const real *restrict vectors, const real *restrict motion,
                          const int64_t *restrict neighbor, const int64_t *restrict first,
                          const int64_t *restrict species, int64_t n, double cutoff, double least,
                          int64_t power, int64_t radial_functions, int64_t n_species,
                          real *restrict density) {
    const density_t p = made(cutoff, least, power, radial_functions, n_species);
    const int64_t row = (int64_t)p.species * p.radial * M;
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t i = 0; i < n; i++) {
        edges_t g;
        lanes value[MOST_RADIAL], slope[MOST_RADIAL], by_component[M], d_component[M];
        real y[LANES * M], dy[LANES * M];
        int64_t edge[LANES];
        real *const own = density + i * row;
        for (int64_t k = 0; k < row; k++)
            own[k] = R(0);
        for (int64_t begin = first[i]; begin < first[i + 1]; begin += LANES) {
            numbers(begin, first[i + 1], edge);
            load_edges(&p, vectors, edge, &g);
            radial(&p, &g, value, slope);
            harmonics(&g, by_component);
            to_edges(by_component, y);
            if (motion) {
                lanes a, b, c, along;
                for (int e = 0; e < LANES; e++) {
                    const real *v = motion + 3 * edge[e];
                    along[e] = g.x[e] * v[0] + g.y[e] * v[1] + g.z[e] * v[2];
                    a[e] = (v[0] - along[e] * g.x[e]) * g.inverse[e] * g.free[e];
                    b[e] = (v[1] - along[e] * g.y[e]) * g.inverse[e] * g.free[e];
                    c[e] = (v[2] - along[e] * g.z[e]) * g.inverse[e] * g.free[e];
                    along[e] *= g.free[e];
                }
                harmonics_along(&g, a, b, c, d_component);
                to_edges(d_component, dy);
                for (int k = 0; k < p.radial; k++)
                    for (int e = 0; e < LANES; e++)
                        slope[k][e] *= along[e];
            }
            for (int e = 0; e < LANES && begin + e < first[i + 1]; e++) {
                real *const part = own + species[neighbor[edge[e]]] * p.radial * M;
                for (int k = 0; k < p.radial; k++)
#pragma omp simd
                    for (int m = 0; m < M; m++)
                        part[k * M + m] += motion ? slope[k][e] * y[e * M + m] +
                                                        value[k][e] * dy[e * M + m]
                                                  : value[k][e] * y[e * M + m];
            }
        }
    }
}

/* out(E,3) = what factor(n, species, radial, M), the gradient by the density, pulls at vectors. */
void KERNEL(density_pull)(const real *restrict vectors, const real *restrict factor,
                          const int64_t *restrict neighbor, const int64_t *restrict first,
                          const int64_t *restrict species, int64_t n, double cutoff, double least,
                          int64_t power, int64_t radial_functions, int64_t n_species,
                          real *restrict out) {
    const density_t p = made(cutoff, least, power, radial_functions, n_species);
    const int64_t row = (int64_t)p.species * p.radial * M;
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t i = 0; i < n; i++) {
        edges_t g;
        lanes value[MOST_RADIAL], slope[MOST_RADIAL], s_of[M], t_of[M], gradient[3];
        real s[LANES * M], t[LANES * M];
        int64_t edge[LANES];
        for (int64_t begin = first[i]; begin < first[i + 1]; begin += LANES) {
            numbers(begin, first[i + 1], edge);
            load_edges(&p, vectors, edge, &g);
            radial(&p, &g, value, slope);
            for (int e = 0; e < LANES; e++) {
                const real *part = factor + i * row + species[neighbor[edge[e]]] * p.radial * M;
                for (int m = 0; m < M; m++)
                    s[e * M + m] = t[e * M + m] = R(0);
                for (int k = 0; k < p.radial; k++)
#pragma omp simd
                    for (int m = 0; m < M; m++) {
                        s[e * M + m] += slope[k][e] * part[k * M + m];
                        t[e * M + m] += value[k][e] * part[k * M + m];
                    }
            }
            to_components(s, s_of);
            to_components(t, t_of);
            harmonics_gradient(&g, s_of, t_of, gradient);
            for (int e = 0; e < LANES && begin + e < first[i + 1]; e++)
                for (int k = 0; k < 3; k++)
                    out[3 * edge[e] + k] = gradient[k][e];
        }
    }
}
