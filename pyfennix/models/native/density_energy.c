/* SPDX-License-Identifier: MIT
 * Energies of a density model and their gradient in one pass, LANES atoms of one element at a time.
 */
#include "density.h"
#include "raster.h"

enum { DEGREES = 4, MOST_LAYERS = 5 };

/* The networks of one element: mixing(species radial, channels) per degree, then per layer
 * kernel(in, out) and bias(out). */
typedef struct {
    int degrees, channels[DEGREES], layers, width[MOST_LAYERS + 1], widest, total_channels;
} shape_t;

typedef struct {
    const real *mixing[DEGREES], *kernel[MOST_LAYERS], *bias[MOST_LAYERS];
} net_t;

/* What one thread works with; rows are vectors of LANES atoms unless said otherwise. */
typedef struct {
    real *y, *value, *slope;       /* per edge: (M), (radial), (radial) */
    edges_t *groups;               /* per LANES edges */
    real *by_atom, *density;       /* (LANES, row M) of atoms; (row M) rows */
    real *channel, *g_channel;     /* (channels, 2l + 1) rows, degree by degree */
    real *hidden[MOST_LAYERS + 1]; /* (width) rows */
    real *rise[MOST_LAYERS + 1];
    real *g, *g_next;
    int64_t *edge, n_edges;
    void *memory;
} scratch_t;

static shape_t read_shape(const int64_t *restrict numbers) {
    shape_t s = {.degrees = (int)numbers[0]};
    for (int l = 0; l < DEGREES; l++) {
        s.channels[l] = (int)numbers[1 + l];
        s.total_channels += s.channels[l] * (2 * l + 1);
    }
    s.layers = (int)numbers[1 + DEGREES];
    for (int k = 0; k <= s.layers; k++) {
        s.width[k] = (int)numbers[2 + DEGREES + k];
        s.widest = s.width[k] > s.widest ? s.width[k] : s.widest;
    }
    return s;
}

static net_t read_net(const shape_t *s, const real *at, int row) {
    net_t net;
    for (int l = 0; l < s->degrees; l++) {
        net.mixing[l] = at;
        at += (int64_t)row * s->channels[l];
    }
    for (int k = 0; k < s->layers; k++) {
        net.kernel[k] = at;
        at += (int64_t)s->width[k] * s->width[k + 1];
        net.bias[k] = at;
        at += s->width[k + 1];
    }
    return net;
}

static int allocate(scratch_t *w, const shape_t *s, const density_t *p, int64_t most_edges) {
    const int64_t row = (int64_t)p->species * p->radial;
    const int64_t edges = (most_edges + LANES - 1) / LANES * LANES + LANES;
    int64_t reals = edges * (M + 2 * p->radial) + 2 * row * M * LANES;
    reals += (2 * s->total_channels + 2 * s->widest) * LANES;
    for (int k = 0; k <= s->layers; k++)
        reals += 2 * (int64_t)s->width[k] * LANES;
    char *at = w->memory = malloc(reals * sizeof(real) + edges / LANES * sizeof(edges_t) +
                                  edges * sizeof(int64_t) + 64);
    if (!at)
        return 0;
    w->edge = (int64_t *)at;
    at += edges * sizeof(int64_t);
    w->groups = (edges_t *)at;
    real *next = (real *)(at + edges / LANES * sizeof(edges_t));
#define TAKE(name, count) w->name = next, next += (count)
    TAKE(y, edges * M);
    TAKE(value, edges * p->radial);
    TAKE(slope, edges * p->radial);
    TAKE(by_atom, row * M * LANES);
    TAKE(density, row * M * LANES);
    TAKE(channel, (int64_t)s->total_channels * LANES);
    TAKE(g_channel, (int64_t)s->total_channels * LANES);
    TAKE(g, (int64_t)s->widest * LANES);
    TAKE(g_next, (int64_t)s->widest * LANES);
    for (int k = 0; k <= s->layers; k++) {
        TAKE(hidden[k], (int64_t)s->width[k] * LANES);
        TAKE(rise[k], (int64_t)s->width[k] * LANES);
    }
#undef TAKE
    return 1;
}

/* COUNT rows of out from n rows of x, weights by (i, j) at i * by_row + j * by_column */
#define ROWS(COUNT)                                                                            \
    INLINE void rows_##COUNT(real *restrict out, int64_t out_step, const real *restrict x,     \
                             int64_t x_step, const real *restrict weights, int64_t by_row,     \
                             int64_t by_column, int n, const real *restrict bias) {            \
        vec sum[COUNT];                                                                        \
        for (int j = 0; j < COUNT; j++)                                                        \
            sum[j] = (vec){0} + (bias ? bias[j] : R(0));                                       \
        for (int i = 0; i < n; i++) {                                                          \
            const vec one = load(x + i * x_step);                                              \
            for (int j = 0; j < COUNT; j++)                                                    \
                sum[j] += weights[i * by_row + j * by_column] * one;                           \
        }                                                                                      \
        for (int j = 0; j < COUNT; j++)                                                        \
            store(out + j * out_step, sum[j]);                                                 \
    }
ROWS(8)
ROWS(4)
ROWS(1)

/* out(m) rows = weights(n, m)^T times x(n) rows, plus bias(m) unless that is null */
static void product(real *restrict out, int64_t out_step, const real *restrict x, int64_t x_step,
                    const real *restrict weights, int64_t by_row, int64_t by_column, int n, int m,
                    const real *restrict bias) {
    int j = 0;
    for (; j + 8 <= m; j += 8)
        rows_8(out + j * out_step, out_step, x, x_step, weights + j * by_column, by_row, by_column,
               n, bias ? bias + j : 0);
    for (; j + 4 <= m; j += 4)
        rows_4(out + j * out_step, out_step, x, x_step, weights + j * by_column, by_row, by_column,
               n, bias ? bias + j : 0);
    for (; j < m; j++)
        rows_1(out + j * out_step, out_step, x, x_step, weights + j * by_column, by_row, by_column,
               n, bias ? bias + j : 0);
}

/* The invariants of the channels: those of degree 0, then the products of two of one degree. */
static void invariants(const shape_t *s, const real *restrict channel, real *restrict out) {
    for (int c = 0; c < s->channels[0]; c++)
        store(out + c * LANES, load(channel + c * LANES));
    out += s->channels[0] * LANES;
    channel += s->channels[0] * LANES;
    for (int l = 1; l < s->degrees; l++) {
        const int m = 2 * l + 1;
        const real norm = R(1.0 / sqrt((double)m));
        for (int a = 0; a < s->channels[l]; a++)
            for (int b = a; b < s->channels[l]; b++, out += LANES) {
                vec sum = {0};
                for (int k = 0; k < m; k++)
                    sum += load(channel + (a * m + k) * LANES) * load(channel + (b * m + k) * LANES);
                store(out, sum * norm);
            }
        channel += s->channels[l] * m * LANES;
    }
}

/* g_channel from the gradient by the invariants */
static void invariants_gradient(const shape_t *s, const real *restrict channel,
                                const real *restrict g, real *restrict g_channel) {
    for (int c = 0; c < s->channels[0]; c++)
        store(g_channel + c * LANES, load(g + c * LANES));
    int64_t done = (int64_t)s->channels[0] * LANES;
    g += done;
    for (int l = 1; l < s->degrees; l++) {
        const int m = 2 * l + 1, n = s->channels[l];
        const real norm = R(1.0 / sqrt((double)m));
        const real *const own = channel + done;
        for (int a = 0; a < n; a++) {
            vec sum[2 * DEGREES - 1] = {{0}};
            for (int b = 0; b < n; b++) {
                const int low = a < b ? a : b, high = a < b ? b : a;
                const int pair = low * n - low * (low - 1) / 2 + high - low;
                const vec by = load(g + pair * LANES) * (a == b ? R(2) * norm : norm);
                for (int k = 0; k < m; k++)
                    sum[k] += by * load(own + (b * m + k) * LANES);
            }
            for (int k = 0; k < m; k++)
                store(g_channel + done + (a * m + k) * LANES, sum[k]);
        }
        done += (int64_t)n * m * LANES;
        g += n * (n + 1) / 2 * LANES;
    }
}

/* Edge quantities of the atoms and their densities, (row M) rows. */
static void collect(const density_t *p, scratch_t *w, const real *restrict vectors,
                    const int64_t *restrict neighbor, const int64_t *restrict first,
                    const int64_t *restrict species, const int64_t *restrict atoms, int count) {
    lanes by_component[M], value[MOST_RADIAL], slope[MOST_RADIAL];
    const int64_t row = (int64_t)p->species * p->radial * M;
    int64_t n = 0;
    for (int a = 0; a < count; a++)
        for (int64_t e = first[atoms[a]]; e < first[atoms[a] + 1]; e++)
            w->edge[n++] = e;
    w->n_edges = n;
    for (int64_t e = n; e % LANES; e++)
        w->edge[e] = w->edge[n - 1];
    for (int64_t begin = 0; begin < n; begin += LANES) {
        edges_t *const g = w->groups + begin / LANES;
        load_edges(p, vectors, w->edge + begin, g);
        radial(p, g, value, slope);
        harmonics(g, by_component);
        to_edges(by_component, w->y + begin * M);
        for (int k = 0; k < p->radial; k++)
            for (int e = 0; e < LANES; e++) {
                w->value[(begin + e) * p->radial + k] = value[k][e];
                w->slope[(begin + e) * p->radial + k] = slope[k][e];
            }
    }
    for (int64_t k = 0; k < row * LANES; k++)
        w->by_atom[k] = R(0);
    n = 0;
    for (int a = 0; a < count; a++)
        for (int64_t e = first[atoms[a]]; e < first[atoms[a] + 1]; e++, n++) {
            real *const part = w->by_atom + a * row + species[neighbor[e]] * p->radial * M;
            const real *const y = w->y + n * M, *const radius = w->value + n * p->radial;
            for (int k = 0; k < p->radial; k++)
                for (int m = 0; m < M; m += LANES)
                    store(part + k * M + m, load(part + k * M + m) + radius[k] * load(y + m));
        }
    for (int64_t k = 0; k < row; k += LANES)
        transpose(w->by_atom + k, row, w->density + k * LANES, LANES);
}

/* gradient(E,3) of the edges that collect has seen, from that by the densities in by_atom. */
static void spread(const density_t *p, scratch_t *w, const int64_t *restrict neighbor,
                   const int64_t *restrict first, const int64_t *restrict species,
                   const int64_t *restrict atoms, int count, real *restrict gradient) {
    lanes s_of[M], t_of[M], out[3];
    real s[LANES * M], t[LANES * M];
    const int64_t row = (int64_t)p->species * p->radial * M;
    int64_t n = 0, begin = 0;
    for (int a = 0; a < count; a++)
        for (int64_t e = first[atoms[a]]; e < first[atoms[a] + 1]; e++, n++) {
            const real *const part = w->by_atom + a * row + species[neighbor[e]] * p->radial * M;
            const real *const value = w->value + n * p->radial, *const slope = w->slope + n * p->radial;
            for (int m = 0; m < M; m += LANES) {
                vec along = {0}, turned = {0};
                for (int k = 0; k < p->radial; k++) {
                    along += slope[k] * load(part + k * M + m);
                    turned += value[k] * load(part + k * M + m);
                }
                store(s + (n - begin) * M + m, along);
                store(t + (n - begin) * M + m, turned);
            }
            if (n - begin < LANES - 1 && n + 1 < w->n_edges)
                continue;
            to_components(s, s_of);
            to_components(t, t_of);
            harmonics_gradient(w->groups + begin / LANES, s_of, t_of, out);
            for (int k = 0; k <= n - begin; k++)
                for (int x = 0; x < 3; x++)
                    gradient[3 * w->edge[begin + k] + x] = out[x][k];
            begin = n + 1;
        }
}

/* Energies of the tile's atoms from their densities; with back, by_atom gets the gradient. */
static void evaluate(const shape_t *s, const net_t *net, const density_t *p, scratch_t *w,
                     real *restrict energy, int back) {
    const int rows = p->species * p->radial;
    int64_t done = 0;
    for (int l = 0; l < s->degrees; l++) {
        const int m = 2 * l + 1, n = s->channels[l];
        for (int k = 0; k < m; k++)
            product(w->channel + done + k * LANES, m * LANES, w->density + (l * l + k) * LANES,
                    M * LANES, net->mixing[l], n, 1, rows, n, 0);
        done += (int64_t)n * m * LANES;
    }
    invariants(s, w->channel, w->hidden[0]);
    for (int k = 0; k < s->layers; k++) {
        const int n = s->width[k], m = s->width[k + 1];
        const int is_last = k == s->layers - 1;
        product(is_last ? energy : w->g, LANES, w->hidden[k], LANES, net->kernel[k], m, 1, n, m,
                net->bias[k]);
        if (!is_last)
            silu(w->g, (int64_t)m * LANES, w->hidden[k + 1], w->rise[k + 1]);
    }
    if (!back)
        return;
    const int last = s->layers - 1;
    for (int i = 0; i < s->width[last]; i++)
        store(w->g + i * LANES, (vec){0} + net->kernel[last][i]);
    for (int k = last; k > 0; k--) {
        const int n = s->width[k - 1], m = s->width[k];
        for (int64_t i = 0; i < (int64_t)m * LANES; i++)
            w->g[i] *= w->rise[k][i];
        product(w->g_next, LANES, w->g, LANES, net->kernel[k - 1], 1, m, m, n, 0);
        real *const swap = w->g;
        w->g = w->g_next, w->g_next = swap;
    }
    invariants_gradient(s, w->channel, w->g, w->g_channel);
    for (int64_t k = 0; k < (int64_t)rows * M * LANES; k++)
        w->density[k] = R(0);
    done = 0;
    for (int l = 0; l < s->degrees; l++) {
        const int m = 2 * l + 1, n = s->channels[l];
        for (int k = 0; k < m; k++)
            product(w->density + (l * l + k) * LANES, M * LANES, w->g_channel + done + k * LANES,
                    m * LANES, net->mixing[l], 1, n, n, rows, 0);
        done += (int64_t)n * m * LANES;
    }
    for (int64_t k = 0; k < (int64_t)rows * M; k += LANES)
        transpose(w->density + k * LANES, LANES, w->by_atom + k, (int)((int64_t)rows * M));
}

/* energies(n_center) and, unless null, gradient(E,3) of their sum. order(n_center) are the atoms by
 * species, counts(species) how many of each; weights(species, size) are packed as net_t says, with
 * the shape shape. Returns through failed(1) whether memory was wanting. */
void KERNEL(density_energy)(const real *restrict vectors, const int64_t *restrict neighbor,
                            const int64_t *restrict first, const int64_t *restrict species,
                            const int64_t *restrict order, const int64_t *restrict counts,
                            double cutoff, double least, int64_t power, int64_t radial_functions,
                            int64_t n_species, const int64_t *restrict shape,
                            const real *restrict weights, int64_t size, real *restrict energies,
                            real *restrict gradient, int64_t *restrict failed) {
    const density_t p = {.cutoff = cutoff, .least = least, .power = (int)power,
                         .radial = (int)radial_functions, .species = (int)n_species};
    const shape_t s = read_shape(shape);
    int64_t tiles = 0, most = 0;
    for (int64_t z = 0, start = 0; z < n_species; start += counts[z], z++)
        for (int64_t a = 0; a < counts[z]; a += LANES, tiles++) {
            int64_t edges = 0;
            for (int64_t k = a; k < counts[z] && k < a + LANES; k++)
                edges += first[order[start + k] + 1] - first[order[start + k]];
            most = edges > most ? edges : most;
        }
#pragma omp parallel
    {
        scratch_t w;
        const int fit = allocate(&w, &s, &p, most);
        if (!fit)
            *failed = 1;
#pragma omp for schedule(dynamic)
        for (int64_t tile = 0; tile < tiles; tile++) {
            if (!fit)
                continue;
            int64_t z = 0, start = 0, at = tile;
            while (at >= (counts[z] + LANES - 1) / LANES) {
                at -= (counts[z] + LANES - 1) / LANES;
                start += counts[z++];
            }
            const int64_t *const atoms = order + start + at * LANES;
            const int64_t left = counts[z] - at * LANES;
            const int count = left < LANES ? (int)left : LANES;
            const net_t net = read_net(&s, weights + z * size, p.species * p.radial);
            lanes energy;
            collect(&p, &w, vectors, neighbor, first, species, atoms, count);
            evaluate(&s, &net, &p, &w, energy, gradient != 0);
            for (int a = 0; a < count; a++)
                energies[atoms[a]] = energy[a];
            if (gradient)
                spread(&p, &w, neighbor, first, species, atoms, count, gradient);
        }
        if (fit)
            free(w.memory);
    }
}
