/* SPDX-License-Identifier: MIT
 * Close pairs of centers and points, found with bins of centers, and their list by center.
 */
#include "real.h"

/* Centers x, y, z(n) ordered by bin; row-major bins of one width, bin b at bounds[b]..bounds[b+1]. */
typedef struct {
    const double *x, *y, *z, *low;
    const int64_t *center, *bounds, *size;
    double width, square;
} bins_t;

/* Centers of a run of bins that are close to a point, except one; their numbers where wanted. */
static inline int64_t close_in_run(const bins_t *restrict bins, int64_t begin, int64_t end,
                                   const double *restrict point, int64_t except,
                                   int64_t *restrict found) {
    int64_t count = 0;
    if (!found) {
#pragma omp simd reduction(+ : count)
        for (int64_t k = begin; k < end; k++) {
            const double x = point[0] - bins->x[k], y = point[1] - bins->y[k],
                         z = point[2] - bins->z[k];
            count += (x * x + y * y + z * z < bins->square) & (bins->center[k] != except);
        }
        return count;
    }
    for (int64_t k = begin; k < end; k++) {
        const double x = point[0] - bins->x[k], y = point[1] - bins->y[k],
                     z = point[2] - bins->z[k];
        if ((x * x + y * y + z * z < bins->square) & (bins->center[k] != except))
            found[count++] = bins->center[k];
    }
    return count;
}

/* The same in all bins around a point; a point may lie outside the bins. */
static int64_t close_to(const bins_t *restrict bins, const double *restrict point, int64_t except,
                        int64_t *restrict found) {
    int64_t low[3], high[3], count = 0;
    for (int k = 0; k < 3; k++) {
        const double home = floor((point[k] - bins->low[k]) / bins->width);
        if (!(home >= -1.0 && home <= (double)bins->size[k]))
            return 0;
        low[k] = home < 1.0 ? 0 : (int64_t)home - 1;
        high[k] = home + 2.0 > (double)bins->size[k] ? bins->size[k] : (int64_t)home + 2;
    }
    for (int64_t a = low[0]; a < high[0]; a++)
        for (int64_t b = low[1]; b < high[1]; b++) {
            /* bins along the last direction follow each other */
            const int64_t row = (a * bins->size[1] + b) * bins->size[2];
            count += close_in_run(bins, bins->bounds[row + low[2]], bins->bounds[row + high[2]],
                                  point, except, found ? found + count : 0);
        }
    return count;
}

/* Pairs by point: found == NULL counts them into first(n_points + 1); else first is that, and
 * found and point_of get the center and the point of each. except(n_points) is a center each
 * point does not pair with, -1 for none. */
void KERNEL(find_pairs)(const double *restrict points, const int64_t *restrict except,
                        int64_t n_points, const double *restrict x, const double *restrict y,
                        const double *restrict z, const int64_t *restrict center,
                        const int64_t *restrict bounds, const int64_t *restrict size,
                        const double *restrict low, double width, double cutoff,
                        int64_t *restrict first, int64_t *restrict found,
                        int32_t *restrict point_of) {
    const bins_t bins = {.x = x, .y = y, .z = z, .low = low, .center = center, .bounds = bounds,
                         .size = size, .width = width, .square = cutoff * cutoff};
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t p = 0; p < n_points; p++) {
        const int64_t begin = found ? first[p] : 0;
        const int64_t count = close_to(&bins, points + 3 * p, except[p],
                                       found ? found + begin : 0);
        if (found)
            for (int64_t k = begin; k < begin + count; k++)
                point_of[k] = (int32_t)p;
        else
            first[p + 1] = count;
    }
    if (found)
        return;
    first[0] = 0;
    for (int64_t p = 0; p < n_points; p++)
        first[p + 1] += first[p];
}

/* neighbor(E) and shift(E,3) of the pairs order(E), those of center i at first[i]..first[i + 1]. A
 * point is an image(n_points,3) of atom owner; wrap(n,3) brought the atoms into the cell. */
void KERNEL(write_pairs)(const int64_t *restrict order, const int64_t *restrict first, int64_t n,
                         const int32_t *restrict point_of, const int64_t *restrict owner,
                         const int64_t *restrict image, const int64_t *restrict wrap,
                         int32_t *restrict neighbor, int32_t *restrict shift) {
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = first[i]; k < first[i + 1]; k++) {
            const int64_t p = point_of[order[k]], j = owner[p];
            neighbor[k] = (int32_t)j;
            for (int m = 0; m < 3; m++)
                shift[3 * k + m] = (int32_t)(image[3 * p + m] - wrap[3 * j + m] + wrap[3 * i + m]);
        }
}
