/* SPDX-License-Identifier: MIT
 * Radial functions and harmonics of a group of edges, for the kernels of the atomic density.
 */
#ifndef PYFENNIX_DENSITY_H
#define PYFENNIX_DENSITY_H

#include <stdlib.h>

#include "vectors.h"
#include "vmath.h"

#ifdef DOUBLE
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

enum { M = 16, MOST_RADIAL = 32 };

/* One number for each of LANES edges. */
typedef real lanes[LANES];

/* What a density is: cutoff in Å, whole exponent of the switch, radial functions, elements. */
typedef struct {
    double cutoff, least;
    int power, radial, species;
} density_t;

/* Unit vectors, lengths and their inverses; lengths below the least have no derivative (free). */
typedef struct {
    lanes x, y, z, d, inverse, free;
} edges_t;

static inline void load_edges(const density_t *p, const real *restrict vectors,
                              const int64_t *restrict edge, edges_t *restrict g) {
    for (int e = 0; e < LANES; e++) {
        g->x[e] = vectors[3 * edge[e]];
        g->y[e] = vectors[3 * edge[e] + 1];
        g->z[e] = vectors[3 * edge[e] + 2];
    }
    const real least = R(p->least);
#pragma omp simd
    for (int e = 0; e < LANES; e++) {
        const real square = g->x[e] * g->x[e] + g->y[e] * g->y[e] + g->z[e] * g->z[e];
        g->free[e] = square < least ? R(0) : R(1);
        g->d[e] = SQRT(square < least ? least : square);
        g->inverse[e] = R(1) / g->d[e];
        g->x[e] *= g->inverse[e];
        g->y[e] *= g->inverse[e];
        g->z[e] *= g->inverse[e];
    }
}

/* value(radial) = sqrt(2/rc) sin(k pi d/rc)/d s(d/rc), k = 1.., and the derivative in slope, with
 * the switch s(u) = 1 - u^p (1 + p (1 - u) (1 + (p + 1)/2 (1 - u))). */
static inline void radial(const density_t *p, const edges_t *restrict g, lanes *restrict value,
                          lanes *restrict slope) {
    const real per = R(1.0 / p->cutoff), wave = R(3.14159265358979324 / p->cutoff);
    const real norm = R(sqrt(2.0 / p->cutoff)), q = R(p->power);
    lanes cosine, s, c, before_s, before_c, f, df;
#pragma omp simd
    for (int e = 0; e < LANES; e++) {
        const real ratio = g->d[e] * per, u = ratio > R(1) ? R(1) : ratio;
        const real left = R(1) - u;
        real lower = R(1);
        for (int k = 1; k < p->power; k++)
            lower *= u;
        f[e] = norm * g->inverse[e] *
               (R(1) - lower * u * (R(1) + q * left * (R(1) + R(0.5) * (q + R(1)) * left)));
        df[e] = -norm * g->inverse[e] * per * R(0.5) * q * (q + R(1)) * (q + R(2)) * lower *
                left * left;
        /* sin and cos of pi u from half the angle, for which the series hold */
        const real half = R(1.57079632679489662) * u;
        const real sine = v_sin(half), other = v_cos(half);
        s[e] = R(2) * sine * other;
        c[e] = cosine[e] = R(1) - R(2) * sine * sine;
        before_s[e] = R(0);
        before_c[e] = R(1);
    }
    for (int k = 0; k < p->radial; k++) {
        const real rate = wave * (real)(k + 1);
#pragma omp simd
        for (int e = 0; e < LANES; e++) {
            value[k][e] = s[e] * f[e];
            slope[k][e] = s[e] * df[e] + (rate * c[e] - s[e] * g->inverse[e]) * f[e];
            const real next_s = R(2) * cosine[e] * s[e] - before_s[e];
            const real next_c = R(2) * cosine[e] * c[e] - before_c[e];
            before_s[e] = s[e];
            before_c[e] = c[e];
            s[e] = next_s;
            c[e] = next_c;
        }
    }
}

#define Q3 R(1.7320508075688773)
#define Q5 R(2.2360679774997897)
#define Q15 R(3.8729833462074169)
#define Q7H R(1.3228756555322954)
#define Q42Q R(1.6201851746019651)
#define Q70Q R(2.0916500663351889)
#define Q105 R(10.246950765959598)

/* The sixteen real harmonics of degrees 0 to 3 in e3nn's order ("component" normalisation). */
static inline void harmonics(const edges_t *restrict g, real (*restrict out)[LANES]) {
#pragma omp simd
    for (int e = 0; e < LANES; e++) {
        const real x = g->x[e], y = g->y[e], z = g->z[e], xx = x * x, yy = y * y, zz = z * z;
        out[0][e] = R(1);
        out[1][e] = Q3 * x;
        out[2][e] = Q3 * y;
        out[3][e] = Q3 * z;
        out[4][e] = Q15 * x * z;
        out[5][e] = Q15 * x * y;
        out[6][e] = Q5 * (yy - R(0.5) * (xx + zz));
        out[7][e] = Q15 * y * z;
        out[8][e] = R(0.5) * Q15 * (zz - xx);
        out[9][e] = Q70Q * x * (R(3) * zz - xx);
        out[10][e] = Q105 * x * y * z;
        out[11][e] = Q42Q * x * (R(4) * yy - xx - zz);
        out[12][e] = Q7H * y * (R(2) * yy - R(3) * (xx + zz));
        out[13][e] = Q42Q * z * (R(4) * yy - xx - zz);
        out[14][e] = R(0.5) * Q105 * y * (zz - xx);
        out[15][e] = Q70Q * z * (zz - R(3) * xx);
    }
}

/* Their derivative when the unit vectors move by (a, b, c). */
static inline void harmonics_along(const edges_t *restrict g, const real *restrict a_,
                                   const real *restrict b_, const real *restrict c_,
                                   real (*restrict out)[LANES]) {
#pragma omp simd
    for (int e = 0; e < LANES; e++) {
        const real x = g->x[e], y = g->y[e], z = g->z[e], a = a_[e], b = b_[e], c = c_[e];
        const real xx = x * x, yy = y * y, zz = z * z, xa = x * a, yb = y * b, zc = z * c;
        out[0][e] = R(0);
        out[1][e] = Q3 * a;
        out[2][e] = Q3 * b;
        out[3][e] = Q3 * c;
        out[4][e] = Q15 * (a * z + x * c);
        out[5][e] = Q15 * (a * y + x * b);
        out[6][e] = Q5 * (R(2) * yb - xa - zc);
        out[7][e] = Q15 * (b * z + y * c);
        out[8][e] = Q15 * (zc - xa);
        out[9][e] = Q70Q * (R(3) * a * (zz - xx) + R(6) * x * zc);
        out[10][e] = Q105 * (a * y * z + x * b * z + x * y * c);
        out[11][e] = Q42Q * (a * (R(4) * yy - R(3) * xx - zz) + R(2) * x * (R(4) * yb - zc));
        out[12][e] = Q7H * (R(3) * b * (R(2) * yy - xx - zz) - R(6) * y * (xa + zc));
        out[13][e] = Q42Q * (c * (R(4) * yy - xx - R(3) * zz) + R(2) * z * (R(4) * yb - xa));
        out[14][e] = R(0.5) * Q105 * (b * (zz - xx) + R(2) * y * (zc - xa));
        out[15][e] = Q70Q * (R(3) * c * (zz - xx) - R(6) * z * xa);
    }
}

/* gradient(3) of sum_m s_m Y_m(u) B'(d) + t_m dY_m: s along the edge, t turned. */
static inline void harmonics_gradient(const edges_t *restrict g, real (*restrict s)[LANES],
                                      real (*restrict t)[LANES], lanes *restrict gradient) {
    lanes y_of[M];
    harmonics(g, y_of);
#pragma omp simd
    for (int e = 0; e < LANES; e++) {
        const real x = g->x[e], y = g->y[e], z = g->z[e], xx = x * x, yy = y * y, zz = z * z;
        const real xy = x * y, xz = x * z, yz = y * z;
        real a = Q3 * t[1][e], b = Q3 * t[2][e], c = Q3 * t[3][e];
        a += Q15 * (z * t[4][e] + y * t[5][e] - x * t[8][e]) - Q5 * x * t[6][e];
        b += Q15 * (x * t[5][e] + z * t[7][e]) + R(2) * Q5 * y * t[6][e];
        c += Q15 * (x * t[4][e] + y * t[7][e] + z * t[8][e]) - Q5 * z * t[6][e];
        const real t9 = R(3) * Q70Q * t[9][e], t10 = Q105 * t[10][e], t11 = Q42Q * t[11][e];
        const real t12 = R(3) * Q7H * t[12][e], t13 = Q42Q * t[13][e], t14 = R(0.5) * Q105 * t[14][e];
        const real t15 = R(3) * Q70Q * t[15][e];
        a += t9 * (zz - xx) + t10 * yz + t11 * (R(4) * yy - R(3) * xx - zz);
        a -= R(2) * (t12 * xy + t13 * xz + t14 * xy + t15 * xz);
        b += t10 * xz + R(8) * (t11 * xy + t13 * yz) + t12 * (R(2) * yy - xx - zz) + t14 * (zz - xx);
        c += R(2) * (t9 * xz - t11 * xz - t12 * yz + t14 * yz) + t10 * xy;
        c += t13 * (R(4) * yy - xx - R(3) * zz) + t15 * (zz - xx);
        real along = R(0);
        for (int m = 0; m < M; m++)
            along += s[m][e] * y_of[m][e];
        const real turned = (a * x + b * y + c * z) * g->inverse[e];
        const real more = along - turned;
        gradient[0][e] = g->free[e] * (more * x + a * g->inverse[e]);
        gradient[1][e] = g->free[e] * (more * y + b * g->inverse[e]);
        gradient[2][e] = g->free[e] * (more * z + c * g->inverse[e]);
    }
}

/* Rows of LANES numbers per component to rows of M components per edge, and back. */
static inline void to_edges(real (*restrict by_component)[LANES], real *restrict by_edge) {
    for (int m = 0; m < M; m += LANES)
        transpose(by_component[m], LANES, by_edge + m, M);
}

static inline void to_components(const real *restrict by_edge, real (*restrict by_component)[LANES]) {
    for (int m = 0; m < M; m += LANES)
        transpose(by_edge + m, M, by_component[m], LANES);
}

#endif
