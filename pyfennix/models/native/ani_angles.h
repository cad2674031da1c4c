/* SPDX-License-Identifier: MIT
 * Angular part of ANI's environment vectors: the angles of one receiver, in chunks that fit in L1.
 */
#ifndef PYFENNIX_ANI_ANGLES_H
#define PYFENNIX_ANI_ANGLES_H

#include "vmath.h"

#ifdef DOUBLE
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

/* LANES bounds the vector length; CHUNK angles of one pair of elements are worked on at once. */
enum { LANES = 16, CHUNK = 128 };

typedef struct {
    int n_species, n_radial, n_shells, n_sections, power;
    int64_t width;
    real radial_cutoff, angular_cutoff, radial_eta, angular_eta, zeta;
    const real *radial_shift, *shell_shift, *cosine, *sine;
} ani_t;

/* Neighbours of a receiver: radial ones in the order of edges, close ones sorted by species. */
typedef struct {
    /* all edges: direction, distance, switch and its slope; gr: gradient by the distance */
    real *x, *y, *z, *d, *f, *slope, *gr;
    /* close ones: the same, then the gradient by direction, distance and switch */
    real *ux, *uy, *uz, *ud, *uf, *uslope, *gx, *gy, *gz, *gd, *gf;
    int *edge, *begin;
    /* angles of a chunk; segments of n of them are between j and k, k + 1, … */
    real *c, *s, *mean, *weight, *section, *slope_c, *p, *q, *t, *h, *hd;
    real *shell, *shell_slope; /* [shell][angle] */
    int *seg_j, *seg_k, *seg_n;
    void *memory;
} work_t;

static int rounded(int n) { return (n + LANES - 1) & ~(LANES - 1); }

/* Angles m, m + 1, … between neighbour j and n neighbours from k on. */
static void add_angles(work_t *w, int m, int j, int k, int n) {
    const real x = R(0.95) * w->ux[j], y = R(0.95) * w->uy[j], z = R(0.95) * w->uz[j];
    const real d = R(0.5) * w->ud[j], f = R(2.0) * w->uf[j];
    const real *restrict ux = w->ux + k, *restrict uy = w->uy + k, *restrict uz = w->uz + k;
    const real *restrict ud = w->ud + k, *restrict uf = w->uf + k;
    real *restrict c = w->c + m, *restrict mean = w->mean + m, *restrict weight = w->weight + m;
    /* whole vectors: what is beyond n is written over by the next call or by prepare_angles */
    const int whole = rounded(n);
#pragma omp simd
    for (int l = 0; l < whole; l++) {
        c[l] = x * ux[l] + y * uy[l] + z * uz[l];
        mean[l] = d + R(0.5) * ud[l];
        weight[l] = f * uf[l];
    }
}

/* Sine and shells of m angles; fills up to a whole vector with angles of no weight. */
static int prepare_angles(work_t *w, const ani_t *p, int m, int weighted) {
    const int whole = rounded(m), stride = CHUNK + LANES;
    real *restrict c = w->c, *restrict s = w->s, *restrict mean = w->mean;
    real *restrict weight = w->weight;
    for (int t = m; t < whole; t++) c[t] = mean[t] = weight[t] = R(0.0);
#pragma omp simd
    for (int t = 0; t < whole; t++) s[t] = SQRT(R(1.0) - c[t] * c[t]);
    for (int a = 0; a < p->n_shells; a++) {
        real *restrict shell = w->shell + a * stride, *restrict slope = w->shell_slope + a * stride;
        const real shift = p->shell_shift[a], eta = p->angular_eta;
        if (weighted) {
#pragma omp simd
            for (int t = 0; t < whole; t++) {
                const real offset = mean[t] - shift;
                shell[t] = weight[t] * v_exp(-eta * offset * offset);
            }
        } else {
#pragma omp simd
            for (int t = 0; t < whole; t++) {
                const real offset = mean[t] - shift;
                shell[t] = v_exp(-eta * offset * offset);
                slope[t] = R(-2.0) * eta * offset * shell[t];
            }
        }
    }
    return whole;
}

static inline real squarings(real x, int n) {
#pragma GCC unroll 5
    for (int i = 0; i < n; i++) x *= x;
    return x;
}

/* section = ((1 + cos(t - T)) / 2)^zeta, and if wanted its derivative by cos t. The power is a
 * constant number of squarings in the common cases. x is never below 0.02, as |cos t| <= 0.95. */
static inline void one_section(work_t *w, const ani_t *p, int z, int m, int power, int gradient) {
    const real *restrict c = w->c, *restrict s = w->s;
    real *restrict section = w->section, *restrict slope = w->slope_c;
    const real cosine = R(0.5) * p->cosine[z], sine = R(0.5) * p->sine[z], zeta = p->zeta;
#pragma omp simd
    for (int t = 0; t < m; t++) {
        const real x = R(0.5) + cosine * c[t] + sine * s[t];
        const real y = power >= 0 ? squarings(x, power) : v_exp(zeta * v_log(x));
        section[t] = y;
        if (gradient) slope[t] = zeta * y / x * (cosine - sine * c[t] / s[t]);
    }
}

static void sections(work_t *w, const ani_t *p, int z, int m, int gradient) {
#define CASE(power) gradient ? one_section(w, p, z, m, power, 1) : one_section(w, p, z, m, power, 0)
    switch (p->power) {
    case 3: CASE(3); break;
    case 4: CASE(4); break;
    case 5: CASE(5); break;
    case 6: CASE(6); break;
    default: CASE(-1);
    }
#undef CASE
}

/* Add m angles of one pair of elements to their shells x sections columns. */
static void sum_angles(work_t *w, const ani_t *p, int angles, real *restrict out) {
    const int m = prepare_angles(w, p, angles, 1), stride = CHUNK + LANES;
    const real *restrict section = w->section;
    for (int z = 0; z < p->n_sections; z++) {
        sections(w, p, z, m, 0);
        for (int a = 0; a < p->n_shells; a++) {
            const real *restrict shell = w->shell + a * stride;
            real sum = R(0.0);
#pragma omp simd reduction(+ : sum)
            for (int t = 0; t < m; t++) sum += shell[t] * section[t];
            out[a * p->n_sections + z] += sum;
        }
    }
}

/* From the gradient of the close neighbours' columns to that of m angles: by the weight in p, by
 * the mean distance (a half of it belongs to each neighbour) in q, by the product of unit vectors
 * in t. */
static void angle_gradient(work_t *w, const ani_t *p, int angles, const real *restrict grad) {
    const int m = prepare_angles(w, p, angles, 0), stride = CHUNK + LANES;
    real *restrict by_weight = w->p, *restrict by_mean = w->q, *restrict by_cosine = w->t;
    real *restrict h = w->h, *restrict hd = w->hd;
    const real *restrict section = w->section, *restrict slope = w->slope_c;
    const real *restrict weight = w->weight;
    for (int t = 0; t < m; t++) by_weight[t] = by_mean[t] = by_cosine[t] = R(0.0);
    for (int z = 0; z < p->n_sections; z++) {
        sections(w, p, z, m, 1);
        for (int t = 0; t < m; t++) h[t] = hd[t] = R(0.0);
        for (int a = 0; a < p->n_shells; a++) {
            const real *restrict e = w->shell + a * stride;
            const real *restrict ed = w->shell_slope + a * stride;
            const real g = grad[a * p->n_sections + z];
#pragma omp simd
            for (int t = 0; t < m; t++) {
                h[t] += g * e[t];
                hd[t] += g * ed[t];
            }
        }
#pragma omp simd
        for (int t = 0; t < m; t++) {
            by_weight[t] += h[t] * section[t];
            by_mean[t] += hd[t] * section[t];
            by_cosine[t] += h[t] * slope[t];
        }
    }
#pragma omp simd
    for (int t = 0; t < m; t++) {
        by_weight[t] *= R(2.0);
        by_mean[t] *= R(0.5) * weight[t];
        by_cosine[t] *= R(0.95) * weight[t];
    }
}

/* Add the gradient of n angles from t on, between j and the neighbours from k on, to theirs. */
static void spread_angles(work_t *w, int t, int j, int k, int n) {
    const real x = w->ux[j], y = w->uy[j], z = w->uz[j], f = w->uf[j];
    const real *restrict ux = w->ux + k, *restrict uy = w->uy + k, *restrict uz = w->uz + k;
    const real *restrict uf = w->uf + k, *restrict by_cosine = w->t + t;
    const real *restrict by_mean = w->q + t, *restrict by_weight = w->p + t;
    real *restrict to_x = w->gx + k, *restrict to_y = w->gy + k, *restrict to_z = w->gz + k;
    real *restrict to_d = w->gd + k, *restrict to_f = w->gf + k;
    real gx = R(0.0), gy = R(0.0), gz = R(0.0), gd = R(0.0), gf = R(0.0);
#pragma omp simd reduction(+ : gx, gy, gz, gd, gf)
    for (int l = 0; l < n; l++) {
        const real c = by_cosine[l];
        gx += c * ux[l];
        gy += c * uy[l];
        gz += c * uz[l];
        gd += by_mean[l];
        gf += by_weight[l] * uf[l];
        to_x[l] += c * x;
        to_y[l] += c * y;
        to_z[l] += c * z;
        to_d[l] += by_mean[l];
        to_f[l] += by_weight[l] * f;
    }
    w->gx[j] += gx;
    w->gy[j] += gy;
    w->gz[j] += gz;
    w->gd[j] += gd;
    w->gf[j] += gf;
}

/* The m collected angles of one pair of elements: into their columns, or the gradient back. */
static void finish_angles(work_t *w, const ani_t *p, int m, int segments, real *restrict out,
                          const real *restrict grad) {
    if (out) {
        sum_angles(w, p, m, out);
        return;
    }
    angle_gradient(w, p, m, grad);
    for (int i = 0, t = 0; i < segments; t += w->seg_n[i++])
        spread_angles(w, t, w->seg_j[i], w->seg_k[i], w->seg_n[i]);
}

/* All angles of a receiver, by pairs of elements: into its columns, or their gradient back. */
static void angular(work_t *w, const ani_t *p, real *restrict out, const real *restrict grad) {
    const int columns = p->n_shells * p->n_sections;
    for (int a = 0; a < p->n_species; a++)
        for (int b = a; b < p->n_species; b++) {
            int m = 0, segments = 0;
            const int last = w->begin[b + 1];
            for (int j = w->begin[a]; j < w->begin[a + 1]; j++)
                for (int k = a == b ? j + 1 : w->begin[b]; k < last;) {
                    const int n = last - k < CHUNK - m ? last - k : CHUNK - m;
                    add_angles(w, m, j, k, n);
                    w->seg_j[segments] = j;
                    w->seg_k[segments] = k;
                    w->seg_n[segments++] = n;
                    k += n;
                    m += n;
                    if (m == CHUNK) {
                        finish_angles(w, p, m, segments, out, grad);
                        m = segments = 0;
                    }
                }
            if (m) finish_angles(w, p, m, segments, out, grad);
            if (out) out += columns;
            if (grad) grad += columns;
        }
}

#endif
