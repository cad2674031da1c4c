/* SPDX-License-Identifier: MIT
 * Functions of LODE for TILE edges at a time, one lane an edge, so that every loop is a vector.
 */
#ifndef PYFENNIX_LODE_TILE_H
#define PYFENNIX_LODE_TILE_H

#include "real.h"

enum { TILE = 16, MAX_VALUES = 12, MAX_KERNELS = 32 };
#ifdef DOUBLE
#define SQRT sqrt
enum { TAYLOR = 10 };
#else
#define SQRT sqrtf
enum { TAYLOR = 6 };
#endif

typedef real lanes[TILE];

/* Settings of a call: the value of kernel k belongs to radial function value_of[k]. */
typedef struct {
    int extra, lmax, n_values, n_kernels, channels, width;
    int power[MAX_VALUES], value_of[MAX_KERNELS];
    real a[MAX_VALUES], constant[MAX_VALUES], slope[MAX_VALUES], start, per_width;
} lode_t;

typedef struct {
    lanes x, y, z, square, distance, inverse, free, ramp, ramp_slope;
} tile_t;

/* Distances (never below 3.2e-3 Å), directions and ramps of the vectors in x, y, z. */
static inline void geometry(tile_t *restrict t, const lode_t *restrict p) {
    const real pi = R(3.14159265358979323846);
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real square = t->x[e] * t->x[e] + t->y[e] * t->y[e] + t->z[e] * t->z[e];
        t->free[e] = square < R(1e-5) ? R(0) : R(1);
        t->square[e] = square < R(1e-5) ? R(1e-5) : square; /* written so that NaN survives */
        t->distance[e] = SQRT(t->square[e]);
        t->inverse[e] = R(1) / t->distance[e];
        t->x[e] *= t->inverse[e];
        t->y[e] *= t->inverse[e];
        t->z[e] *= t->inverse[e];
        /* (1 - cos(pi u)) / 2 by the series of the sine, exactly 0 and 1 outside */
        const real u = (t->distance[e] - p->start) * p->per_width;
        const real angle = pi * (u - R(0.5)), second = angle * angle;
        real sine = R(1), cosine = R(1);
        for (int n = TAYLOR; n > 0; n--) {
            sine = R(1) - second * sine * (R(1) / R(2 * n * (2 * n + 1)));
            cosine = R(1) - second * cosine * (R(1) / R(2 * n * (2 * n - 1)));
        }
        const real ramp = R(0.5) + R(0.5) * angle * sine;
        t->ramp[e] = u <= R(0) ? R(0) : u >= R(1) ? R(1) : ramp;
        t->ramp_slope[e] = u <= R(0) || u >= R(1) ? R(0) : R(0.5) * pi * p->per_width * cosine;
    }
}

/* Radial function n and, where wanted, its derivative. */
static inline void radial(const tile_t *restrict t, const lode_t *restrict p, int n,
                          real *restrict value, real *restrict derivative) {
    const int power = p->power[n];
    const real a = p->a[n], constant = p->constant[n], slope = p->slope[n];
    lanes root, factor, raised;
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        root[e] = factor[e] = R(1) / SQRT(t->square[e] + a);
        raised[e] = power & 1 ? root[e] : R(1);
    }
    for (int left = power >> 1; left; left >>= 1) {
#pragma omp simd
        for (int e = 0; e < TILE; e++) {
            factor[e] *= factor[e];
            raised[e] *= left & 1 ? factor[e] : R(1);
        }
    }
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real bare = raised[e] - constant + t->distance[e] * slope;
        value[e] = bare * t->ramp[e];
        if (derivative) {
            const real change = slope - R(power) * t->distance[e] * raised[e] * root[e] * root[e];
            derivative[e] = change * t->ramp[e] + bare * t->ramp_slope[e];
        }
    }
}

#define S3 R(1.7320508075688772)
#define S5 R(2.2360679774997896)
#define S15 R(3.872983346207417)
#define A3 R(2.091650066335189)   /* sqrt(70)/4 */
#define B3 R(10.246950765959598)  /* sqrt(105) */
#define C3 R(1.620185174601965)   /* sqrt(42)/4 */
#define D3 R(1.3228756555322954)  /* sqrt(7)/2 */
#define F3 R(5.123475382979799)   /* sqrt(105)/2 */

/* out[m] = radial * Y_lm for one l > 0, in the order of the torch module's harmonics. */
static inline void times_harmonics(const tile_t *restrict t, int l, const real *restrict radial,
                                   lanes *restrict out) {
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real x = t->x[e], y = t->y[e], z = t->z[e], r = radial[e];
        if (l == 1) {
            out[0][e] = r * S3 * x;
            out[1][e] = r * S3 * y;
            out[2][e] = r * S3 * z;
        } else if (l == 2) {
            out[0][e] = r * S15 * x * z;
            out[1][e] = r * S15 * x * y;
            out[2][e] = r * S5 * (y * y - R(0.5) * (x * x + z * z));
            out[3][e] = r * S15 * y * z;
            out[4][e] = r * S15 * R(0.5) * (z * z - x * x);
        } else {
            const real xx = x * x, yy = y * y, zz = z * z;
            out[0][e] = r * A3 * x * (3 * zz - xx);
            out[1][e] = r * B3 * x * y * z;
            out[2][e] = r * C3 * x * (4 * yy - xx - zz);
            out[3][e] = r * D3 * y * (2 * yy - 3 * xx - 3 * zz);
            out[4][e] = r * C3 * z * (4 * yy - xx - zz);
            out[5][e] = r * F3 * y * (zz - xx);
            out[6][e] = r * A3 * z * (zz - 3 * xx);
        }
    }
}

/* Adds the gradient of sum_m g[m] radial Y_lm: along the distance, and over the direction. */
static inline void harmonics_gradient(const tile_t *restrict t, int l, const real *restrict value,
                                      const real *restrict derivative, lanes *restrict g,
                                      real *restrict along, lanes *restrict over) {
#pragma omp simd
    for (int e = 0; e < TILE; e++) {
        const real x = t->x[e], y = t->y[e], z = t->z[e];
        real gx, gy, gz;
        if (l == 1) {
            gx = S3 * g[0][e];
            gy = S3 * g[1][e];
            gz = S3 * g[2][e];
        } else if (l == 2) {
            const real a = S15 * g[0][e], b = S15 * g[1][e], c = S5 * g[2][e], d = S15 * g[3][e];
            const real f = S15 * g[4][e];
            gx = a * z + b * y - c * x - f * x;
            gy = b * x + d * z + 2 * c * y;
            gz = a * x + d * y - c * z + f * z;
        } else {
            const real xx = x * x, yy = y * y, zz = z * z, xy = x * y, xz = x * z, yz = y * z;
            const real a = A3 * g[0][e], b = B3 * g[1][e], c = C3 * g[2][e], d = D3 * g[3][e];
            const real f = C3 * g[4][e], h = F3 * g[5][e], k = A3 * g[6][e];
            gx = 3 * a * (zz - xx) + b * yz + c * (4 * yy - 3 * xx - zz) - 6 * d * xy
                - 2 * f * xz - 2 * h * xy - 6 * k * xz;
            gy = b * xz + 8 * c * xy + 3 * d * (2 * yy - xx - zz) + 8 * f * yz + h * (zz - xx);
            gz = 6 * a * xz + b * xy - 2 * c * xz - 6 * d * yz + f * (4 * yy - xx - 3 * zz)
                + 2 * h * yz + 3 * k * (zz - xx);
        }
        /* the harmonics of degree l are homogeneous: their value is gradient . direction / l */
        along[e] += derivative[e] * (gx * x + gy * y + gz * z) * (R(1) / R(l));
        over[0][e] += value[e] * gx;
        over[1][e] += value[e] * gy;
        over[2][e] += value[e] * gz;
    }
}

#endif
