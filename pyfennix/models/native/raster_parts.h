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

/* Ask for n numbers that are needed soon. */
INLINE void fetch(const real *x, int64_t n) {
    for (int64_t k = 0; k < n; k += 64 / (int64_t)sizeof(real))
        __builtin_prefetch(x + k);
}

/* u[l][h] = sum over m of (near + (-1)^l own) y */
INLINE void edge_scalars(const sizes s, const real *restrict near, const real *restrict own,
                         const real *restrict y, real *restrict u) {
    for (int64_t l = 0; l < s.n_l; l++) {
        const real sign = l % 2 ? R(-1) : R(1);
        const int64_t first = l * l, last = (l + 1) * (l + 1);
        int64_t h = 0;
        for (; h + 4 <= s.ht; h += 4) {
            quad sum = {0};
            for (int64_t m = first; m < last; m++)
                sum += (load_quad(near + m * s.ht + h) + load_quad(own + m * s.ht + h) * sign) * y[m];
            store_quad(u + l * s.ht + h, sum);
        }
        for (; h < s.ht; h++) {
            real sum = 0;
            for (int64_t m = first; m < last; m++)
                sum += (near[m * s.ht + h] + sign * own[m * s.ht + h]) * y[m];
            u[l * s.ht + h] = sum;
        }
    }
}

/* raw[h] = sum over c of q[c][h] w[c] k[c][h]; q and k are read from their first to last number */
INLINE void logits(const sizes s, const real *restrict q, const real *restrict k,
                   const real *restrict w, real *restrict raw) {
    enum { CHUNK = 64 / LANES };
    const int64_t n = heads(s);
    for (int64_t h = 0; h < n; h += CHUNK * LANES) {
        vec sum[CHUNK];
        for (int t = 0; t < CHUNK; t++)
            sum[t] = (vec){0};
        for (int64_t c = 0; c < s.channels; c++)
            for (int t = 0; t < CHUNK; t++)
                if (h + t * LANES < n) {
                    const int64_t o = c * n + h + t * LANES;
                    sum[t] += load(q + o) * load(k + o) * w[c];
                }
        for (int t = 0; t < CHUNK; t++)
            if (h + t * LANES < n)
                store(raw + h + t * LANES, sum[t]);
    }
}

/* The scalar heads' coefficients, repeated over a pattern of whole vectors */
INLINE void repeat_heads(const sizes s, const real *restrict a, real *restrict repeated) {
    for (int64_t p = 0; p < pattern(s); p += s.hs)
        for (int64_t h = 0; h < s.hs; h++)
            repeated[p + h] = a[h];
}

/* tensor[m][h] += a1[l][h] y[m] (+ a2[l][h] near[m][h], unless near is null) */
INLINE void add_tensor(const sizes s, const real *restrict a1, const real *restrict y,
                       const real *restrict a2, const real *restrict near,
                       real *restrict tensor) {
    for (int64_t l = 0; l < s.n_l; l++)
        for (int64_t m = l * l; m < (l + 1) * (l + 1); m++) {
            int64_t h = 0;
            for (; h + 4 <= s.ht; h += 4) {
                quad sum = load_quad(tensor + m * s.ht + h) + load_quad(a1 + l * s.ht + h) * y[m];
                if (s.later)
                    sum += load_quad(a2 + l * s.ht + h) * load_quad(near + m * s.ht + h);
                store_quad(tensor + m * s.ht + h, sum);
            }
            for (; h < s.ht; h++) {
                tensor[m * s.ht + h] += a1[l * s.ht + h] * y[m];
                if (s.later)
                    tensor[m * s.ht + h] += a2[l * s.ht + h] * near[m * s.ht + h];
            }
        }
}

/* Sum of each of LANES vectors, as one vector: each turn halves the vectors, and each vector then
 * holds twice as many rows, in turn. */
INLINE vec lane_sums(vec *row) {
#pragma GCC unroll 8
    for (int half = LANES / 2; half; half /= 2)
#pragma GCC unroll 8
        for (int r = 0; r < half; r++)
            row[r] = __builtin_shufflevector(row[r], row[r + half], LOWER) +
                     __builtin_shufflevector(row[r], row[r + half], UPPER);
    return row[0];
}

#endif
