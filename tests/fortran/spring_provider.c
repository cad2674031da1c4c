/* SPDX-License-Identifier: MIT
 * A force provider in a few lines of C: springs of zero length between all pairs closer than the cutoff.
 * context points to the spring constant, kcal/mol/Å². */
#include <stdint.h>
#include <string.h>

struct request { /* the head of force_request in fortran/force/seam.f90 */
    int32_t version, level;
    int64_t inner_step;
    int32_t wanted, n_local, n_center, n_total, periodic[3];
    int64_t n_global;
    double total_charge, cutoff, skin;
    int64_t list_version, n_edges;
    const int32_t *number, *id;
    const double (*position)[3];
    double cell[3][3];
    const int64_t *composition;
    const int32_t *first, *neighbor, (*shift)[3];
};

struct result { /* the head of force_result */
    int32_t version;
    double energy, virial[3][3];
    double (*forces)[3];
};

int spring_force(const double *k, const struct request *q, struct result *r)
{
    memset(r->virial, 0, sizeof r->virial);
    memset(r->forces, 0, sizeof(double[3]) * (size_t)q->n_total);
    r->energy = 0.0;
    for (int i = 0; i < q->n_center; ++i)
        for (int e = q->first[i]; e < q->first[i + 1]; ++e) {
            double v[3], d2 = 0.0;
            for (int a = 0; a < 3; ++a) {
                v[a] = q->position[q->neighbor[e]][a] - q->position[i][a];
                for (int c = 0; c < 3; ++c) v[a] += q->shift[e][c] * q->cell[c][a];
                d2 += v[a] * v[a];
            }
            if (d2 >= q->cutoff * q->cutoff) continue;
            r->energy += 0.25 * *k * d2; /* half of each pair, seen from both ends */
            for (int a = 0; a < 3; ++a) {
                r->forces[i][a] += 0.5 * *k * v[a];
                r->forces[q->neighbor[e]][a] -= 0.5 * *k * v[a];
                for (int b = 0; b < 3; ++b) r->virial[a][b] += 0.5 * *k * v[a] * v[b];
            }
        }
    return 0;
}

int failing_force(const double *k, const struct request *q, struct result *r)
{
    (void)k, (void)q, (void)r;
    return 7;
}

void spring_message(const double *k, char *buffer, int size)
{
    (void)k;
    strncpy(buffer, "the spring is broken", (size_t)size - 1);
}
