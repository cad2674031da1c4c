/* SPDX-License-Identifier: MIT
 * Steps of the networks per atom between the matrix products.
 */
#include "raster.h"

/* x(n) times its logistic function in place, and the derivative in slope(n) unless that is null */
void KERNEL(swish)(real *restrict x, real *restrict slope, int64_t n) {
    enum { PART = 4096 };
#pragma omp parallel for schedule(static) if (n > 4 * PART)
    for (int64_t first = 0; first < n; first += PART) {
        const int64_t count = n - first < PART ? n - first : PART;
        real *const part = x + first, *const rise = slope + first;
        if (slope) {
#pragma omp simd
            for (int64_t k = 0; k < count; k++) {
                const real step = logistic(part[k]);
                rise[k] = step * (R(1) + part[k] * (R(1) - step));
                part[k] *= step;
            }
        } else {
#pragma omp simd
            for (int64_t k = 0; k < count; k++)
                part[k] *= logistic(part[k]);
        }
    }
}

/* out(n, width) = rows of x + update, less their mean, over the root of their variance + 1e-6;
 * the update of row i is at place[i], of that stride; inverse(n) keeps 1 / root. */
void KERNEL(residual_norm)(const real *restrict x, const real *restrict update,
                           const int64_t *restrict place, int64_t n, int64_t width,
                           int64_t stride, real *restrict out, real *restrict inverse) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const real *const a = x + i * width, *const b = update + place[i] * stride;
        real *const row = out + i * width, sum = 0, square = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t k = 0; k < width; k++)
            sum += row[k] = a[k] + b[k];
        const real mean = sum / (real)width;
#pragma omp simd reduction(+ : square)
        for (int64_t k = 0; k < width; k++)
            square += (row[k] - mean) * (row[k] - mean);
        inverse[i] = R(1) / (real)sqrt(square / (real)width + R(1e-6));
#pragma omp simd
        for (int64_t k = 0; k < width; k++)
            row[k] = (row[k] - mean) * inverse[i];
    }
}

/* g_x(n, width), and the same in the rows place[i] of g_update, from the gradient by out */
void KERNEL(residual_norm_gradient)(const real *restrict gradient, const real *restrict out,
                                    const real *restrict inverse, const int64_t *restrict place,
                                    int64_t n, int64_t width, int64_t stride, real *restrict g_x,
                                    real *restrict g_update) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const real *const g = gradient + i * width, *const row = out + i * width;
        real *const a = g_x + i * width, *const b = g_update + place[i] * stride;
        real sum = 0, along = 0;
#pragma omp simd reduction(+ : sum, along)
        for (int64_t k = 0; k < width; k++) {
            sum += g[k];
            along += g[k] * row[k];
        }
        sum /= (real)width;
        along /= (real)width;
#pragma omp simd
        for (int64_t k = 0; k < width; k++)
            a[k] = b[k] = (g[k] - sum - row[k] * along) * inverse[i];
    }
}
