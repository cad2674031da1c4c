/* SPDX-License-Identifier: MIT
 * Repulsion between screened nuclei, switched off with distance: energies and their gradient.
 */
#include "vmath.h"

enum { TILE = 16 };
#ifdef DOUBLE
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

typedef real lanes[TILE];

/* 1 - c1 u^p1 + c2 u^p2 - c3 u^p3 with u = d / cutoff, or where `cosine` is not 0,
 * (1/2 + cos(pi u)/2)^cosine = cos(pi u/2)^(2 cosine); in the order of Python's list. */
typedef struct {
    double cutoff, p1, p2, p3, c1, c2, c3, cosine;
} switch_t;

/* Multiplies value by the switch and slope by it and its derivative; reach(TILE) instead of the
 * cutoff where there is one. */
static inline void apply(const switch_t *restrict p, const real *restrict distance,
                         const real *restrict reach, real *restrict value, real *restrict slope) {
    const real c1 = R(p->c1), p1 = R(p->p1);
#ifdef DOUBLE
    const real c2 = R(p->c2), c3 = R(p->c3), more2 = R(p->p2 - p->p1), more3 = R(p->p3 - p->p1);
    const real rise1 = c1 * p1, rise2 = c2 * p->p2, rise3 = c3 * p->p3;
#else
    /* around u = 1: numbers like 45, 80 and 36 that cancel would be felt in float */
    const real a0 = R(p->c1 - p->c2 + p->c3), a1 = R(p->c2 - 2.0 * p->c3), a2 = R(p->c3);
#endif
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real per_cutoff = R(1) / (reach ? reach[e] : R(p->cutoff));
        const real ratio = distance[e] * per_cutoff;
        /* the lower bound serves pairs without a reach of their own, for which it is infinite */
        const real u = ratio > R(1) ? R(1) : ratio < R(1e-9) ? R(1e-9) : ratio;
        const real log_u = v_log(u), power = v_exp(p1 * log_u);
#ifdef DOUBLE
        /* the coefficients may have been rounded on purpose */
        const real second = v_exp(more2 * log_u), third = v_exp(more3 * log_u);
        const real inside = R(1) - power * (c1 - (c2 * second - c3 * third));
        const real rise = rise1 - (rise2 * second - rise3 * third);
#else
        const real left = R(1) - u;
        const real inside = R(1) - power * (a0 + left * (a1 + a2 * left));
        const real rise = c1 * p1 * left * left;
#endif
        const real s = ratio > R(1) ? R(0) : inside;
        const real change = ratio > R(1) ? R(0) : -power * rise * per_cutoff / u;
        slope[e] = slope[e] * s + value[e] * change;
        value[e] *= s;
    }
}

static inline void apply_cosine(const switch_t *restrict p, const real *restrict distance,
                                real *restrict value, real *restrict slope) {
    const real half_pi = R(1.57079632679489662), per_cutoff = R(1.0 / p->cutoff);
    const real power = R(2.0 * p->cosine);
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real ratio = distance[e] * per_cutoff, u = ratio > R(1) ? R(1) : ratio;
        const real wave = v_cos(half_pi * u), lower = wave < R(1e-15) ? R(1e-15) : wave;
        const real s = v_exp(power * v_log(lower));
        const real change = -power * half_pi * per_cutoff * v_sin(half_pi * u) * s / lower;
        slope[e] = slope[e] * s + value[e] * change;
        value[e] *= s;
    }
}

/* sum_k scale exp(-rate d) / d and its derivative */
static inline void screened(const real *restrict scale, const real *restrict rate,
                            const int64_t *restrict pair, int terms,
                            const real *restrict distance, real *restrict value,
                            real *restrict slope) {
    lanes s, r;
    for (int e = 0; e < TILE; e++)
        value[e] = slope[e] = R(0);
    for (int k = 0; k < terms; k++) {
        for (int e = 0; e < TILE; e++) {
            s[e] = scale[pair[e] * terms + k];
            r[e] = rate[pair[e] * terms + k];
        }
#pragma omp simd
        for (int e = 0; e < TILE; e++) {
            const real part = s[e] * v_exp(-r[e] * distance[e]);
            value[e] += part;
            slope[e] -= r[e] * part;
        }
    }
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real inverse = R(1) / distance[e];
        value[e] *= inverse;
        slope[e] = (slope[e] - value[e]) * inverse;
    }
}

typedef struct {
    const real *vectors, *scale, *rate, *reach;
    const int64_t *receiver, *neighbor, *row, *column;
    const switch_t *own, *end;
    double least;
    int terms;
} repulsion_t;

/* Energies and gradients of edges first..first + count, count <= TILE. */
static inline void tile(const repulsion_t *restrict r, int64_t first, int count,
                        real *restrict energy, real *restrict gradient) {
    lanes distance, free, value, slope, reach;
    int64_t pair[TILE];
    int near = !r->reach;
    for (int e = 0; e < TILE; e++) {
        const int64_t k = first + (e < count ? e : 0);
        const real *v = r->vectors + 3 * k;
        const real square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
        free[e] = square < R(r->least) ? R(0) : R(1);
        distance[e] = SQRT(square < R(r->least) ? R(r->least) : square);
        pair[e] = r->row[r->receiver[k]] + r->column[r->neighbor[k]];
        if (r->reach) {
            reach[e] = r->reach[pair[e]];
            near |= !(distance[e] >= reach[e]);
        }
    }
    for (int e = 0; e < TILE; e++)
        value[e] = slope[e] = R(0);
    /* with walls below the usual distances hardly an edge is left to evaluate */
    if (near) {
        screened(r->scale, r->rate, pair, r->terms, distance, value, slope);
        if (r->own->cosine != 0.0)
            apply_cosine(r->own, distance, value, slope);
        else if (r->own->c1 != 0.0)
            apply(r->own, distance, 0, value, slope);
        if (r->reach)
            apply(r->end, distance, reach, value, slope);
    }
    for (int e = 0; e < count; e++) {
        const real along = slope[e] * free[e] / distance[e];
        energy[first + e] = value[e];
        for (int m = 0; m < 3; m++)
            gradient[3 * (first + e) + m] = along * r->vectors[3 * (first + e) + m];
    }
}

/* energies(n_center) of receivers and gradient(E,3) of each edge's own energy, edge(E) is scratch.
 * row and column(n_total) add up to a pair's number in scale and rate(pairs, terms); reach(pairs)
 * may be null. own and end are switches, eight numbers each. */
void KERNEL(repulsion)(const real *restrict vectors, const int64_t *restrict receiver,
                       const int64_t *restrict neighbor, const int64_t *restrict first,
                       const int64_t *restrict row, const int64_t *restrict column,
                       const real *restrict scale, const real *restrict rate,
                       const real *restrict reach, const double *restrict own,
                       const double *restrict end, int64_t n_center, int64_t terms, double least,
                       real *restrict edge, real *restrict gradient, real *restrict energies) {
    const repulsion_t r = {.vectors = vectors, .scale = scale, .rate = rate, .reach = reach,
                           .receiver = receiver, .neighbor = neighbor, .row = row,
                           .column = column, .own = (const switch_t *)own,
                           .end = (const switch_t *)end, .least = least, .terms = (int)terms};
    const int64_t n_edges = first[n_center];
#pragma omp parallel for schedule(static)
    for (int64_t e = 0; e < n_edges; e += TILE)
        tile(&r, e, n_edges - e < TILE ? (int)(n_edges - e) : TILE, edge, gradient);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n_center; i++) {
        real sum = R(0);
        for (int64_t e = first[i]; e < first[i + 1]; e++)
            sum += edge[e];
        energies[i] = sum;
    }
}

/* out(E,3): each edge's gradient times the factor of its receiver. */
void KERNEL(scale_edges)(const real *restrict gradient, const real *restrict factor,
                         const int64_t *restrict first, int64_t n_center, real *restrict out) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n_center; i++)
        for (int64_t k = 3 * first[i]; k < 3 * first[i + 1]; k++)
            out[k] = factor[i] * gradient[k];
}
