/* SPDX-License-Identifier: MIT
 * One attention layer of RASTER: sums over each receiver's edges, in blocks that stay in cache.
 */
#include <omp.h>

#include "raster_parts.h"

/* Buffers of a thread for one block of edges */
typedef struct {
    real *u, *act, *kept, *coefficient, *repeated, *tensor, *sums;
} buffers;

static buffers divide(const sizes s, real *memory) {
    buffers b;
    b.u = memory;
    b.act = b.u + BLOCK * inputs(s);
    b.kept = b.act + BLOCK * s.hidden;
    b.coefficient = b.kept + BLOCK * kept(s);
    b.repeated = b.coefficient + BLOCK * heads(s);
    b.tensor = b.repeated + BLOCK * pattern(s);
    b.sums = b.tensor + components(s) * s.ht;
    return b;
}

/* Coefficients a of n edges from e on: scalars, positional network, logits, activation. */
INLINE void coefficients(const sizes s, const layer *x, int64_t i, int64_t e, int64_t n,
                         const buffers b) {
    const int64_t n_heads = heads(s), row = kept(s), n_w = padded(s.channels);
    const int64_t n_in = inputs(s), n_v = components(s) * s.ht;
    real *const rows = x->kept ? x->kept + e * row : b.kept;
    const real *const record_0 = x->records + e * record(s);
    const real *const q = x->q + (s.later ? i : x->kind[i]) * x->q_stride;
    for (int64_t k = 0; k < n; k++) {
        const real *edge = record_0 + k * record(s);
        for (int64_t r = 0; r < s.radial; r++)
            b.u[k * n_in + r] = edge[r];
        if (s.later)
            edge_scalars(s, x->tensor + x->neighbor[e + k] * n_v, x->tensor + i * n_v,
                         edge + s.radial, b.u + k * n_in + s.radial);
    }
    affine(b.u, n_in, n_in, x->w1, x->b1, s.hidden, rows + n_heads + n_w, row, n);
    for (int64_t k = 0; k < n; k++)
        silu(rows + k * row + n_heads + n_w, s.hidden, b.act + k * s.hidden, 0);
    affine(b.act, s.hidden, s.hidden, x->w2, x->b2, n_w, rows + n_heads, row, n);
    for (int64_t k = 0; k < n; k++) {
        const int64_t j = x->neighbor[e + k];
        real *const a = b.coefficient + k * n_heads;
        if (s.later && k + 1 < n)
            fetch(x->k + x->neighbor[e + k + 1] * x->k_stride, s.channels * n_heads);
        logits(s, q, x->k + (s.later ? j : x->kind[j]) * x->k_stride, rows + k * row + n_heads,
               rows + k * row);
        silu(rows + k * row, n_heads, a, 0);
        const real weight = record_0[k * record(s) + record(s) - 1];
        for (int64_t h = 0; h < n_heads; h++)
            a[h] *= weight;
    }
}

/* sums += coefficients times values, a few vectors at a time for all edges of the block */
INLINE void add_values(const sizes s, const layer *x, int64_t e, int64_t n, const buffers b) {
    const int64_t n_pattern = pattern(s);
    if (s.by_kind) {
        for (int64_t k = 0; k < n; k++)
            for (int64_t h = 0; h < s.hs; h++)
                b.sums[x->kind[x->neighbor[e + k]] * s.hs + h] +=
                    b.coefficient[k * heads(s) + scalars(s) + h];
        return;
    }
    for (int64_t k = 0; k < n; k++)
        repeat_heads(s, b.coefficient + k * heads(s) + scalars(s), b.repeated + k * n_pattern);
    enum { STEP = 4 };
    for (int64_t o = 0; o < values(s); o += STEP * LANES) {
        vec sum[STEP];
        for (int t = 0; t < STEP; t++)
            sum[t] = o + t * LANES < values(s) ? load(b.sums + o + t * LANES) : (vec){0};
        for (int64_t k = 0; k < n; k++) {
            const int64_t j = x->neighbor[e + k];
            const real *v = x->v + (s.later ? j : x->kind[j]) * x->v_stride + o;
            for (int t = 0; t < STEP; t++)
                if (o + t * LANES < values(s))
                    sum[t] += load(v + t * LANES) *
                              load(b.repeated + k * n_pattern + (o + t * LANES) % n_pattern);
        }
        for (int t = 0; t < STEP; t++)
            if (o + t * LANES < values(s))
                store(b.sums + o + t * LANES, sum[t]);
    }
}

/* invariant[l][h] = sum over m of tensor times mixed tensor / (2 l + 1) */
INLINE void invariants(const sizes s, const real *restrict tensor, const real *restrict mixing,
                       real *restrict out) {
    for (int64_t l = 0; l < s.n_l; l++)
        for (int64_t h = 0; h < s.ht; h++) {
            real sum = 0;
            for (int64_t m = l * l; m < (l + 1) * (l + 1); m++) {
                real mixed = 0;
                for (int64_t g = 0; g < s.ht; g++)
                    mixed += mixing[h * s.ht + g] * tensor[m * s.ht + g];
                sum += mixed * tensor[m * s.ht + h];
            }
            out[l * s.ht + h] = (real)(sum / (2.0 * (double)l + 1.0));
        }
}

INLINE void receiver(const sizes s, const layer *x, int64_t i, real *memory) {
    const buffers b = divide(s, memory);
    const int64_t n_sums = x->n_sums, n_v = components(s) * s.ht;
    for (int64_t k = 0; k < n_sums; k++)
        b.sums[k] = 0;
    for (int64_t k = 0; k < n_v; k++)
        b.tensor[k] = s.later ? x->tensor[i * n_v + k] : R(0);
    for (int64_t e = x->first[i]; e < x->first[i + 1]; e += BLOCK) {
        const int64_t left = x->first[i + 1] - e, n = left < BLOCK ? left : BLOCK;
        coefficients(s, x, i, e, n, b);
        add_values(s, x, e, n, b);
        for (int64_t k = 0; k < n; k++)
            add_tensor(s, b.coefficient + k * heads(s), x->records + (e + k) * record(s) + s.radial,
                       b.coefficient + k * heads(s) + tensor_heads(s),
                       s.later ? x->tensor + x->neighbor[e + k] * n_v : 0, b.tensor);
    }
    real *const out = x->out + x->place[i] * x->out_stride;
    const real *const own = x->q + (s.later ? i : x->kind[i]) * x->q_stride + s.channels * heads(s);
    for (int64_t k = 0; k < n_sums; k++)
        out[k] = b.sums[k];
    for (int64_t k = 0; k < n_v; k++)
        x->new_tensor[i * n_v + k] = b.tensor[k];
    invariants(s, b.tensor, x->mixing, out + n_sums);
    for (int64_t k = 0; k < x->n_own; k++)
        out[n_sums + tensor_heads(s) + k] = own[k];
}

INSTANCES(receiver)

/* Sums, invariants and tensors of every receiver. */
void KERNEL(raster_forward)(const sizes *s, const layer *x, int64_t n_center) {
    const work_t work = receiver_for(*s);
#pragma omp parallel num_threads((int)x->threads)
    {
        real *memory = x->memory + omp_get_thread_num() * x->memory_size;
#pragma omp for schedule(dynamic, 8)
        for (int64_t i = 0; i < n_center; i++)
            work(*s, x, i, memory);
    }
}
