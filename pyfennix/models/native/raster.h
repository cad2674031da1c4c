/* SPDX-License-Identifier: MIT
 * What the RASTER kernels share: sizes of a layer, one edge's rows, and vector helpers.
 */
#ifndef PYFENNIX_RASTER_H
#define PYFENNIX_RASTER_H

#include "vectors.h"
#include "vmath.h"

#define BLOCK 32 /* edges of one receiver that are worked on together */
#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const real *x) { return *(const vec *)x; }
INLINE void store(real *x, vec value) { *(vec *)x = value; }
/* Four tensor heads, the usual number */
typedef real quad __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
INLINE quad load_quad(const real *x) { return *(const quad *)x; }
INLINE void store_quad(real *x, quad value) { *(quad *)x = value; }

INLINE int64_t padded(int64_t n) { return (n + 15) / 16 * 16; }

/* 1 / (1 + exp(-x)); the numerator is chosen among integers, as in vmath.h */
INLINE real logistic(real x) {
    const real e = v_exp(-R(fabs(x)));
    const bits negative = bits_of(x) >> (8 * sizeof(real) - 1);
    return real_of((bits_of(e) & negative) | (bits_of(R(1)) & ~negative)) / (R(1) + e);
}

/* x times the logistic function, and its derivative, of n numbers, n a multiple of 16 */
INLINE void silu(const real *restrict x, int64_t n, real *restrict value, real *restrict slope) {
#pragma omp simd
    for (int64_t k = 0; k < n; k++) {
        const real step = logistic(x[k]);
        value[k] = x[k] * step;
        if (slope)
            slope[k] = step * (R(1) + x[k] * (R(1) - step));
    }
}

/* Sizes of a layer. Its heads lie as [degree][tensor head] of a1, then, in a later layer, of a2,
 * then the scalar heads, padded to `heads`, a multiple of 16. */
typedef struct {
    int64_t later;    /* 0: the first layer, whose rows of q, k and v belong to elements */
    int64_t n_l, ht;  /* degrees, tensor heads */
    int64_t hs;       /* scalar heads */
    int64_t channels; /* of a head */
    int64_t radial;   /* radial functions */
    int64_t hidden;   /* width of the positional network, a multiple of 16 */
    int64_t by_kind;  /* scalar heads are summed per element of the neighbour, without values */
} sizes;

INLINE int64_t tensor_heads(sizes s) { return s.n_l * s.ht; }
INLINE int64_t heads(sizes s) { return padded((1 + s.later) * s.n_l * s.ht + s.hs); }
INLINE int64_t scalars(sizes s) { return (1 + s.later) * s.n_l * s.ht; } /* first scalar head */
INLINE int64_t inputs(sizes s) { return s.radial + s.later * s.n_l * s.ht; }
INLINE int64_t components(sizes s) { return s.n_l * s.n_l; }
/* an edge: radial functions, harmonics, switch */
INLINE int64_t record(sizes s) { return s.radial + s.n_l * s.n_l + 1; }
/* an edge in memory between the passes: logits, w, hidden; later a_2, a_s, gradient of inputs */
INLINE int64_t kept(sizes s) {
    const int64_t extra = s.hs + 2 * s.n_l * s.ht;
    return heads(s) + padded(s.channels) + (s.later && extra > s.hidden ? padded(extra) : s.hidden);
}
/* flattened values [channel][scalar head], a whole number of vectors and of head patterns */
INLINE int64_t pattern(sizes s) {
    int64_t n = s.hs;
    while (n % 16)
        n += s.hs;
    return n;
}
INLINE int64_t values(sizes s) {
    const int64_t p = pattern(s);
    return (s.channels * s.hs + p - 1) / p * p;
}

/* Whatever a layer works on, in the order of the table that Python fills; what a pass does not use
 * may be null. A row of q ends with n_own columns that are passed on as they are. Results per
 * receiver: n_sums sums, then invariants, then the n_own columns. */
typedef struct {
    const int64_t *first, *neighbor, *kind; /* kind: rows of q, k, v in the first layer */
    const int64_t *receiver, *incoming, *in_first;
    const real *records, *q, *k, *v, *tensor;
    const real *w1, *b1, *w2, *b2, *w1_t, *w2_t; /* (in, out) and (out, in), out padded to 16 */
    const real *mixing;                          /* (ht, ht) */
    const int64_t *place; /* row of each receiver in out */
    real *kept, *out, *new_tensor;
    const real *g_out, *g_new;
    real *g_records, *g_q, *g_k, *g_v, *g_tensor, *g_total;
    real *memory; /* memory_size for each thread */
    int64_t q_stride, k_stride, v_stride, out_stride, n_sums, n_own, memory_size, threads;
} layer;

/* work(s, x, i, memory) with the sizes of published models as constants, and for any sizes */
typedef void (*work_t)(const sizes, const layer *, int64_t, real *);
#define INSTANCE(work, name, later, n_l, ht, hs, channels, radial)                                 \
    static void work##_##name(const sizes s, const layer *x, int64_t i, real *memory) {            \
        work((sizes){later, n_l, ht, hs, channels, radial, 32, s.by_kind}, x, i, memory);          \
    }
#define MATCHES(later_, n_l_, ht_, hs_, channels_, radial_)                                        \
    (s.later == later_ && s.n_l == n_l_ && s.ht == ht_ && s.hs == hs_ &&                           \
     s.channels == channels_ && s.radial == radial_ && s.hidden == 32)
#ifdef DOUBLE
#define INSTANCES(work)                                                                            \
    static void work##_any(const sizes s, const layer *x, int64_t i, real *memory) {               \
        work(s, x, i, memory);                                                                     \
    }                                                                                              \
    static work_t work##_for(const sizes s) { (void)s; return work##_any; }
#else
#define INSTANCES(work)                                                                            \
    INSTANCE(work, m0, 0, 4, 4, 16, 16, 10)                                                        \
    INSTANCE(work, m1, 1, 4, 4, 16, 16, 10)                                                        \
    INSTANCE(work, s0, 0, 4, 1, 8, 16, 10)                                                         \
    INSTANCE(work, s1, 1, 4, 1, 8, 16, 10)                                                         \
    INSTANCE(work, f0, 0, 3, 4, 8, 16, 8)                                                          \
    INSTANCE(work, w0, 0, 3, 4, 8, 8, 8)                                                           \
    INSTANCE(work, w1, 1, 3, 4, 8, 8, 8)                                                           \
    static void work##_any(const sizes s, const layer *x, int64_t i, real *memory) {               \
        work(s, x, i, memory);                                                                     \
    }                                                                                              \
    static work_t work##_for(const sizes s) {                                                      \
        return MATCHES(0, 4, 4, 16, 16, 10)  ? work##_m0                                           \
               : MATCHES(1, 4, 4, 16, 16, 10) ? work##_m1                                          \
               : MATCHES(0, 4, 1, 8, 16, 10) ? work##_s0                                           \
               : MATCHES(1, 4, 1, 8, 16, 10) ? work##_s1                                           \
               : MATCHES(0, 3, 4, 8, 16, 8)  ? work##_f0                                           \
               : MATCHES(0, 3, 4, 8, 8, 8)   ? work##_w0                                           \
               : MATCHES(1, 3, 4, 8, 8, 8)   ? work##_w1                                           \
                                             : work##_any;                                         \
    }
#endif

#endif
