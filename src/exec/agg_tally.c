/* How often each value comes: mode(x), entropy(x), histogram(x). */
#include "exec/agg_gather.h"

#include <math.h>

/* A value, its first row and how many rows have it. */
typedef struct tally {
    gathered value;
    uint64_t n;
} tally;

static nrw_status tally_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(agg_any(a, &args[0], err));
    if (type_is_nested(&args[0]->type))
        return agg_refuse(out, "of nested values is not supported", NULL, err);
    out->state_bytes = sizeof(gather_state);
    out->result = args[0]->type;
    return NRW_OK;
}

static nrw_status entropy_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(tally_bind(a, args, out, err));
    out->result = type_of(TYPE_FLOAT64);
    return NRW_OK;
}

static nrw_status histogram_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    field *parts;

    TRY(tally_bind(a, args, out, err));
    TRY(arena_alloc(a, 2 * sizeof *parts, (void **)&parts, err));
    parts[0] = (field){.name = "key", .type = args[0]->type, .field_id = -1};
    parts[1] =
        (field){.name = "value", .type = type_of(TYPE_UINT64), .nullable = true, .field_id = -1};
    out->result = type_nested(TYPE_MAP, parts, 2);
    return NRW_OK;
}

static nrw_status tally_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    (void)g;
    return gather_add(r, false, err);
}

/* The values of a state in order, each once, into tallies[0..*n), which has room for all. */
static nrw_status count_values(const aggregate *g, const gather_state *s, mem *m, tally *tallies,
                               uint64_t *n, nrw_error *err)
{
    const type *t = &g->args[0]->type;
    gathered *at;
    nrw_status st;

    *n = 0;
    TRY(mem_alloc(m, s->n * sizeof *at, (void **)&at, err));
    st = gather_sorted(s, gather_by_value, t, m, at, err);
    for (uint64_t i = 0; st >= 0 && i < s->n; i++) {
        if (*n == 0 || gather_by_value(&tallies[*n - 1].value, &at[i], t) != 0)
            tallies[(*n)++] = (tally){at[i], 0};
        tallies[*n - 1].n++;
    }
    mem_free(m, at, s->n * sizeof *at);
    return st;
}

static gathered most_of(const tally *t, uint64_t n)
{
    uint64_t best = 0;

    if (n == 0)
        return (gathered){.null = true};
    for (uint64_t i = 1; i < n; i++)
        if (t[i].n > t[best].n ||
            (t[i].n == t[best].n && t[i].value.ordinal < t[best].value.ordinal))
            best = i;
    return t[best].value;
}

static double entropy_of(const tally *t, uint64_t n, uint64_t rows)
{
    double sum = 0;

    for (uint64_t i = 0; i < n; i++)
        sum += (double)t[i].n / (double)rows * log2((double)rows / (double)t[i].n);
    return sum;
}

typedef struct histogram {
    gathered *keys; /* of all states, one behind the other */
    uint64_t *counts;
    uint64_t n;
} histogram;

static nrw_status finish_each(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                              gathered *modes, histogram *h, nrw_error *err)
{
    uint32_t *offsets = (uint32_t *)(void *)out->data;
    nrw_status st = NRW_OK;

    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        const gather_state *s = gather_of(states[i]);
        tally *t;
        uint64_t found;
        TRY(mem_alloc(out->m, s->n * sizeof *t, (void **)&t, err));
        st = count_values(g, s, out->m, t, &found, err);
        if (st >= 0 && modes)
            modes[i] = most_of(t, found);
        else if (st >= 0 && !h)
            ((double *)(void *)out->data)[i] = entropy_of(t, found, s->n);
        for (uint64_t k = 0; st >= 0 && h && k < found; k++, h->n++) {
            h->keys[h->n] = t[k].value;
            h->counts[h->n] = t[k].n;
        }
        if (h) {
            offsets[i + 1] = (uint32_t)h->n;
            if (s->n == 0)
                bit_clear(out->validity, i);
        }
        mem_free(out->m, t, s->n * sizeof *t);
    }
    return st;
}

static nrw_status mode_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                              nrw_error *err)
{
    gathered *modes;
    nrw_status st;

    TRY(mem_alloc(out->m, n * sizeof *modes, (void **)&modes, err));
    st = finish_each(g, states, n, out, modes, NULL, err);
    if (st >= 0)
        st = gather_column(modes, n, out, err);
    mem_free(out->m, modes, n * sizeof *modes);
    return st;
}

static nrw_status entropy_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                 vector *out, nrw_error *err)
{
    return finish_each(g, states, n, out, NULL, NULL, err);
}

static nrw_status histogram_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                   vector *out, nrw_error *err)
{
    const field *parts = out->type.children;
    histogram h = {0};
    uint64_t most = 0;
    size_t bytes;
    nrw_status st;

    for (uint32_t i = 0; i < n; i++)
        most += gather_of(states[i])->n;
    if (most > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "histograms of more than 2^31 rows in one batch");
    bytes = most * (sizeof *h.keys + sizeof *h.counts);
    TRY(mem_alloc(out->m, bytes, (void **)&h.keys, err));
    h.counts = (uint64_t *)(void *)(h.keys + most);
    ((uint32_t *)(void *)out->data)[0] = 0;
    st = finish_each(g, states, n, out, NULL, &h, err);
    if (st >= 0)
        st = vector_flat(out->m, &parts[0].type, (uint32_t)h.n, &out->children[0], err);
    if (st >= 0)
        st = gather_column(h.keys, (uint32_t)h.n, &out->children[0], err);
    if (st >= 0)
        st = vector_flat(out->m, &parts[1].type, (uint32_t)h.n, &out->children[1], err);
    if (st >= 0) {
        memcpy(out->children[1].data, h.counts, h.n * sizeof *h.counts);
        out->children[1].len = (uint32_t)h.n;
    }
    mem_free(out->m, h.keys, bytes);
    return st;
}

#define TALLY(name, traits, bind, finish)                                                          \
    {                                                                                              \
        name, 1, 1, traits, bind, tally_add, gather_merge, finish, gather_drop, gather_save,       \
            gather_load, gather_bulk                                                               \
    }

static const aggregate_class classes[] = {
    TALLY(" mode ", AGG_ORDERED, tally_bind, mode_finish),
    TALLY(" entropy ", 0, entropy_bind, entropy_finish),
    TALLY(" histogram ", 0, histogram_bind, histogram_finish),
};

const aggregate_table agg_tally_table = {classes, sizeof classes / sizeof *classes};
