/* SPDX-License-Identifier: MIT
 * Steps of a RASTER layer on a few edges of one receiver; sizes are constants after inlining.
 */
#ifndef PYFENNIX_RASTER_PARTS_H
#define PYFENNIX_RASTER_PARTS_H

#include "raster.h"

/* y = x w + b for `rows` rows and `width` vectors of columns from column `o` */
INLINE void affine_tile(const real *x, int64_t x_stride, int64_t n_in, const real *w,
                        const real *b, int64_t n_out, real *y, int64_t y_stride, int64_t o,
                        const int rows, const int width) {
    vec sum[4][4];
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < width; c++)
            sum[r][c] = b ? load(b + o + c * LANES) : (vec){0};
    for (int64_t n = 0; n < n_in; n++)
        for (int c = 0; c < width; c++) {
            const vec column = load(w + n * n_out + o + c * LANES);
            for (int r = 0; r < rows; r++)
                sum[r][c] += column * x[r * x_stride + n];
        }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < width; c++)
            store(y + r * y_stride + o + c * LANES, sum[r][c]);
}

/* y(n, n_out) = x(n, n_in) w(n_in, n_out) + b(n_out); n_out is a multiple of 16, b may be null */
INLINE void affine(const real *x, int64_t x_stride, int64_t n_in, const real *w, const real *b,
                   int64_t n_out, real *y, int64_t y_stride, int64_t n) {
    const int wide = 32 / LANES > 4 ? 4 : 32 / LANES;
    int64_t o = 0;
    for (; o + wide * LANES <= n_out; o += wide * LANES) {
        int64_t e = 0;
        for (; e + 4 <= n; e += 4)
            affine_tile(x + e * x_stride, x_stride, n_in, w, b, n_out, y + e * y_stride, y_stride,
                        o, 4, wide);
        for (; e < n; e++)
            affine_tile(x + e * x_stride, x_stride, n_in, w, b, n_out, y + e * y_stride, y_stride,
                        o, 1, wide);
    }
    for (; o < n_out; o += LANES) {
        int64_t e = 0;
        for (; e + 4 <= n; e += 4)
            affine_tile(x + e * x_stride, x_stride, n_in, w, b, n_out, y + e * y_stride, y_stride,
                        o, 4, 1);
        for (; e < n; e++)
            affine_tile(x + e * x_stride, x_stride, n_in, w, b, n_out, y + e * y_stride, y_stride,
                        o, 1, 1);
    }
}

/* u[l][h] = sum over m of (near + (-1)^l own) y */
INLINE void edge_scalars(const sizes s, const real *restrict near, const real *restrict own,
                         const real *restrict y, real *restrict u) {
    for (int64_t l = 0; l < s.n_l; l++)
        for (int64_t h = 0; h < s.ht; h++) {
            const real sign = l % 2 ? R(-1) : R(1);
            real sum = 0;
            for (int64_t m = l * l; m < (l + 1) * (l + 1); m++)
                sum += (near[m * s.ht + h] + sign * own[m * s.ht + h]) * y[m];
            u[l * s.ht + h] = sum;
        }
}

/* raw[h] = sum over c of q[c][h] w[c] k[c][h] */
INLINE void logits(const sizes s, const real *restrict q, const real *restrict k,
                   const real *restrict w, real *restrict raw) {
    const int64_t n = heads(s);
    for (int64_t h = 0; h < n; h += LANES) {
        vec even = {0}, odd = {0};
        int64_t c = 0;
        for (; c + 2 <= s.channels; c += 2) {
            even += load(q + c * n + h) * load(k + c * n + h) * w[c];
            odd += load(q + (c + 1) * n + h) * load(k + (c + 1) * n + h) * w[c + 1];
        }
        if (c < s.channels)
            even += load(q + c * n + h) * load(k + c * n + h) * w[c];
        store(raw + h, even + odd);
    }
}

/* The scalar heads' coefficients, repeated over a pattern of whole vectors */
INLINE void repeat_heads(const sizes s, const real *restrict a, real *restrict repeated) {
    for (int64_t p = 0; p < pattern(s); p += s.hs)
        for (int64_t h = 0; h < s.hs; h++)
            repeated[p + h] = a[h];
}

/* tensor[m][h] += a1[l][h] y[m] (+ a2[l][h] near[m][h]) */
INLINE void add_tensor(const sizes s, const real *restrict a, const real *restrict y,
                       const real *restrict near, real *restrict tensor) {
    for (int64_t l = 0; l < s.n_l; l++)
        for (int64_t m = l * l; m < (l + 1) * (l + 1); m++)
            for (int64_t h = 0; h < s.ht; h++) {
                real term = a[l * s.ht + h] * y[m];
                if (s.later)
                    term += a[(s.n_l + l) * s.ht + h] * near[m * s.ht + h];
                tensor[m * s.ht + h] += term;
            }
}

/* Sum of each of LANES vectors, as one vector: halves are exchanged between pairs of vectors. */
INLINE vec lane_sums(vec *row) {
#ifdef DOUBLE
    typedef int64_t index_t;
#else
    typedef int32_t index_t;
#endif
    typedef index_t mask_t __attribute__((vector_size(VECTOR_BYTES)));
    for (int bit = 1; bit < LANES; bit *= 2) {
        mask_t keep, swap;
        for (int l = 0; l < LANES; l++) {
            keep[l] = l & bit ? LANES + l : l;
            swap[l] = l & bit ? LANES + (l ^ bit) : l ^ bit;
        }
        for (int r = 0; r < LANES; r += 2 * bit)
            row[r] = __builtin_shuffle(row[r], row[r + bit], keep) +
                     __builtin_shuffle(row[r], row[r + bit], swap);
    }
    return row[0];
}

#endif
