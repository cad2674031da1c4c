/* SPDX-License-Identifier: MIT
 * The kind of number of a kernel: each file is compiled once with REAL=float, once with double.
 */
#ifndef PYFENNIX_REAL_H
#define PYFENNIX_REAL_H

#include <math.h>
#include <stdint.h>

#ifdef DOUBLE
typedef double real;
#define KERNEL(name) name##_f64
#else
typedef float real;
#define KERNEL(name) name##_f32
#endif

#define R(x) ((real)(x))

#endif
