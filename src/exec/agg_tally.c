/* How often each value comes: mode(x), entropy(x), histogram(x). States are sets of the values,
 * with each one how many rows have it, which came first, and, where a key has lost how a value is
 * spelt, that row's value itself. */
#include "column/compare.h"
#include "column/key.h"
#include "exec/agg_gather.h"
#include "exec/agg_set.h"

#include <math.h>
#include <stdlib.h>

#define FIRST 8u  /* where the ordinal is, behind how many there are */
#define VALUE 16u /* and the value */

static nrw_status tally_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(agg_any(a, &args[0], err));
    if (type_is_nested(&args[0]->type))
        return agg_refuse(out, "of nested values is not supported", NULL, err);
    out->state_bytes = sizeof(agg_set *);
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

/* ---- sets ---- */

static void join_rows(const agg_set_kind *k, uint8_t *into, const uint8_t *from)
{
    store_u64(into, load_u64(into) + load_u64(from));
    if (load_u64(from + FIRST) < load_u64(into + FIRST))
        memcpy(into + FIRST, from + FIRST, k->extra - FIRST);
}

static const type *type_in(const aggregate *g)
{
    return &g->args[0]->type;
}

static agg_set_kind kind_of(const aggregate *g)
{
    return (agg_set_kind){.extra = VALUE + (key_is_plain(type_in(g)) ? 0 : type_in(g)->width),
                          .key = agg_set_key_of(type_in(g)),
                          .counted = true,
                          .spelt = key_is_plain(type_in(g)) ? NULL : type_in(g),
                          .join = join_rows};
}

static uint64_t rows_of(const agg_entry *e)
{
    return load_u64(e->extra);
}

/* The value, of its first row. */
static gathered value_in(const aggregate *g, const agg_entry *e)
{
    gathered v = {load_u64(e->extra + FIRST), e->extra + VALUE, type_in(g)->width, false};

    if (key_is_plain(type_in(g))) { /* behind the mark, and the length of a text */
        const uint32_t head = type_is_view(type_in(g)) ? 5 : 1;
        v.data = e->key.data + head;
        v.len = (uint32_t)e->key.len - head;
    }
    return v;
}

/* One row more of a value. */
static void count_row(const agg_set_kind *k, const aggregate_rows *r, const vector *args,
                      uint32_t row, uint8_t *extra)
{
    uint64_t n = load_u64(extra), ordinal = r->ordinals ? r->ordinals[row] : 0;
    bool null;

    store_u64(extra, n + 1);
    if (n && ordinal >= load_u64(extra + FIRST))
        return;
    store_u64(extra + FIRST, ordinal);
    if (k->extra > VALUE)
        memcpy(extra + VALUE, vector_value(&args[0], row, &null).data, k->extra - VALUE);
}

static nrw_status tally_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    const agg_set_kind k = kind_of(g);

    return agg_set_add(g, &k, r, false, count_row, err);
}

static nrw_status tally_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                              nrw_error *err)
{
    const agg_set_kind k = kind_of(g);

    return agg_set_merge(&k, agg_set_of(into), agg_set_of(from), m, err);
}

static nrw_status tally_save(const aggregate *g, uint8_t *state, size_t most, bytes *out,
                             bool *more, nrw_error *err)
{
    const agg_set_kind k = kind_of(g);

    return agg_set_save(&k, *agg_set_of(state), most, out, more, err);
}

static nrw_status tally_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err)
{
    const agg_set_kind k = kind_of(g);

    return agg_set_load(&k, saved, agg_set_of(state), m, err);
}

/* ---- mode ---- */

/* The value of most rows so far; of several the one that came first. */
typedef struct favourite {
    const aggregate *g;
    agg_set_kind k;
    uint64_t rows;
    gathered value;
    bytes copy; /* its bytes, where they would go */
} favourite;

static bool see_values(favourite *f, const agg_set *s)
{
    bool better = false;
    size_t at = 0;
    agg_entry e;

    while (agg_set_next(&f->k, s, &at, &e)) {
        const gathered v = value_in(f->g, &e);
        if (rows_of(&e) < f->rows || (rows_of(&e) == f->rows && v.ordinal >= f->value.ordinal))
            continue;
        f->rows = rows_of(&e);
        f->value = v;
        better = true;
    }
    return better;
}

static nrw_status mode_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                              nrw_error *err)
{
    gathered *modes;
    nrw_status st;

    TRY(mem_alloc(out->m, n * sizeof *modes, (void **)&modes, err));
    for (uint32_t i = 0; i < n; i++) {
        favourite f = {.g = g, .k = kind_of(g), .value.null = true};
        see_values(&f, agg_set_in(states[i]));
        modes[i] = f.value;
    }
    st = gather_column(modes, n, out, err);
    mem_free(out->m, modes, n * sizeof *modes);
    return st;
}

static nrw_status see_part(void *self, const agg_set *s, nrw_error *err)
{
    favourite *f = self;

    if (!see_values(f, s))
        return NRW_OK;
    f->copy.len = 0;
    TRY(bytes_append(&f->copy, f->value.data, f->value.len, err));
    f->value.data = f->copy.data;
    return NRW_OK;
}

static nrw_status mode_finish_saved(const aggregate *g, agg_saved *saved, vector *out,
                                    nrw_error *err)
{
    favourite f = {
        .g = g, .k = kind_of(g), .value.null = true, .copy = bytes_init(out->m, UINT32_MAX)};
    nrw_status st = agg_set_deal(&f.k, saved, see_part, &f, err);

    if (st >= 0)
        st = gather_column(&f.value, 1, out, err);
    bytes_release(&f.copy);
    return st;
}

/* ---- entropy ---- */

typedef struct bits_sum {
    agg_set_kind k;
    uint64_t rows;
    float_sum sum;
} bits_sum;

static nrw_status add_bits(void *self, const agg_set *s, nrw_error *err)
{
    bits_sum *b = self;
    size_t at = 0;
    agg_entry e;

    (void)err;
    while (agg_set_next(&b->k, s, &at, &e)) {
        double n = (double)rows_of(&e), all = (double)b->rows;
        float_sum_add(&b->sum, n / all * log2(all / n));
    }
    return NRW_OK;
}

static nrw_status entropy_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                 vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        const agg_set *s = agg_set_in(states[i]);
        bits_sum b = {.k = kind_of(g)};
        size_t at = 0;
        agg_entry e;
        while (agg_set_next(&b.k, s, &at, &e))
            b.rows += rows_of(&e);
        TRY(add_bits(&b, s, err));
        ((double *)(void *)out->data)[i] = float_sum_value(&b.sum);
    }
    return NRW_OK;
}

static nrw_status count_saved(bits_sum *b, agg_saved *saved, nrw_error *err)
{
    agg_set_reader r = agg_set_reader_of(&b->k, saved->m);
    nrw_status st;
    span piece;
    agg_entry e;

    while ((st = saved->next(saved, &piece, err)) == NRW_OK) {
        agg_set_reader_begin(&r, piece);
        while ((st = agg_set_reader_next(&r, &e, err)) == NRW_OK)
            b->rows += rows_of(&e);
        if (st < 0)
            break;
    }
    agg_set_reader_free(&r);
    return st < 0 ? st : NRW_OK;
}

static nrw_status entropy_finish_saved(const aggregate *g, agg_saved *saved, vector *out,
                                       nrw_error *err)
{
    bits_sum b = {.k = kind_of(g)};

    TRY(count_saved(&b, saved, err));
    TRY(agg_set_deal(&b.k, saved, add_bits, &b, err));
    ((double *)(void *)out->data)[0] = float_sum_value(&b.sum);
    return NRW_OK;
}

/* ---- histogram ---- */

typedef struct tally {
    gathered value;
    uint64_t n;
} tally;

typedef struct histogram {
    gathered *keys; /* of all states, one behind the other */
    uint64_t *counts;
    uint64_t n;
} histogram;

static int by_value(const void *a, const void *b, void *t)
{
    const tally *x = a, *y = b;
    int c = gather_by_value(&x->value, &y->value, t);

    return c ? c : (x->value.ordinal > y->value.ordinal) - (x->value.ordinal < y->value.ordinal);
}

/* A state's values in order behind those of h. */
static nrw_status add_values(const aggregate *g, const agg_set *s, mem *m, histogram *h,
                             nrw_error *err)
{
    const agg_set_kind k = kind_of(g);
    const uint32_t all = agg_set_n(s);
    uint32_t n = 0;
    size_t at = 0;
    agg_entry e;
    tally *t;

    TRY(mem_alloc(m, all * sizeof *t, (void **)&t, err));
    while (agg_set_next(&k, s, &at, &e))
        t[n++] = (tally){value_in(g, &e), rows_of(&e)};
    qsort_r(t, n, sizeof *t, by_value, (void *)(uintptr_t)type_in(g));
    for (uint32_t i = 0; i < n; i++, h->n++) {
        h->keys[h->n] = t[i].value;
        h->counts[h->n] = t[i].n;
    }
    mem_free(m, t, all * sizeof *t);
    return NRW_OK;
}

static nrw_status add_all(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                          histogram *h, nrw_error *err)
{
    uint32_t *offsets = (uint32_t *)(void *)out->data;

    offsets[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        TRY(add_values(g, agg_set_in(states[i]), out->m, h, err));
        offsets[i + 1] = (uint32_t)h->n;
        if (agg_set_n(agg_set_in(states[i])) == 0)
            bit_clear(out->validity, i);
    }
    return NRW_OK;
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
        most += agg_set_n(agg_set_in(states[i]));
    if (most > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "histograms of more than 2^31 values in one batch");
    bytes = most * (sizeof *h.keys + sizeof *h.counts);
    TRY(mem_alloc(out->m, bytes, (void **)&h.keys, err));
    h.counts = (uint64_t *)(void *)(h.keys + most);
    st = add_all(g, states, n, out, &h, err);
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

static uint64_t tally_bulk(const aggregate *g, const uint8_t *state)
{
    const agg_set *s = agg_set_in(state);

    (void)g;
    return agg_set_bytes(s) + agg_set_n(s) * (uint64_t)(2 * sizeof(tally) + sizeof(view));
}

#define TALLY(name, traits, bind, finish, bulk, finish_saved)                                      \
    {                                                                                              \
        name, 1, 1, traits, bind, tally_add, tally_merge, finish, agg_set_drop, tally_save,        \
            tally_load, bulk, finish_saved                                                         \
    }

static const aggregate_class classes[] = {
    TALLY(" mode ", AGG_ORDERED | AGG_COPIES, tally_bind, mode_finish, NULL, mode_finish_saved),
    TALLY(" entropy ", AGG_COPIES, entropy_bind, entropy_finish, NULL, entropy_finish_saved),
    TALLY(" histogram ", AGG_COPIES, histogram_bind, histogram_finish, tally_bulk, NULL),
};

const aggregate_table agg_tally_table = {classes, sizeof classes / sizeof *classes};
