/* SPDX-License-Identifier: MIT
 * Environment vectors of ANI and their gradient to the edge vectors, one receiver at a time.
 */
#include <stdlib.h>

#include "ani_angles.h"

/* One block of zeroed memory for everything; false when there is none. */
static int make_work(work_t *w, const ani_t *p, int degree) {
    const size_t cap = (size_t)rounded(degree) + LANES, angles = CHUNK + LANES;
    const size_t reals = 18 * cap + 11 * angles + 2 * p->n_shells * angles;
    const size_t ints = cap + p->n_species + 1 + 3 * angles;
    real *r = w->memory = calloc(1, reals * sizeof(real) + ints * sizeof(int));
    if (!r) return 0;
    real **of_edges[] = {&w->x,  &w->y,  &w->z,      &w->d,  &w->f,  &w->slope, &w->gr,
                         &w->ux, &w->uy, &w->uz,     &w->ud, &w->uf, &w->uslope,
                         &w->gx, &w->gy, &w->gz,     &w->gd, &w->gf};
    real **of_angles[] = {&w->c, &w->s, &w->mean, &w->weight, &w->section, &w->slope_c, &w->p,
                          &w->q, &w->t, &w->h, &w->hd};
    for (int i = 0; i < 18; i++, r += cap) *of_edges[i] = r;
    for (int i = 0; i < 11; i++, r += angles) *of_angles[i] = r;
    w->shell = r;
    w->shell_slope = r + p->n_shells * angles;
    int *n = (int *)(r + 2 * p->n_shells * angles);
    w->edge = n;
    w->begin = n + cap;
    w->seg_j = w->begin + p->n_species + 1;
    w->seg_k = w->seg_j + angles;
    w->seg_n = w->seg_k + angles;
    return 1;
}

/* cos^2(pi d / 2 rc), the switch of a graph, and its derivative; 0 from the cutoff on. */
static inline real cosine_switch(real d, real cutoff, real *slope) {
    const real half_pi = R(1.5707963267948966), u = d / cutoff;
    const real y = half_pi * (u < R(1.0) ? u : R(1.0));
    const real c = v_cos(y), s = v_sin(y);
    *slope = u < R(1.0) ? -R(2.0) * half_pi * c * s / cutoff : R(0.0);
    return u < R(1.0) ? c * c : R(0.0);
}

/* Unit vectors, distances (never below 3.2e-3 Å) and radial switches of n edges. */
static void radial_geometry(work_t *w, const ani_t *p, const real *restrict vectors, int n) {
    real *restrict x = w->x, *restrict y = w->y, *restrict z = w->z, *restrict d = w->d;
    real *restrict f = w->f, *restrict slope = w->slope;
#pragma omp simd
    for (int e = 0; e < n; e++) {
        const real a = vectors[3 * e], b = vectors[3 * e + 1], c = vectors[3 * e + 2];
        const real square = a * a + b * b + c * c;
        const real length = SQRT(square < R(1e-5) ? R(1e-5) : square); /* NaN survives */
        d[e] = length;
        x[e] = a / length;
        y[e] = b / length;
        z[e] = c / length;
        f[e] = cosine_switch(length, p->radial_cutoff, &slope[e]);
    }
}

/* The edges below the angular cutoff, sorted by species (bounds in begin), with their switches. */
static void angular_geometry(work_t *w, const ani_t *p, const int64_t *restrict neighbor,
                             const int64_t *restrict species, int n) {
    for (int s = 0; s <= p->n_species; s++) w->begin[s] = 0;
    for (int e = 0; e < n; e++)
        if (!(w->d[e] >= p->angular_cutoff)) w->begin[species[neighbor[e]] + 1]++;
    for (int s = 0; s < p->n_species; s++) w->begin[s + 1] += w->begin[s];
    for (int e = 0; e < n; e++)
        if (!(w->d[e] >= p->angular_cutoff)) w->edge[w->begin[species[neighbor[e]]]++] = e;
    for (int s = p->n_species; s > 0; s--) w->begin[s] = w->begin[s - 1];
    w->begin[0] = 0;
    const int close = w->begin[p->n_species];
    for (int k = 0; k < close; k++) {
        const int e = w->edge[k];
        w->ux[k] = w->x[e];
        w->uy[k] = w->y[e];
        w->uz[k] = w->z[e];
        w->ud[k] = w->d[e];
    }
    real *restrict d = w->ud, *restrict f = w->uf, *restrict slope = w->uslope;
#pragma omp simd
    for (int k = 0; k < close; k++) f[k] = cosine_switch(d[k], p->angular_cutoff, &slope[k]);
}

/* Radial columns of a receiver. */
static void radial(const work_t *w, const ani_t *p, const int64_t *restrict neighbor,
                   const int64_t *restrict species, int n, real *restrict out) {
    const real *restrict shift = p->radial_shift;
    const real eta = p->radial_eta;
    const int width = p->n_radial;
    for (int e = 0; e < n; e++) {
        real *restrict row = out + species[neighbor[e]] * width;
        const real d = w->d[e], f = R(0.25) * w->f[e];
#pragma omp simd
        for (int r = 0; r < width; r++) {
            const real offset = d - shift[r];
            row[r] += f * v_exp(-eta * offset * offset);
        }
    }
}

/* Derivative by the distance of each edge, radial columns only. */
static void radial_gradient(work_t *w, const ani_t *p, const int64_t *restrict neighbor,
                            const int64_t *restrict species, int n, const real *restrict grad) {
    const real *restrict shift = p->radial_shift;
    const real eta = p->radial_eta;
    const int width = p->n_radial;
    for (int e = 0; e < n; e++) {
        const real *restrict row = grad + species[neighbor[e]] * width;
        const real d = w->d[e];
        real value = R(0.0), slope = R(0.0);
#pragma omp simd reduction(+ : value, slope)
        for (int r = 0; r < width; r++) {
            const real offset = d - shift[r];
            const real g = row[r] * v_exp(-eta * offset * offset);
            value += g;
            slope += g * offset;
        }
        w->gr[e] = R(0.25) * (w->slope[e] * value - R(2.0) * eta * w->f[e] * slope);
    }
}

/* Gradient of the edge vectors from those of distances and unit vectors. */
static void to_vectors(const work_t *w, int n, int close, real *restrict gradient) {
    const real least = SQRT(R(1e-5));
    for (int e = 0; e < n; e++) {
        const real g = w->d[e] > least ? w->gr[e] : R(0.0);
        gradient[3 * e] = g * w->x[e];
        gradient[3 * e + 1] = g * w->y[e];
        gradient[3 * e + 2] = g * w->z[e];
    }
    for (int k = 0; k < close; k++) {
        const real x = w->ux[k], y = w->uy[k], z = w->uz[k], inverse = R(1.0) / w->ud[k];
        const real by_distance = w->gd[k] + w->gf[k] * w->uslope[k];
        const real along = w->gx[k] * x + w->gy[k] * y + w->gz[k] * z;
        /* the clipped distance is a constant */
        const real g = w->ud[k] > least ? by_distance - along * inverse : R(0.0);
        real *restrict row = gradient + 3 * w->edge[k];
        row[0] += g * x + w->gx[k] * inverse;
        row[1] += g * y + w->gy[k] * inverse;
        row[2] += g * z + w->gz[k] * inverse;
    }
}

static ani_t read_settings(const double *settings, const real *tables, int64_t n_species,
                           int64_t n_radial, int64_t n_shells, int64_t n_sections) {
    ani_t p = {.n_species = n_species, .n_radial = n_radial, .n_shells = n_shells,
               .n_sections = n_sections, .power = -1, .radial_cutoff = settings[0],
               .angular_cutoff = settings[1], .radial_eta = settings[2],
               .angular_eta = settings[3], .zeta = settings[4]};
    for (int power = 3; power <= 6; power++)
        if (settings[4] == (double)(1 << power)) p.power = power;
    p.width = n_species * n_radial + n_species * (n_species + 1) / 2 * n_shells * n_sections;
    p.radial_shift = tables;
    p.shell_shift = tables + n_radial;
    p.cosine = p.shell_shift + n_shells;
    p.sine = p.cosine + n_sections;
    return p;
}

static int largest_degree(const int64_t *first, int64_t n) {
    int64_t degree = 0;
    for (int64_t i = 0; i < n; i++)
        if (first[i + 1] - first[i] > degree) degree = first[i + 1] - first[i];
    return degree;
}

/* One receiver: its columns into out, or their gradient grad to that of its edge vectors. */
static void one_receiver(work_t *w, const ani_t *p, const real *vectors, const int64_t *neighbor,
                         const int64_t *species, int n, real *out, const real *grad,
                         real *gradient) {
    const int64_t radial_width = (int64_t)p->n_species * p->n_radial;
    radial_geometry(w, p, vectors, n);
    angular_geometry(w, p, neighbor, species, n);
    if (out) {
        memset(out, 0, p->width * sizeof(real));
        radial(w, p, neighbor, species, n, out);
        angular(w, p, out + radial_width, NULL);
        return;
    }
    const int close = w->begin[p->n_species];
    real *to[] = {w->gx, w->gy, w->gz, w->gd, w->gf};
    for (int i = 0; i < 5; i++) memset(to[i], 0, close * sizeof(real));
    radial_gradient(w, p, neighbor, species, n, grad);
    angular(w, p, NULL, grad + radial_width);
    to_vectors(w, n, close, gradient);
}

/* vectors(E,3), first(n_center+1), neighbor(E), species(n_total) below n_species; settings: radial
 * and angular cutoff, radial and angular eta, zeta; tables: radial shifts, shells, cosines and
 * sines of the sections. Either out(n_center,width) is written, or, where it is null, gradient(E,3)
 * from grad(n_center,width). The result is NaN when there is no memory. */
void KERNEL(ani_vectors)(const real *restrict vectors, const int64_t *restrict first,
                         const int64_t *restrict neighbor, const int64_t *restrict species,
                         const double *restrict settings, const real *restrict tables,
                         int64_t n_center, int64_t n_species, int64_t n_radial, int64_t n_shells,
                         int64_t n_sections, real *restrict out, const real *restrict grad,
                         real *restrict gradient) {
    const ani_t p = read_settings(settings, tables, n_species, n_radial, n_shells, n_sections);
    const int degree = largest_degree(first, n_center);
#pragma omp parallel
    {
        work_t w;
        const int ready = make_work(&w, &p, degree);
#pragma omp for schedule(dynamic, 8)
        for (int64_t i = 0; i < n_center; i++) {
            const int64_t e = first[i];
            const int n = first[i + 1] - e;
            real *row = out ? out + i * p.width : NULL, *to = out ? NULL : gradient + 3 * e;
            if (ready)
                one_receiver(&w, &p, vectors + 3 * e, neighbor + e, species, n, row,
                             out ? NULL : grad + i * p.width, to);
            else
                for (int64_t c = 0; c < (out ? p.width : 3 * n); c++) (out ? row : to)[c] = NAN;
        }
        if (ready) free(w.memory);
    }
}
