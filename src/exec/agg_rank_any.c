/* Values of any type are found by passes over all of them: some of those that it still may be are
 * put in order, two of these, between which it most likely lies, are compared with all (Floyd and
 * Rivest 1975), and what lies between them is kept if it is little, else looked at again. */
#include "exec/agg_rank.h"

#include "column/compare.h"

#include <math.h>
#include <stdlib.h>

#define SAMPLE     1024u
#define KEPT       32768u       /* values, and ... */
#define KEPT_BYTES (512u << 10) /* ... their bytes, but for one that is longer */
#define WIDE       16u

/* Copies of values, each with its length before it. */
typedef struct kept {
    bytes data;
    uint32_t *at;
    uint32_t n;
    bool all; /* none was left out */
} kept;

/* Values from `low` to `high`, both excluded. */
typedef struct range {
    const ranking *r;
    bytes low, high;
    bool has_low, has_high;
    uint64_t before, n; /* values up to `low`; values in the range */
} range;

static span kept_at(const kept *x, uint32_t i)
{
    return (span){x->data.data + x->at[i] + 4, load_u32(x->data.data + x->at[i])};
}

static nrw_status keep(kept *x, span value, nrw_error *err)
{
    uint32_t len = (uint32_t)value.len;

    if (!x->all || x->n == KEPT || (x->n && x->data.len + 4 + value.len > KEPT_BYTES)) {
        x->all = false;
        return NRW_OK;
    }
    x->at[x->n++] = (uint32_t)x->data.len;
    TRY(bytes_append(&x->data, &len, sizeof len, err));
    return bytes_append(&x->data, value.data, value.len, err);
}

static void keep_none(kept *x)
{
    x->data.len = 0;
    x->n = 0;
    x->all = true;
}

static int compare(const type *t, span x, span y)
{
    int c = value_compare(t, x, y);

    return c ? c : span_compare(x, y);
}

typedef struct sorting {
    const kept *x;
    const type *t;
} sorting;

static int by_value(const void *a, const void *b, void *context)
{
    const sorting *s = context;
    const uint8_t *data = s->x->data.data, *x = data + *(const uint32_t *)a,
                  *y = data + *(const uint32_t *)b;

    return compare(s->t, (span){x + 4, load_u32(x)}, (span){y + 4, load_u32(y)});
}

static void sort_kept(kept *x, const type *t)
{
    qsort_r(x->at, x->n, sizeof *x->at, by_value, &(sorting){x, t});
}

/* The next value in the range; NRW_END: there is none. `room` may have it. */
static nrw_status next_value(const range *g, rank_walk *w, uint8_t *room, span *out, nrw_error *err)
{
    const ranking *r = g->r;
    const type *t = r->t;

    do {
        if (w->at == w->end) {
            nrw_status st = rank_walk_next(&r->from, w, err);
            if (st != NRW_OK)
                return st;
        }
        *out = gather_span(w->at, type_is_view(t) ? 0 : t->width);
        w->at = out->data + out->len;
        if (r->centre) {
            rank_distance(t, out->data, r->centre, room);
            out->data = room;
        }
    } while ((g->has_low && compare(t, *out, (span){g->low.data, g->low.len}) <= 0) ||
             (g->has_high && compare(t, *out, (span){g->high.data, g->high.len}) >= 0));
    return NRW_OK;
}

/* All of the range if they fit, else every so many-th, in order. */
static nrw_status sample(const range *g, kept *x, nrw_error *err)
{
    const uint64_t stride = g->n <= KEPT ? 1 : g->n / SAMPLE;
    uint8_t room[WIDE];
    rank_walk w = {0};
    uint64_t i = 0;
    span value;
    nrw_status st;

    keep_none(x);
    while ((st = next_value(g, &w, room, &value, err)) == NRW_OK)
        if (i++ % stride == 0)
            TRY(keep(x, value, err));
    x->all &= stride == 1;
    sort_kept(x, g->r->t);
    return st < 0 ? st : NRW_OK;
}

typedef struct counts {
    uint64_t less, low, between, high;
} counts;

/* How many values of the range are less than pivots[0], equal to it, between both, equal to the
 * other one; those between are kept. */
static nrw_status divide(const range *g, const span *pivots, counts *n, kept *x, nrw_error *err)
{
    uint8_t room[WIDE];
    rank_walk w = {0};
    span value;
    nrw_status st;

    *n = (counts){0};
    keep_none(x);
    while ((st = next_value(g, &w, room, &value, err)) == NRW_OK) {
        int c = compare(g->r->t, value, pivots[0]);
        if (c <= 0) {
            n->less += c < 0;
            n->low += c == 0;
            continue;
        }
        c = compare(g->r->t, value, pivots[1]);
        n->high += c == 0;
        n->between += c < 0;
        if (c < 0)
            TRY(keep(x, value, err));
    }
    return st < 0 ? st : NRW_OK;
}

static nrw_status put(bytes *to, span value, nrw_error *err)
{
    to->len = 0;
    return bytes_append(to, value.data, value.len, err);
}

/* The range becomes that part of it which the value at k is in, or is found: *found. */
static nrw_status narrow(range *g, uint64_t k, const span *pivots, const counts *n, kept *x,
                         span *found, nrw_error *err)
{
    uint64_t at = k - g->before;

    if (at < n->less) {
        g->has_high = true;
        g->n = n->less;
        return put(&g->high, pivots[0], err);
    }
    at -= n->less;
    if (at < n->low) {
        *found = pivots[0];
        return NRW_OK;
    }
    at -= n->low;
    if (at < n->between && x->all) {
        sort_kept(x, g->r->t);
        *found = kept_at(x, (uint32_t)at);
        return NRW_OK;
    }
    if (at >= n->between && at - n->between < n->high) {
        *found = pivots[1];
        return NRW_OK;
    }
    if (at < n->between) {
        g->has_high = true;
        TRY(put(&g->high, pivots[1], err));
    }
    g->before += n->less + n->low;
    g->n -= n->less + n->low;
    if (at >= n->between) {
        g->before += n->between + n->high;
        g->n -= n->between + n->high;
    } else {
        g->n = n->between;
    }
    g->has_low = true;
    return put(&g->low, pivots[at < n->between ? 0 : 1], err);
}

/* Copies, since what is kept makes room for others. */
static nrw_status take_pivots(const range *g, uint64_t k, const kept *x, bytes *out, span *pivots,
                              nrw_error *err)
{
    double place = (double)(k - g->before) / (double)g->n * x->n, off = 2 * sqrt(x->n);
    uint32_t low = place > off ? (uint32_t)(place - off) : 0;
    uint32_t high = place + off < x->n ? (uint32_t)(place + off) : x->n - 1;
    span p = kept_at(x, low), q = kept_at(x, high);

    TRY(put(out, p, err));
    TRY(bytes_append(out, q.data, q.len, err));
    pivots[0] = (span){out->data, p.len};
    pivots[1] = (span){out->data + p.len, q.len};
    return NRW_OK;
}

static nrw_status find(range *g, uint64_t k, kept *x, bytes *two, bytes *out, nrw_error *err)
{
    span pivots[2], found = {0};
    counts n;

    while (!found.data) {
        TRY(sample(g, x, err));
        if (x->all) {
            found = kept_at(x, (uint32_t)(k - g->before));
            break;
        }
        TRY(take_pivots(g, k, x, two, pivots, err));
        TRY(divide(g, pivots, &n, x, err));
        TRY(narrow(g, k, pivots, &n, x, &found, err));
    }
    return bytes_append(out, found.data, found.len, err);
}

nrw_status rank_any(const ranking *r, uint64_t k, bytes *out, nrw_error *err)
{
    const bytes none = bytes_init(r->m, UINT32_MAX);
    range g = {.r = r, .low = none, .high = none, .n = r->from.n};
    kept x = {.data = none};
    bytes two = none;
    nrw_status st;

    TRY(mem_alloc(r->m, KEPT * sizeof *x.at, (void **)&x.at, err));
    st = find(&g, k, &x, &two, out, err);
    mem_free(r->m, x.at, KEPT * sizeof *x.at);
    bytes_release(&x.data);
    bytes_release(&two);
    bytes_release(&g.low);
    bytes_release(&g.high);
    return st;
}
