/* SPDX-License-Identifier: MIT
 * Lists of edges: those within a cutoff, their short part, and their order by any index.
 */
#include "real.h"

#ifdef DOUBLE
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

/* order(n_edges): edges sorted by index(n_edges), equal ones in their old order; those of value v
 * at bounds[v]..bounds[v + 1]. counts(parts, n) is scratch; the result is the same for any parts. */
void KERNEL(sort_edges)(const int64_t *restrict index, int64_t n_edges, int64_t n, int64_t parts,
                        int32_t *restrict counts, int64_t *restrict bounds,
                        int64_t *restrict order) {
#pragma omp parallel for schedule(static) if (parts > 1)
    for (int64_t p = 0; p < parts; p++) {
        int32_t *own = counts + p * n;
        for (int64_t v = 0; v < n; v++)
            own[v] = 0;
        for (int64_t e = n_edges * p / parts; e < n_edges * (p + 1) / parts; e++)
            own[index[e]]++;
    }
    int64_t total = 0;
    for (int64_t v = 0; v < n; v++) {
        bounds[v] = total;
        for (int64_t p = 0; p < parts; p++) {
            const int32_t count = counts[p * n + v];
            counts[p * n + v] = (int32_t)(total - bounds[v]);
            total += count;
        }
    }
    bounds[n] = total;
#pragma omp parallel for schedule(static) if (parts > 1)
    for (int64_t p = 0; p < parts; p++) {
        int32_t *own = counts + p * n;
        for (int64_t e = n_edges * p / parts; e < n_edges * (p + 1) / parts; e++)
            order[bounds[index[e]] + own[index[e]]++] = e;
    }
}

/* Vector r_j - r_i + offset of one listed pair; offset(codes,3) are shifts times the cell. */
static inline void difference(const double *restrict position, const int32_t *restrict neighbor,
                              const int32_t *restrict code, const double *restrict offset,
                              int64_t i, int64_t e, double out[3]) {
    const double *a = position + 3 * i, *b = position + 3 * (int64_t)neighbor[e];
    for (int k = 0; k < 3; k++)
        out[k] = b[k] - a[k];
    if (code)
        for (int k = 0; k < 3; k++)
            out[k] += offset[3 * (int64_t)code[e] + k];
}

/* Pairs of the list first(n_center + 1) within the square of a cutoff: those of receiver i are
 * kept[first[i]...], and bounds(n_center + 1) counts them. What is not a number is kept. */
void KERNEL(keep_pairs)(const double *restrict position, const int32_t *restrict neighbor,
                        const int32_t *restrict code, const double *restrict offset,
                        const int64_t *restrict first, int64_t n_center, double square,
                        int32_t *restrict kept, int64_t *restrict bounds) {
#pragma omp parallel for schedule(dynamic, 32)
    for (int64_t i = 0; i < n_center; i++) {
        int64_t next = first[i];
        for (int64_t e = first[i]; e < first[i + 1]; e++) {
            double v[3];
            difference(position, neighbor, code, offset, i, e, v);
            kept[next] = (int32_t)e; /* never ahead of e: no branch to mispredict */
            next += !(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] >= square);
        }
        bounds[i + 1] = next - first[i];
    }
    bounds[0] = 0;
    for (int64_t i = 0; i < n_center; i++)
        bounds[i + 1] += bounds[i];
}

/* Vectors, receivers and neighbours of the kept pairs. */
void KERNEL(fill_pairs)(const double *restrict position, const int32_t *restrict neighbor,
                        const int32_t *restrict code, const double *restrict offset,
                        const int64_t *restrict first, const int32_t *restrict kept,
                        const int64_t *restrict bounds, int64_t n_center, real *restrict vectors,
                        int64_t *restrict receiver, int64_t *restrict other) {
#pragma omp parallel for schedule(dynamic, 32)
    for (int64_t i = 0; i < n_center; i++)
        for (int64_t k = bounds[i]; k < bounds[i + 1]; k++) {
            const int64_t e = kept[first[i] + k - bounds[i]];
            double v[3];
            difference(position, neighbor, code, offset, i, e, v);
            for (int m = 0; m < 3; m++)
                vectors[3 * k + m] = (real)v[m];
            receiver[k] = i;
            other[k] = neighbor[e];
        }
}

/* Rows of a list whose vectors are shorter than a cutoff, as keep_pairs. */
void KERNEL(keep_short)(const real *restrict vectors, const int64_t *restrict first,
                        int64_t n_center, double cutoff, double least, int32_t *restrict kept,
                        int64_t *restrict bounds) {
    const real limit = (real)cutoff, floor = (real)least;
#pragma omp parallel for schedule(dynamic, 32)
    for (int64_t i = 0; i < n_center; i++) {
        int64_t next = first[i];
        for (int64_t e = first[i]; e < first[i + 1]; e++) {
            const real *v = vectors + 3 * e;
            const real square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
            kept[next] = (int32_t)e;
            next += !(SQRT(square < floor ? floor : square) >= limit);
        }
        bounds[i + 1] = next - first[i];
    }
    bounds[0] = 0;
    for (int64_t i = 0; i < n_center; i++)
        bounds[i + 1] += bounds[i];
}

/* Row number, vector, receiver and neighbour of the rows kept by keep_short. */
void KERNEL(fill_short)(const real *restrict vectors, const int64_t *restrict neighbor,
                        const int64_t *restrict first, const int32_t *restrict kept,
                        const int64_t *restrict bounds, int64_t n_center, int64_t *restrict rows,
                        real *restrict out, int64_t *restrict receiver, int64_t *restrict other) {
#pragma omp parallel for schedule(dynamic, 32)
    for (int64_t i = 0; i < n_center; i++)
        for (int64_t k = bounds[i]; k < bounds[i + 1]; k++) {
            const int64_t e = kept[first[i] + k - bounds[i]];
            for (int m = 0; m < 3; m++)
                out[3 * k + m] = vectors[3 * e + m];
            rows[k] = e;
            receiver[k] = i;
            other[k] = neighbor[e];
        }
}

/* out(n_edges,3): the rows' gradients where they came from, zero elsewhere. */
void KERNEL(scatter_short)(const real *restrict gradient, const int64_t *restrict rows,
                           int64_t n_rows, int64_t n_edges, real *restrict out) {
    for (int64_t k = 0; k < 3 * n_edges; k++)
        out[k] = R(0);
    for (int64_t k = 0; k < n_rows; k++)
        for (int m = 0; m < 3; m++)
            out[3 * rows[k] + m] = gradient[3 * k + m];
}
