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

/* g_k[c][h] += g[h] w[c] q[c][h] */
INLINE void key_gradient(const sizes s, const edge *x, real *restrict g_k) {
    const int64_t n = heads(s);
    const real *const w = x->row + n;
    for (int64_t c = 0; c < s.channels; c++)
        for (int64_t h = 0; h < n; h += LANES)
            store(g_k + c * n + h,
                  load(g_k + c * n + h) + load(x->q + c * n + h) * (load(x->row + h) * w[c]));
}

/* g_v[c][h] += a[h] g_sums[c][h] */
INLINE void value_gradient(const sizes s, const edge *x, real *restrict repeated,
                           real *restrict g_v) {
    repeat_heads(s, x->row + heads(s) + padded(s.channels), repeated);
    for (int64_t o = 0; o < values(s); o += pattern(s))
        for (int64_t p = 0; p < pattern(s); p += LANES)
            store(g_v + o + p, load(g_v + o + p) + load(x->g_sums + o + p) * load(repeated + p));
}

INLINE edge edge_at(const sizes s, const layer *x, int64_t place) {
    const int64_t e = x->incoming[place], i = x->receiver[e];
    return (edge){x->kept + e * kept(s), x->records + e * record(s) + s.radial,
                  x->q + i * x->q_stride, x->g_out + x->place[i] * x->out_stride,
                  x->g_total + i * components(s) * s.ht};
}

INLINE void neighbor(const sizes s, const layer *x, int64_t j, real *memory) {
    const int64_t n_v = components(s) * s.ht, n_k = s.channels * heads(s);
    real *const repeated = memory, *const g_k = repeated + pattern(s);
    real *const g_v = g_k + n_k, *const g_tensor = g_v + values(s);
    for (int64_t k = 0; k < n_k + values(s); k++)
        g_k[k] = 0;
    for (int64_t k = 0; k < n_v; k++)
        g_tensor[k] = x->g_tensor[j * n_v + k];
    for (int64_t k = x->in_first[j]; k < x->in_first[j + 1]; k++) {
        const edge now = edge_at(s, x, k);
        if (k + 1 < x->in_first[j + 1]) {
            /* the rows of another receiver lie anywhere */
            const edge next = edge_at(s, x, k + 1);
            fetch(next.row, kept(s));
            fetch(next.q, n_k);
            fetch(next.g_sums, values(s));
            fetch(next.g_total, n_v);
        }
        key_gradient(s, &now, g_k);
        value_gradient(s, &now, repeated, g_v);
        const real *const a_2 = now.row + heads(s) + padded(s.channels) + s.hs;
        add_tensor(s, a_2 + tensor_heads(s), now.y, a_2, now.g_total, g_tensor);
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
