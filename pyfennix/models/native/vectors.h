/* SPDX-License-Identifier: MIT
 * Vectors of the processor's width as a type, and the transposition of a square of them.
 */
#ifndef PYFENNIX_VECTORS_H
#define PYFENNIX_VECTORS_H

#include "real.h"

/* Not wider than the processor's: the compiler splits such vectors, but through memory. */
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
typedef real vec __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

enum { LANES = VECTOR_BYTES / sizeof(real) };

/* Lanes of two vectors in turn: the lower halves, the upper halves. */
#ifdef DOUBLE
#define LANE_BITS 64
#else
#define LANE_BITS 32
#endif
#if VECTOR_BYTES * 8 / LANE_BITS == 16
#define LOWER 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define UPPER 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif VECTOR_BYTES * 8 / LANE_BITS == 8
#define LOWER 0, 8, 1, 9, 2, 10, 3, 11
#define UPPER 4, 12, 5, 13, 6, 14, 7, 15
#elif VECTOR_BYTES * 8 / LANE_BITS == 4
#define LOWER 0, 4, 1, 5
#define UPPER 2, 6, 3, 7
#else
#define LOWER 0, 2
#define UPPER 1, 3
#endif

/* out[j][i] = in[i][j] for i, j < LANES; in and out are rows that far apart. */
static inline __attribute__((always_inline)) void transpose(const real *restrict in, int in_step,
                                                            real *restrict out, int out_step) {
    vec a[LANES], b[LANES];
    for (int i = 0; i < LANES; i++)
        a[i] = *(const vec *)(in + i * in_step);
    /* each turn moves one bit of the row's number into the column's */
    for (int bit = 1; bit < LANES; bit *= 2) {
        for (int i = 0; i < LANES / 2; i++) {
            b[2 * i] = __builtin_shufflevector(a[i], a[i + LANES / 2], LOWER);
            b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + LANES / 2], UPPER);
        }
        for (int i = 0; i < LANES; i++)
            a[i] = b[i];
    }
    for (int i = 0; i < LANES; i++)
        *(vec *)(out + i * out_step) = a[i];
}

#endif
