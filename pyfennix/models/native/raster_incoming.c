/* SPDX-License-Identifier: MIT
 * Gradients of one later attention layer of RASTER by the neighbours' keys, values and tensors.
 *
 * Each atom sums over the edges that end at it, so that no two threads write to one place.
 */
#include <omp.h>

#include "raster_parts.h"

/* One edge that ends at the atom: its kept row, record, and the receiver's rows */
typedef struct {
    const real *row, *y, *q, *g_sums, *g_total;
} edge;

INLINE void key_gradient(const sizes s, const edge *edges, int64_t n, real *restrict g_k) {
    const int64_t n_heads = heads(s);
    enum { STEP = 8 };
    for (int64_t h = 0; h < n_heads; h += LANES)
        for (int64_t c = 0; c < s.channels; c += STEP) {
            const int64_t left = s.channels - c;
            vec sum[STEP];
            for (int t = 0; t < STEP; t++)
                sum[t] = t < left ? load(g_k + (c + t) * n_heads + h) : (vec){0};
            for (int64_t e = 0; e < n; e++) {
                const vec g = load(edges[e].row + h);
                const real *const w = edges[e].row + n_heads + c;
                for (int t = 0; t < STEP; t++)
                    if (t < left)
                        sum[t] += load(edges[e].q + (c + t) * n_heads + h) * (g * w[t]);
            }
            for (int t = 0; t < STEP; t++)
                if (t < left)
                    store(g_k + (c + t) * n_heads + h, sum[t]);
        }
}

INLINE void value_gradient(const sizes s, const edge *edges, int64_t n, real *restrict repeated,
                           real *restrict g_v) {
    const int64_t n_pattern = pattern(s), a = heads(s) + padded(s.channels);
    for (int64_t e = 0; e < n; e++)
        repeat_heads(s, edges[e].row + a, repeated + e * n_pattern);
    enum { STEP = 4 };
    for (int64_t o = 0; o < values(s); o += STEP * LANES) {
        const int64_t left = (values(s) - o) / LANES;
        vec sum[STEP];
        for (int t = 0; t < STEP; t++)
            sum[t] = t < left ? load(g_v + o + t * LANES) : (vec){0};
        for (int64_t e = 0; e < n; e++)
            for (int t = 0; t < STEP; t++)
                if (t < left)
                    sum[t] += load(edges[e].g_sums + o + t * LANES) *
                              load(repeated + e * n_pattern + (o + t * LANES) % n_pattern);
        for (int t = 0; t < STEP; t++)
            if (t < left)
                store(g_v + o + t * LANES, sum[t]);
    }
}

INLINE void tensor_gradient(const sizes s, const edge *edges, int64_t n, real *restrict g_tensor) {
    const int64_t extra = heads(s) + padded(s.channels) + s.hs;
    for (int64_t e = 0; e < n; e++) {
        const real *const a_2 = edges[e].row + extra, *const g_u = a_2 + tensor_heads(s);
        for (int64_t l = 0; l < s.n_l; l++)
            for (int64_t m = l * l; m < (l + 1) * (l + 1); m++)
                for (int64_t h = 0; h < s.ht; h++)
                    g_tensor[m * s.ht + h] += g_u[l * s.ht + h] * edges[e].y[m] +
                                              a_2[l * s.ht + h] * edges[e].g_total[m * s.ht + h];
    }
}

INLINE void neighbor(const sizes s, const layer *x, int64_t j, real *memory) {
    const int64_t n_v = components(s) * s.ht, n_k = s.channels * heads(s);
    real *const repeated = memory, *const g_k = repeated + BLOCK * pattern(s);
    real *const g_v = g_k + n_k, *const g_tensor = g_v + values(s);
    for (int64_t k = 0; k < n_k + values(s); k++)
        g_k[k] = 0;
    for (int64_t k = 0; k < n_v; k++)
        g_tensor[k] = x->g_tensor[j * n_v + k];
    for (int64_t start = x->in_first[j]; start < x->in_first[j + 1]; start += BLOCK) {
        const int64_t left = x->in_first[j + 1] - start, n = left < BLOCK ? left : BLOCK;
        edge edges[BLOCK];
        for (int64_t k = 0; k < n; k++) {
            const int64_t e = x->incoming[start + k], i = x->receiver[e];
            edges[k] = (edge){x->kept + e * kept(s), x->records + e * record(s) + s.radial,
                              x->q + i * x->q_stride, x->g_out + x->place[i] * x->out_stride,
                              x->g_total + i * n_v};
        }
        key_gradient(s, edges, n, g_k);
        value_gradient(s, edges, n, repeated, g_v);
        tensor_gradient(s, edges, n, g_tensor);
    }
    for (int64_t k = 0; k < n_k; k++)
        x->g_k[j * x->k_stride + k] = g_k[k];
    for (int64_t k = 0; k < values(s); k++)
        x->g_v[j * x->v_stride + k] = g_v[k];
    for (int64_t k = 0; k < n_v; k++)
        x->g_tensor[j * n_v + k] = g_tensor[k];
}

INSTANCES(neighbor)

/* Gradients by the rows of every atom; g_tensor holds what its own edges have given. */
void KERNEL(raster_incoming)(const sizes *s, const layer *x, int64_t n_total) {
    const work_t work = neighbor_for(*s);
#pragma omp parallel num_threads((int)x->threads)
    {
        real *memory = x->memory + omp_get_thread_num() * x->memory_size;
#pragma omp for schedule(dynamic, 8)
        for (int64_t j = 0; j < n_total; j++)
            work(*s, x, j, memory);
    }
}
