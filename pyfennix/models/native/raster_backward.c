/* SPDX-License-Identifier: MIT
 * Gradients of one attention layer of RASTER, first by receiver, to records, queries and tensors.
 *
 * The forward pass has kept logits, w and the hidden units of every edge. This one replaces them
 * by what the sums by neighbour need (raster_incoming.c).
 */
#include <omp.h>

#include "raster_parts.h"

/* Buffers of a thread for one block of edges */
typedef struct {
    real *g_w, *g_hidden, *g_u, *a, *g_a, *slope, *g_switch, *g_q, *g_total, *g_own;
} buffers;

INLINE buffers divide(const sizes s, real *memory) {
    buffers b;
    b.g_w = memory;
    b.g_hidden = b.g_w + BLOCK * padded(s.channels);
    b.g_u = b.g_hidden + BLOCK * s.hidden;
    b.a = b.g_u + BLOCK * padded(inputs(s));
    b.g_switch = b.a + BLOCK * heads(s);
    b.g_a = b.g_switch + BLOCK;
    b.slope = b.g_a + heads(s) + pattern(s);
    b.g_q = b.slope + (heads(s) > s.hidden ? heads(s) : s.hidden);
    b.g_total = b.g_q + s.channels * heads(s);
    b.g_own = b.g_total + components(s) * s.ht;
    return b;
}

/* gradient of the tensor: that of the layer's result and that of its invariants */
INLINE void total_gradient(const sizes s, const layer *x, int64_t i, real *restrict total) {
    const int64_t n_v = components(s) * s.ht;
    const real *const g_inv = x->g_out + x->place[i] * x->out_stride + x->n_sums;
    const real *const tensor = x->new_tensor + i * n_v;
    for (int64_t l = 0; l < s.n_l; l++)
        for (int64_t m = l * l; m < (l + 1) * (l + 1); m++)
            for (int64_t h = 0; h < s.ht; h++) {
                real sum = 0;
                for (int64_t g = 0; g < s.ht; g++)
                    sum += (g_inv[l * s.ht + h] * x->mixing[h * s.ht + g] +
                            g_inv[l * s.ht + g] * x->mixing[g * s.ht + h]) * tensor[m * s.ht + g];
                const real mean = (real)(sum / (2.0 * (double)l + 1.0));
                total[m * s.ht + h] = x->g_new[i * n_v + m * s.ht + h] + mean;
            }
}

/* Gradient by the coefficients of an edge */
INLINE void coefficient_gradient(const sizes s, const layer *x, const real *restrict g_sums,
                                 const real *restrict g_total, const real *restrict y, int64_t j,
                                 real *restrict g_a) {
    const int64_t n_pattern = pattern(s), n_v = components(s) * s.ht;
    for (int64_t h = scalars(s); h < heads(s); h++)
        g_a[h] = 0;
    const real *const near = s.later ? x->tensor + j * n_v : g_total;
    real *const g_1 = g_a, *const g_2 = g_a + tensor_heads(s);
    for (int64_t l = 0; l < s.n_l; l++) {
        const int64_t first = l * l, last = (l + 1) * (l + 1);
        int64_t h = 0;
        for (; h + 4 <= s.ht; h += 4) {
            quad one = {0}, two = {0};
            for (int64_t m = first; m < last; m++) {
                one += load_quad(g_total + m * s.ht + h) * y[m];
                two += load_quad(g_total + m * s.ht + h) * load_quad(near + m * s.ht + h);
            }
            store_quad(g_1 + l * s.ht + h, one);
            if (s.later)
                store_quad(g_2 + l * s.ht + h, two);
        }
        for (; h < s.ht; h++) {
            real one = 0, two = 0;
            for (int64_t m = first; m < last; m++) {
                one += g_total[m * s.ht + h] * y[m];
                two += g_total[m * s.ht + h] * near[m * s.ht + h];
            }
            g_1[l * s.ht + h] = one;
            if (s.later)
                g_2[l * s.ht + h] = two;
        }
    }
    real *const scalar = g_a + scalars(s);
    if (s.by_kind) {
        for (int64_t h = 0; h < s.hs; h++)
            scalar[h] = g_sums[x->kind[j] * s.hs + h];
        return;
    }
    const real *v = x->v + (s.later ? j : x->kind[j]) * x->v_stride;
    real *const folded = g_a + heads(s);
    for (int64_t p = 0; p < n_pattern; p += LANES) {
        vec sum = {0};
        for (int64_t o = p; o < values(s); o += n_pattern)
            sum += load(g_sums + o) * load(v + o);
        store(folded + p, sum);
    }
    for (int64_t p = 0; p < n_pattern; p += s.hs)
        for (int64_t h = 0; h < s.hs; h++)
            scalar[h] += folded[p + h];
}

/* g_w[c] = sum over h of g[h] q[c][h] k[c][h];  g_q[c][h] += g[h] w[c] k[c][h] */
INLINE void logit_gradient(const sizes s, const real *restrict g, const real *restrict q,
                           const real *restrict k, const real *restrict w, real *restrict g_w,
                           real *restrict g_q) {
    const int64_t n = heads(s);
    for (int64_t start = 0; start < padded(s.channels); start += LANES) {
        vec row[LANES];
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            const int64_t c = start + r;
            row[r] = (vec){0};
            if (c >= s.channels)
                continue;
            for (int64_t h = 0; h < n; h += LANES) {
                const vec product = load(g + h) * load(k + c * n + h);
                row[r] += product * load(q + c * n + h);
                if (s.later)
                    store(g_q + c * n + h, load(g_q + c * n + h) + product * w[c]);
            }
        }
        store(g_w + start, lane_sums(row));
    }
}

/* Gradients by the logits, w and the switch of n edges from e on */
INLINE void through_logits(const sizes s, const layer *x, int64_t i, int64_t e, int64_t n,
                           const buffers b) {
    const int64_t n_heads = heads(s), n_w = padded(s.channels);
    const real *const q = x->q + (s.later ? i : x->kind[i]) * x->q_stride;
    for (int64_t k = 0; k < n; k++) {
        real *const row = x->kept + (e + k) * kept(s), *const a = b.a + k * n_heads;
        const int64_t j = x->neighbor[e + k];
        const real *const edge = x->records + (e + k) * record(s);
        const real weight = edge[record(s) - 1];
        if (s.later && k + 1 < n)
            fetch(x->k + x->neighbor[e + k + 1] * x->k_stride, s.channels * n_heads + values(s));
        silu(row, n_heads, a, b.slope);
        coefficient_gradient(s, x, x->g_out + x->place[i] * x->out_stride, b.g_total, edge + s.radial, j,
                             b.g_a);
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t h = 0; h < n_heads; h++) {
            sum += b.g_a[h] * a[h];
            row[h] = b.g_a[h] * weight * b.slope[h];
            a[h] *= weight;
        }
        b.g_switch[k] = sum;
        logit_gradient(s, row, q, x->k + (s.later ? j : x->kind[j]) * x->k_stride, row + n_heads,
                       b.g_w + k * n_w, b.g_q);
    }
}

/* Gradients by the inputs of the positional network */
INLINE void through_network(const sizes s, const layer *x, int64_t e, int64_t n, const buffers b) {
    const int64_t n_w = padded(s.channels), n_u = padded(inputs(s));
    affine(b.g_w, n_w, s.channels, x->w2_t, 0, s.hidden, b.g_hidden, s.hidden, n);
    for (int64_t k = 0; k < n; k++) {
        const real *const hidden = x->kept + (e + k) * kept(s) + heads(s) + n_w;
        real *const g = b.g_hidden + k * s.hidden;
#pragma omp simd
        for (int64_t p = 0; p < s.hidden; p++) {
            const real step = logistic(hidden[p]);
            g[p] *= step * (R(1) + hidden[p] * (R(1) - step));
        }
    }
    affine(b.g_hidden, s.hidden, s.hidden, x->w1_t, 0, n_u, b.g_u, n_u, n);
}

/* Gradients by the record of an edge and the receiver's old tensor */
INLINE void through_harmonics(const sizes s, const layer *x, int64_t i, int64_t e, int64_t k,
                              const buffers b) {
    const int64_t n_v = components(s) * s.ht;
    const real *const a = b.a + k * heads(s), *const g_u = b.g_u + k * padded(inputs(s));
    const real *const y = x->records + (e + k) * record(s) + s.radial;
    const real *const near = s.later ? x->tensor + x->neighbor[e + k] * n_v : 0;
    const real *const own = s.later ? x->tensor + i * n_v : 0;
    real *const g = x->g_records + (e + k) * record(s);
    for (int64_t r = 0; r < s.radial; r++)
        g[r] = g_u[r];
    for (int64_t l = 0; l < s.n_l; l++) {
        const real sign = l % 2 ? R(-1) : R(1);
        const real *const g_l = g_u + s.radial + l * s.ht;
        for (int64_t m = l * l; m < (l + 1) * (l + 1); m++) {
            int64_t h = 0;
            quad sums = {0};
            for (; h + 4 <= s.ht; h += 4) {
                const int64_t t = m * s.ht + h;
                sums += load_quad(b.g_total + t) * load_quad(a + l * s.ht + h);
                if (s.later) {
                    const quad g_scalar = load_quad(g_l + h);
                    sums += g_scalar * (load_quad(near + t) + load_quad(own + t) * sign);
                    store_quad(b.g_own + t, load_quad(b.g_own + t) + g_scalar * (sign * y[m]));
                }
            }
            real sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
            for (; h < s.ht; h++) {
                const int64_t t = m * s.ht + h;
                sum += b.g_total[t] * a[l * s.ht + h];
                if (s.later) {
                    sum += g_l[h] * (near[t] + sign * own[t]);
                    b.g_own[t] += sign * g_l[h] * y[m];
                }
            }
            g[s.radial + m] = sum;
        }
    }
    g[record(s) - 1] = b.g_switch[k];
}

/* What the sums by neighbour need, in the place of the hidden units: a of the scalar heads, a_2,
 * gradient of the scalars u */
INLINE void keep(const sizes s, const layer *x, int64_t e, int64_t k, const buffers b) {
    real *const row = x->kept + (e + k) * kept(s) + heads(s) + padded(s.channels);
    const real *const a = b.a + k * heads(s);
    const real *const g_u = b.g_u + k * padded(inputs(s)) + s.radial;
    for (int64_t h = 0; h < s.hs; h++)
        row[h] = a[scalars(s) + h];
    for (int64_t h = 0; h < tensor_heads(s); h++) {
        row[s.hs + h] = a[tensor_heads(s) + h];
        row[s.hs + tensor_heads(s) + h] = g_u[h];
    }
}

INLINE void receiver(const sizes s, const layer *x, int64_t i, real *memory) {
    const buffers b = divide(s, memory);
    const int64_t n_v = components(s) * s.ht, n_q = s.channels * heads(s);
    total_gradient(s, x, i, b.g_total);
    if (s.later) {
        for (int64_t k = 0; k < n_q; k++)
            b.g_q[k] = 0;
        for (int64_t k = 0; k < n_v; k++)
            b.g_own[k] = x->g_total[i * n_v + k] = b.g_total[k];
    }
    for (int64_t e = x->first[i]; e < x->first[i + 1]; e += BLOCK) {
        const int64_t left = x->first[i + 1] - e, n = left < BLOCK ? left : BLOCK;
        through_logits(s, x, i, e, n, b);
        through_network(s, x, e, n, b);
        for (int64_t k = 0; k < n; k++) {
            through_harmonics(s, x, i, e, k, b);
            if (s.later)
                keep(s, x, e, k, b);
        }
    }
    if (!s.later)
        return;
    const real *const g_own = x->g_out + x->place[i] * x->out_stride + x->n_sums + tensor_heads(s);
    for (int64_t k = 0; k < n_q; k++)
        x->g_q[i * x->q_stride + k] = b.g_q[k];
    for (int64_t k = 0; k < x->n_own; k++)
        x->g_q[i * x->q_stride + n_q + k] = g_own[k];
    for (int64_t k = 0; k < n_v; k++)
        x->g_tensor[i * n_v + k] = b.g_own[k];
}

INSTANCES(receiver)

/* Gradients by the records, and in a later layer by the receivers' queries and tensors. */
void KERNEL(raster_backward)(const sizes *s, const layer *x, int64_t n_center) {
    const work_t work = receiver_for(*s);
#pragma omp parallel num_threads((int)x->threads)
    {
        real *memory = x->memory + omp_get_thread_num() * x->memory_size;
#pragma omp for schedule(dynamic, 8)
        for (int64_t i = 0; i < n_center; i++)
            work(*s, x, i, memory);
    }
}
