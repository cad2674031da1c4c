/* SPDX-License-Identifier: MIT
 * Records of RASTER's edges: radial functions, harmonics and switch, and their gradient.
 *
 * One lane is one edge; a record is a row (radial functions, (lmax + 1)^2 harmonics, switch).
 */
#include "raster.h"

enum { TILE = 16, MAX_WIDTH = 64 };
#ifdef DOUBLE
#define SQRT sqrt
enum { SERIES = 11 };
#else
#define SQRT sqrtf
enum { SERIES = 7 };
#endif

typedef real lanes[TILE];

/* Settings of a call, as Python passes them: the switch is 1 - c1 u^p1 + c2 u^p2 - c3 u^p3, or,
 * where `cosine` is not 0, (1/2 + cos(pi u)/2)^cosine. */
typedef struct {
    double cutoff, start, end; /* of the covalent ramp: times the sum of radii */
    double p1, p2, p3, c1, c2, c3, cosine;
} settings;

typedef struct {
    lanes x, y, z, distance, inverse, free;  /* direction; free: 0 where the distance is clipped */
    lanes ramp, ramp_slope, wave_s, wave_c;  /* covalent ramp, sin and cos of pi d / cutoff */
    lanes s, s_slope;                        /* polynomial switch */
} tile;

/* sin and cos of pi t for t in [0, 1], by their series around 1/2 */
INLINE void half_turn(real t, real *sine, real *cosine) {
    const real x = R(3.14159265358979323846) * (t - R(0.5)), square = x * x;
    real s = 1, c = 1;
    for (int n = SERIES; n > 0; n--) {
        s = R(1) - square * s * (R(1) / R(2 * n * (2 * n + 1)));
        c = R(1) - square * c * (R(1) / R(2 * n * (2 * n - 1)));
    }
    *sine = c;
    *cosine = -x * s;
}

INLINE void directions(tile *restrict t, const real *restrict vectors, int64_t first, int count) {
    for (int e = 0; e < TILE; e++) {
        /* spare lanes repeat an edge */
        const real *v = vectors + 3 * (first + (e < count ? e : 0));
        t->x[e] = v[0];
        t->y[e] = v[1];
        t->z[e] = v[2];
    }
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real square = t->x[e] * t->x[e] + t->y[e] * t->y[e] + t->z[e] * t->z[e];
        t->free[e] = square < R(1e-5) ? R(0) : R(1);
        t->distance[e] = SQRT(square < R(1e-5) ? R(1e-5) : square); /* NaN stays */
        t->inverse[e] = R(1) / t->distance[e];
        t->x[e] *= t->inverse[e];
        t->y[e] *= t->inverse[e];
        t->z[e] *= t->inverse[e];
    }
}

INLINE void switches(tile *restrict t, const settings *restrict p, const real *restrict radius) {
    const real pi = R(3.14159265358979323846), per_cutoff = R(1.0 / p->cutoff);
    const real c1 = R(p->c1), e1 = R(p->p1);
#ifdef DOUBLE
    const real c2 = R(p->c2), c3 = R(p->c3), more2 = R(p->p2 - p->p1), more3 = R(p->p3 - p->p1);
    const int exact = p->p2 == p->p1 + 1.0 && p->p3 == p->p1 + 2.0;
#else
    /* around u = 1: numbers like 45, 80 and 36 that cancel would be felt in float */
    const real a0 = R(p->c1 - p->c2 + p->c3), a1 = R(p->c2 - 2.0 * p->c3), a2 = R(p->c3);
#endif
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real per_width = R(1) / (R(p->end - p->start) * radius[e]);
        const real x = (t->distance[e] - R(p->start) * radius[e]) * per_width;
        const real inside = x < R(0) ? R(0) : x > R(1) ? R(1) : x;
        real sine, cosine;
        half_turn(inside, &sine, &cosine);
        t->ramp[e] = R(0.5) - R(0.5) * cosine;
        t->ramp_slope[e] = x < R(0) || x > R(1) ? R(0) : R(0.5) * pi * per_width * sine;
        half_turn(t->distance[e] * per_cutoff, &t->wave_s[e], &t->wave_c[e]);
        const real ratio = t->distance[e] * per_cutoff;
        const real u = ratio > R(1) ? R(1) : ratio, log_u = v_log(u);
        const real power = v_exp(e1 * log_u);
#ifdef DOUBLE
        /* coefficients may have been rounded on purpose */
        const real second = exact ? u : v_exp(more2 * log_u);
        const real third = exact ? u * u : v_exp(more3 * log_u);
        t->s[e] = R(1) - power * (c1 - (c2 * second - c3 * third));
        const real rise = c1 * e1 - (c2 * R(p->p2) * second - c3 * R(p->p3) * third);
#else
        const real left = R(1) - u;
        t->s[e] = R(1) - power * (a0 + left * (a1 + a2 * left));
        const real rise = c1 * e1 * left * left;
#endif
        t->s_slope[e] = ratio > R(1) ? R(0) : -power * rise * per_cutoff / u;
    }
    if (p->cosine == 0.0)
        return;
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real wave = R(0.5) + R(0.5) * t->wave_c[e];
        const real lower = wave < R(1e-30) ? R(1e-30) : wave;
        t->s[e] = v_exp(R(p->cosine) * v_log(lower));
        t->s_slope[e] = R(-0.5 * p->cosine) * pi * per_cutoff * t->wave_s[e] * t->s[e] / lower;
    }
}

/* Harmonics of the directions; notation and normalisation as in basis.py */
INLINE void harmonics(const tile *restrict t, int64_t n_l, lanes *restrict y) {
    const real r3 = R(1.7320508075688772935), r5 = R(2.2360679774997896964);
    const real r15 = R(3.8729833462074168852), r105 = R(10.246950765959598383);
    const real r70 = R(8.3666002653407554798), r42 = R(6.4807406984078602310);
    const real r7 = R(2.6457513110645905905);
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real a = t->x[e], b = t->y[e], c = t->z[e];
        const real aa = a * a, bb = b * b, cc = c * c;
        y[0][e] = 1;
        if (n_l > 1) {
            y[1][e] = r3 * a;
            y[2][e] = r3 * b;
            y[3][e] = r3 * c;
        }
        if (n_l > 2) {
            y[4][e] = r15 * a * c;
            y[5][e] = r15 * a * b;
            y[6][e] = r5 * (bb - R(0.5) * (aa + cc));
            y[7][e] = r15 * b * c;
            y[8][e] = R(0.5) * r15 * (cc - aa);
        }
        if (n_l > 3) {
            y[9][e] = R(0.25) * r70 * a * (R(3) * cc - aa);
            y[10][e] = r105 * a * b * c;
            y[11][e] = R(0.25) * r42 * a * (R(4) * bb - aa - cc);
            y[12][e] = R(0.5) * r7 * b * (R(2) * bb - R(3) * (aa + cc));
            y[13][e] = R(0.25) * r42 * c * (R(4) * bb - aa - cc);
            y[14][e] = R(0.5) * r105 * b * (cc - aa);
            y[15][e] = R(0.25) * r70 * c * (cc - R(3) * aa);
        }
    }
}

/* Gradient by the direction, added to (ga, gb, gc), from the gradient g by the harmonics */
INLINE void harmonics_gradient(const tile *restrict t, int64_t n_l, const lanes *restrict g,
                               lanes *restrict out) {
    const real r3 = R(1.7320508075688772935), r5 = R(2.2360679774997896964);
    const real r15 = R(3.8729833462074168852), r105 = R(10.246950765959598383);
    const real r70 = R(0.25 * 8.3666002653407554798), r42 = R(0.25 * 6.4807406984078602310);
    const real r7 = R(0.5 * 2.6457513110645905905);
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real a = t->x[e], b = t->y[e], c = t->z[e];
        const real aa = a * a, bb = b * b, cc = c * c;
        real ga = 0, gb = 0, gc = 0;
        if (n_l > 1) {
            ga = r3 * g[1][e];
            gb = r3 * g[2][e];
            gc = r3 * g[3][e];
        }
        if (n_l > 2) {
            ga += r15 * (c * g[4][e] + b * g[5][e] - a * g[8][e]) - r5 * a * g[6][e];
            gb += r15 * (a * g[5][e] + c * g[7][e]) + R(2) * r5 * b * g[6][e];
            gc += r15 * (a * g[4][e] + b * g[7][e] + c * g[8][e]) - r5 * c * g[6][e];
        }
        if (n_l > 3) {
            const real mixed = R(4) * bb - aa - cc;
            ga += r70 * (R(3) * (cc - aa) * g[9][e] - R(6) * a * c * g[15][e]) +
                  r105 * (b * c * g[10][e] - a * b * g[14][e]) +
                  r42 * ((mixed - R(2) * aa) * g[11][e] - R(2) * a * c * g[13][e]) -
                  R(6) * r7 * a * b * g[12][e];
            gb += r105 * (a * c * g[10][e] + R(0.5) * (cc - aa) * g[14][e]) +
                  R(8) * r42 * b * (a * g[11][e] + c * g[13][e]) +
                  r7 * (R(6) * bb - R(3) * (aa + cc)) * g[12][e];
            gc += r70 * (R(6) * a * c * g[9][e] + R(3) * (cc - aa) * g[15][e]) +
                  r105 * (a * b * g[10][e] + b * c * g[14][e]) +
                  r42 * (R(-2) * a * c * g[11][e] + (mixed - R(2) * cc) * g[13][e]) -
                  R(6) * r7 * b * c * g[12][e];
        }
        out[0][e] = ga;
        out[1][e] = gb;
        out[2][e] = gc;
    }
}

INLINE void fill(tile *restrict t, const settings *restrict p, const real *restrict vectors,
                 const int64_t *restrict receiver, const int64_t *restrict neighbor,
                 const int64_t *restrict kind, const real *restrict radii, int64_t first,
                 int count) {
    lanes radius;
    for (int e = 0; e < TILE; e++) {
        const int64_t k = first + (e < count ? e : 0);
        radius[e] = radii[kind[receiver[k]]] + radii[kind[neighbor[k]]];
    }
    directions(t, vectors, first, count);
    switches(t, p, radius);
}

/* records(n_edges, n_radial + n_l^2 + 1) */
void KERNEL(raster_records)(const settings *p, const real *restrict vectors,
                            const int64_t *restrict receiver, const int64_t *restrict neighbor,
                            const int64_t *restrict kind, const real *restrict radii,
                            int64_t n_edges, int64_t n_radial, int64_t n_l,
                            real *restrict records) {
    const int64_t width = n_radial + n_l * n_l + 1;
    const real norm = R(p->cutoff / ((double)n_radial * 3.14159265358979323846));
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < n_edges; first += TILE) {
        const int count = n_edges - first < TILE ? (int)(n_edges - first) : TILE;
        tile t;
        lanes y[16], s, c, column[1];
        fill(&t, p, vectors, receiver, neighbor, kind, radii, first, count);
        real *const out = records + first * width;
        for (int e = 0; e < TILE; e++)
            s[e] = 0, c[e] = 1;
        for (int64_t n = 0; n < n_radial; n++) {
#pragma omp simd
            for (int e = 0; e < TILE; e++) {
                const real sine = s[e] * t.wave_c[e] + c[e] * t.wave_s[e];
                c[e] = c[e] * t.wave_c[e] - s[e] * t.wave_s[e];
                s[e] = sine;
                column[0][e] = norm * sine * t.inverse[e] * t.ramp[e];
            }
            for (int e = 0; e < count; e++)
                out[e * width + n] = column[0][e];
        }
        harmonics(&t, n_l, y);
        for (int e = 0; e < count; e++) {
            for (int64_t m = 0; m < n_l * n_l; m++)
                out[e * width + n_radial + m] = y[m][e];
            out[e * width + width - 1] = t.s[e] * t.ramp[e];
        }
    }
}

/* g_vectors(n_edges, 3) from g_records */
void KERNEL(raster_records_gradient)(const settings *p, const real *restrict vectors,
                                     const int64_t *restrict receiver,
                                     const int64_t *restrict neighbor,
                                     const int64_t *restrict kind, const real *restrict radii,
                                     int64_t n_edges, int64_t n_radial, int64_t n_l,
                                     const real *restrict g_records, real *restrict g_vectors) {
    const int64_t width = n_radial + n_l * n_l + 1;
    const real norm = R(p->cutoff / ((double)n_radial * 3.14159265358979323846));
    const real turn = R(3.14159265358979323846 / p->cutoff);
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < n_edges; first += TILE) {
        const int count = n_edges - first < TILE ? (int)(n_edges - first) : TILE;
        tile t;
        lanes g_y[16], g_unit[3], s, c, g, slope, g_switch;
        fill(&t, p, vectors, receiver, neighbor, kind, radii, first, count);
        const real *const in = g_records + first * width;
        for (int e = 0; e < TILE; e++) {
            const real *const row = in + (e < count ? e : 0) * width;
            for (int64_t m = 0; m < n_l * n_l; m++)
                g_y[m][e] = row[n_radial + m];
            g_switch[e] = row[width - 1];
            s[e] = slope[e] = 0;
            c[e] = 1;
        }
        for (int64_t n = 0; n < n_radial; n++) {
            for (int e = 0; e < TILE; e++)
                g[e] = in[(e < count ? e : 0) * width + n];
#pragma omp simd
            for (int e = 0; e < TILE; e++) {
                const real sine = s[e] * t.wave_c[e] + c[e] * t.wave_s[e];
                c[e] = c[e] * t.wave_c[e] - s[e] * t.wave_s[e];
                s[e] = sine;
                const real value = norm * sine * t.inverse[e];
                const real rise = (norm * turn * (real)(n + 1) * c[e] - value) * t.inverse[e];
                slope[e] += g[e] * (rise * t.ramp[e] + value * t.ramp_slope[e]);
            }
        }
        harmonics_gradient(&t, n_l, g_y, g_unit);
#pragma omp simd
        for (int e = 0; e < TILE; e++) {
            const real along = t.x[e] * g_unit[0][e] + t.y[e] * g_unit[1][e] + t.z[e] * g_unit[2][e];
            slope[e] += g_switch[e] * (t.s_slope[e] * t.ramp[e] + t.s[e] * t.ramp_slope[e]);
            const real radial = t.free[e] * (slope[e] - along * t.inverse[e]);
            g_unit[0][e] = g_unit[0][e] * t.inverse[e] + t.x[e] * radial;
            g_unit[1][e] = g_unit[1][e] * t.inverse[e] + t.y[e] * radial;
            g_unit[2][e] = g_unit[2][e] * t.inverse[e] + t.z[e] * radial;
        }
        for (int e = 0; e < count; e++)
            for (int axis = 0; axis < 3; axis++)
                g_vectors[3 * (first + e) + axis] = g_unit[axis][e];
    }
}
