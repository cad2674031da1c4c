/* SPDX-License-Identifier: MIT
 * Elementary functions without branches or calls, so that loops over them use vector instructions.
 */
#ifndef PYFENNIX_VMATH_H
#define PYFENNIX_VMATH_H

#include <string.h>

#include "real.h"

#ifdef DOUBLE
typedef int64_t bits;
#define MANTISSA 52
#define EXPONENT_BIAS 1023
#else
typedef int32_t bits;
#define MANTISSA 23
#define EXPONENT_BIAS 127
#endif

static inline bits bits_of(real x) {
    bits b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static inline real real_of(bits b) {
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* exp(x) for -1e9 < x <= 0, to rounding of x; 0 where 2^(x / log 2) would not be normal. */
static inline real v_exp(real x) {
    const int32_t k = (int32_t)(x * R(1.4426950408889634) - R(0.5));
    const real r = x - (real)k * R(0.69314718055994531);
    real p;
#ifdef DOUBLE
    p = R(1.0 / 6227020800);
    p = p * r + R(1.0 / 479001600);
    p = p * r + R(1.0 / 39916800);
    p = p * r + R(1.0 / 3628800);
    p = p * r + R(1.0 / 362880);
    p = p * r + R(1.0 / 40320);
    p = p * r + R(1.0 / 5040);
#else
    p = R(1.0 / 5040);
#endif
    p = p * r + R(1.0 / 720);
    p = p * r + R(1.0 / 120);
    p = p * r + R(1.0 / 24);
    p = p * r + R(1.0 / 6);
    p = p * r + R(0.5);
    p = p * r + R(1.0);
    p = p * r + R(1.0);
    /* an integer maximum instead of a choice between numbers: that would become a branch, and the
     * loop around it would not be vectorised; NaN passes through p */
    const int32_t raised = k + EXPONENT_BIAS;
    return p * real_of((bits)(raised > 0 ? raised : 0) << MANTISSA);
}

/* log(x) for normal x > 0, to rounding: x = 2^e m with m near 1, log m = 2 artanh((m-1)/(m+1)). */
static inline real v_log(real x) {
    /* the exponent is split off at sqrt(1/2), so that m lies in [sqrt(1/2), sqrt(2)) */
    const bits offset = bits_of(x) - bits_of(R(0.70710678118654752));
    const bits exponent = offset >> MANTISSA;
    const real m = real_of(bits_of(x) - exponent * ((bits)1 << MANTISSA));
    const real s = (m - R(1.0)) / (m + R(1.0)), q = s * s;
    real p;
#ifdef DOUBLE
    p = R(1.0 / 21);
    p = p * q + R(1.0 / 19);
    p = p * q + R(1.0 / 17);
    p = p * q + R(1.0 / 15);
    p = p * q + R(1.0 / 13);
    p = p * q + R(1.0 / 11);
    p = p * q + R(1.0 / 9);
#else
    p = R(1.0 / 9);
#endif
    p = p * q + R(1.0 / 7);
    p = p * q + R(1.0 / 5);
    p = p * q + R(1.0 / 3);
    p = p * q + R(1.0);
    return (real)(int32_t)exponent * R(0.69314718055994531) + R(2.0) * s * p;
}

/* cos(y) for 0 <= y <= pi/2, absolute error of one rounding. */
static inline real v_cos(real y) {
    const real q = -y * y;
    real p;
#ifdef DOUBLE
    p = R(1.0 / 1124000727777607680000.0);
    p = p * q + R(1.0 / 2432902008176640000.0);
    p = p * q + R(1.0 / 6402373705728000.0);
    p = p * q + R(1.0 / 20922789888000.0);
    p = p * q + R(1.0 / 87178291200.0);
#else
    p = R(1.0 / 87178291200.0);
#endif
    p = p * q + R(1.0 / 479001600);
    p = p * q + R(1.0 / 3628800);
    p = p * q + R(1.0 / 40320);
    p = p * q + R(1.0 / 720);
    p = p * q + R(1.0 / 24);
    p = p * q + R(0.5);
    return p * q + R(1.0);
}

/* sin(y) for 0 <= y <= pi/2. */
static inline real v_sin(real y) {
    const real q = -y * y;
    real p;
#ifdef DOUBLE
    p = R(1.0 / 51090942171709440000.0);
    p = p * q + R(1.0 / 121645100408832000.0);
    p = p * q + R(1.0 / 355687428096000.0);
    p = p * q + R(1.0 / 1307674368000.0);
    p = p * q + R(1.0 / 6227020800.0);
#else
    p = R(1.0 / 6227020800.0);
#endif
    p = p * q + R(1.0 / 39916800);
    p = p * q + R(1.0 / 362880);
    p = p * q + R(1.0 / 5040);
    p = p * q + R(1.0 / 120);
    p = p * q + R(1.0 / 6);
    return y * (p * q + R(1.0));
}

#endif
