/* SPDX-License-Identifier: MIT
 * Long-range sums of RASTER: damped inverse powers times harmonics times the neighbours' values.
 *
 * Functions of distance and direction are computed with one lane an edge; sums and contractions
 * run over the functions of one edge, padded to rows of whole vectors.
 */
#include "lode_tile.h"
#include "vectors.h"

enum { ROW = 16, MAX_CHANNELS = 64 };

static lode_t settings(const int64_t *power, const real *constants, int64_t channels,
                       int64_t extra, int64_t lmax, double start, double width) {
    lode_t p = {.extra = (int)extra, .lmax = (int)lmax, .channels = (int)channels};
    p.n_values = p.extra + p.lmax + 1;
    p.n_kernels = p.extra + (p.lmax + 1) * (p.lmax + 1);
    p.width = (p.n_kernels + ROW - 1) / ROW * ROW;
    p.start = R(start);
    p.per_width = R(1.0 / width);
    for (int n = 0; n < p.n_values; n++) {
        p.power[n] = (int)power[n];
        p.a[n] = constants[n];
        p.constant[n] = constants[p.n_values + n];
        p.slope[n] = constants[2 * p.n_values + n];
    }
    for (int n = 0; n < p.extra; n++)
        p.value_of[n] = n;
    for (int l = 0; l <= p.lmax; l++)
        for (int k = l * l; k < (l + 1) * (l + 1); k++)
            p.value_of[p.extra + k] = p.extra + l;
    return p;
}

/* Vectors of edges list[0..count] (or first, first + 1, ...) into lanes; spare lanes repeat one. */
static inline void load(tile_t *restrict t, const real *restrict vectors,
                        const int64_t *restrict list, int64_t first, int count) {
    for (int e = 0; e < TILE; e++) {
        const int64_t k = first + (e < count ? e : 0);
        const real *v = vectors + 3 * (list ? list[k] : k);
        t->x[e] = v[0];
        t->y[e] = v[1];
        t->z[e] = v[2];
    }
}

/* rows[e][k]: every function of every edge of a tile; what lies beyond n_kernels stays. */
static inline void kernel_rows(const tile_t *restrict t, const lode_t *restrict p,
                               real *restrict rows) {
    lanes value, columns[MAX_KERNELS];
    for (int n = 0; n < p->n_values; n++) {
        const int l = n - p->extra;
        if (l > 0) {
            radial(t, p, n, value, 0);
            if (l == 1)
                times_harmonics(t, 1, value, columns + p->extra + 1);
            else if (l == 2)
                times_harmonics(t, 2, value, columns + p->extra + 4);
            else
                times_harmonics(t, 3, value, columns + p->extra + 9);
        } else
            radial(t, p, n, columns[n], 0);
    }
    for (int k = p->n_kernels; k < p->width; k++)
        for (int e = 0; e < TILE; e++)
            columns[k][e] = R(0);
    for (int k = 0; k < p->width; k += LANES)
        for (int e = 0; e < TILE; e += LANES)
            transpose(&columns[k][e], TILE, rows + e * p->width + k, p->width);
}

/* Gradient of the edges' vectors, in x, y, z of the tile, from that of their functions. */
static inline void chain(tile_t *restrict t, const lode_t *restrict p, const real *restrict rows) {
    lanes value, derivative, along = {0}, over[3] = {{0}}, g[MAX_KERNELS];
    for (int k = 0; k < p->width; k += LANES)
        for (int e = 0; e < TILE; e += LANES)
            transpose(rows + e * p->width + k, p->width, &g[k][e], TILE);
    for (int n = 0; n < p->n_values; n++) {
        const int l = n - p->extra;
        radial(t, p, n, value, derivative);
        if (l == 1)
            harmonics_gradient(t, 1, value, derivative, g + p->extra + 1, along, over);
        else if (l == 2)
            harmonics_gradient(t, 2, value, derivative, g + p->extra + 4, along, over);
        else if (l == 3)
            harmonics_gradient(t, 3, value, derivative, g + p->extra + 9, along, over);
        else
#pragma omp simd
            for (int e = 0; e < TILE; e++)
                along[e] += g[n][e] * derivative[e];
    }
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real x = t->x[e], y = t->y[e], z = t->z[e], inverse = t->inverse[e];
        const real radially = over[0][e] * x + over[1][e] * y + over[2][e] * z;
        /* a distance that was raised to its least value does not move */
        const real change = (along[e] - radially * inverse) * t->free[e];
        t->x[e] = over[0][e] * inverse + change * x;
        t->y[e] = over[1][e] * inverse + change * y;
        t->z[e] = over[2][e] * inverse + change * z;
    }
}

/* wide(n, channels, width) from the values(n, channels, n_values) or sums(n, channels, K). */
static void widen(const lode_t *p, const real *restrict narrow, int64_t n, int per_value,
                  real *restrict wide) {
    const int length = per_value ? p->n_values : p->n_kernels;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < n * p->channels; row++)
        for (int k = 0; k < p->width; k++) {
            const int from = per_value ? p->value_of[k] : k;
            wide[row * p->width + k] = k < p->n_kernels ? narrow[row * length + from] : R(0);
        }
}

/* sum[c] += rows[e] * wide[list[e]][c] over the edges of a tile. */
static inline __attribute__((always_inline)) void gather_sum(
    vec *restrict sum, const real *restrict rows, const real *restrict wide,
    const int64_t *restrict list, int count, int blocks, int channels) {
    for (int c = 0; c < channels; c++)
        for (int b = 0; b < blocks; b++) {
            vec s = sum[c * blocks + b];
            for (int e = 0; e < count; e++)
                s += ((const vec *)rows)[e * blocks + b]
                    * ((const vec *)wide)[(list[e] * channels + c) * blocks + b];
            sum[c * blocks + b] = s;
        }
}

/* rows[e] = sum over c of own[c] * wide[list[e]][c]. */
static inline __attribute__((always_inline)) void gather_dot(
    real *restrict rows, const vec *restrict own, const real *restrict wide,
    const int64_t *restrict list, int count, int blocks, int channels) {
    for (int e = 0; e < count; e++)
        for (int b = 0; b < blocks; b++) {
            vec s = {0};
            for (int c = 0; c < channels; c++)
                s += own[c * blocks + b]
                    * ((const vec *)wide)[(list[e] * channels + c) * blocks + b];
            ((vec *)rows)[e * blocks + b] = s;
        }
}

/* The common widths get bodies of their own. */
#define SPECIALISED(function, ...)                        \
    do {                                                  \
        if (blocks == ROW / LANES && channels == 1)       \
            function(__VA_ARGS__, ROW / LANES, 1);        \
        else if (blocks == ROW / LANES && channels == 4)  \
            function(__VA_ARGS__, ROW / LANES, 4);        \
        else                                              \
            function(__VA_ARGS__, blocks, channels);      \
    } while (0)

/* sums(n_center, channels, K) over each receiver's edges, and the values widened for backward. */
void KERNEL(lode_forward)(const real *restrict vectors, const int64_t *restrict neighbor,
                          const int64_t *restrict first, const real *restrict z,
                          const int64_t *restrict power, const real *restrict constants,
                          int64_t n_center, int64_t n_total, int64_t n_channels, int64_t extra,
                          int64_t lmax, double start, double width, real *restrict wide,
                          real *restrict sums) {
    const lode_t p = settings(power, constants, n_channels, extra, lmax, start, width);
    const int channels = p.channels, blocks = p.width / LANES;
    widen(&p, z, n_total, 1, wide);
#pragma omp parallel for schedule(dynamic, 8)
    for (int64_t i = 0; i < n_center; i++) {
        real rows[TILE * MAX_KERNELS] = {0};
        vec sum[MAX_CHANNELS * MAX_KERNELS / LANES] = {{0}};
        tile_t t;
        for (int64_t e = first[i]; e < first[i + 1]; e += TILE) {
            const int count = first[i + 1] - e < TILE ? (int)(first[i + 1] - e) : TILE;
            load(&t, vectors, 0, e, count);
            geometry(&t, &p);
            kernel_rows(&t, &p, rows);
            SPECIALISED(gather_sum, sum, rows, wide, neighbor + e, count);
        }
        for (int c = 0; c < channels; c++)
            for (int k = 0; k < p.n_kernels; k++)
                sums[(i * channels + c) * p.n_kernels + k] = ((real *)sum)[c * p.width + k];
    }
}

/* Gradients of vectors(E,3) from that of the sums, widened here into g_wide for lode_values. */
void KERNEL(lode_vectors)(const real *restrict vectors, const int64_t *restrict neighbor,
                          const int64_t *restrict first, const real *restrict wide,
                          const int64_t *restrict power, const real *restrict constants,
                          int64_t n_center, int64_t n_channels, int64_t extra, int64_t lmax,
                          double start, double width, const real *restrict gradient,
                          real *restrict g_wide, real *restrict g_vectors) {
    const lode_t p = settings(power, constants, n_channels, extra, lmax, start, width);
    const int channels = p.channels, blocks = p.width / LANES;
    widen(&p, gradient, n_center, 0, g_wide);
#pragma omp parallel for schedule(dynamic, 8)
    for (int64_t i = 0; i < n_center; i++) {
        real rows[TILE * MAX_KERNELS] = {0};
        tile_t t;
        const vec *own = (const vec *)(g_wide + i * channels * p.width);
        for (int64_t e = first[i]; e < first[i + 1]; e += TILE) {
            const int count = first[i + 1] - e < TILE ? (int)(first[i + 1] - e) : TILE;
            load(&t, vectors, 0, e, count);
            geometry(&t, &p);
            SPECIALISED(gather_dot, rows, own, wide, neighbor + e, count);
            chain(&t, &p, rows);
            for (int k = 0; k < count; k++) {
                g_vectors[3 * (e + k)] = t.x[k];
                g_vectors[3 * (e + k) + 1] = t.y[k];
                g_vectors[3 * (e + k) + 2] = t.z[k];
            }
        }
    }
}

/* Gradient of z(n_total, channels, n_values); incoming(E) lists the edges by neighbour, bounds in
 * in_first(n_total + 1). The functions are computed again: storing them takes K numbers an edge. */
void KERNEL(lode_values)(const real *restrict vectors, const int64_t *restrict receiver,
                         const int64_t *restrict incoming, const int64_t *restrict in_first,
                         const real *restrict g_wide, const int64_t *restrict power,
                         const real *restrict constants, int64_t n_total, int64_t n_channels,
                         int64_t extra, int64_t lmax, double start, double width,
                         real *restrict g_z) {
    const lode_t p = settings(power, constants, n_channels, extra, lmax, start, width);
    const int channels = p.channels, blocks = p.width / LANES;
#pragma omp parallel for schedule(dynamic, 8)
    for (int64_t j = 0; j < n_total; j++) {
        real rows[TILE * MAX_KERNELS] = {0};
        vec sum[MAX_CHANNELS * MAX_KERNELS / LANES] = {{0}};
        int64_t from[TILE];
        tile_t t;
        for (int64_t e = in_first[j]; e < in_first[j + 1]; e += TILE) {
            const int count = in_first[j + 1] - e < TILE ? (int)(in_first[j + 1] - e) : TILE;
            load(&t, vectors, incoming, e, count);
            geometry(&t, &p);
            kernel_rows(&t, &p, rows);
            for (int k = 0; k < count; k++)
                from[k] = receiver[incoming[e + k]];
            SPECIALISED(gather_sum, sum, rows, g_wide, from, count);
        }
        for (int c = 0; c < channels; c++) {
            real *out = g_z + (j * channels + c) * p.n_values;
            for (int n = 0; n < p.n_values; n++)
                out[n] = R(0);
            for (int k = 0; k < p.n_kernels; k++)
                out[p.value_of[k]] += ((real *)sum)[c * p.width + k];
        }
    }
}
