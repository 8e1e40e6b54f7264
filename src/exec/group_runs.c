/* Groups of a key that rises: rows of one key follow each other, so no table is needed. Where the
 * first rows of the runs are is seen column by column, and only these become rows of a group. */
#include "exec/group_taking.h"

/* ---- where runs begin ---- */

static bool differs(const vector *v, uint32_t i, uint32_t k)
{
    bool null_i, null_k;
    span x = vector_value(v, i, &null_i), y = vector_value(v, k, &null_k);

    return null_i != null_k || (!null_i && !span_equal(x, y));
}

static void starts_by_value(const vector *v, uint32_t n, uint8_t *starts)
{
    for (uint32_t i = 1; i < n; i++)
        if (!starts[i])
            starts[i] = differs(v, i, i - 1);
}

#define STARTS_BY(ctype)                                                                           \
    do {                                                                                           \
        const ctype *x = (const ctype *)(const void *)v->data;                                     \
        for (uint32_t i = 1; i < n; i++)                                                           \
            starts[i] |= x[i] != x[i - 1];                                                         \
    } while (0)

#define STARTS_BY_ENTRY(ctype)                                                                     \
    do {                                                                                           \
        const ctype *e = (const ctype *)(const void *)v->dict->values.data;                        \
        for (uint32_t i = 1; i < n; i++)                                                           \
            starts[i] |= e[x[i]] != e[x[i - 1]];                                                   \
    } while (0)

/* Entries of a dictionary may be equal. */
static void starts_by_code(const vector *v, uint32_t n, uint8_t *starts)
{
    const uint32_t *x = (const uint32_t *)(const void *)v->data;

    if (v->dict->distinct)
        STARTS_BY(uint32_t);
    else if (v->type.width == 8)
        STARTS_BY_ENTRY(uint64_t);
    else if (v->type.width == 4)
        STARTS_BY_ENTRY(uint32_t);
    else
        starts_by_value(v, n, starts);
}

/* starts[i] becomes 1 where row i is distinct from the one before. */
static void mark_starts(const vector *v, uint32_t n, uint8_t *starts)
{
    if (v->form == VECTOR_RUNS) {
        const uint32_t *ends = (const uint32_t *)(const void *)v->data;
        for (uint32_t r = 0; r + 1 < v->n_runs; r++)
            if (!starts[ends[r]])
                starts[ends[r]] = differs(v->values, r, r + 1);
    } else if (v->form == VECTOR_DICT && !v->validity) {
        starts_by_code(v, n, starts);
    } else if (v->form == VECTOR_FLAT && !v->validity && v->type.width == 8) {
        STARTS_BY(uint64_t);
    } else if (v->form == VECTOR_FLAT && !v->validity && v->type.width == 4) {
        STARTS_BY(uint32_t);
    } else {
        starts_by_value(v, n, starts);
    }
}

static uint32_t find_starts(const vector *const *keys, uint32_t n_keys, uint32_t n, uint8_t *starts,
                            uint16_t *sel)
{
    uint32_t found = 0;

    memset(starts, 0, n);
    starts[0] = 1;
    for (uint32_t c = 0; c < n_keys; c++)
        mark_starts(keys[c], n, starts);
    for (uint32_t i = 0; i < n; i++) {
        sel[found] = (uint16_t)i;
        found += starts[i];
    }
    return found;
}

/* ---- runs to groups ---- */

static inline int key_order(const op_group *o, bool number, const uint8_t *x, const uint8_t *y)
{
    uint32_t at = o->shape.layout.at[o->spec.marked_key];
    int64_t a, b;

    if (!number)
        return group_key_order(o, x, y);
    a = (int64_t)load_u64(x + at);
    b = (int64_t)load_u64(y + at);
    return o->spec.marks->descending ? (b > a) - (b < a) : (a > b) - (a < b);
}

/* Which row each run's states lie in: its own, the one of the run before the null, or the null's;
 * others are gone, and all new ones are where the key falls: false. */
static bool settle_runs(op_group *o, group_worker *w, uint8_t **row, uint32_t n)
{
    uint8_t *first = w->first_run, *last = w->last_run, *null = w->aside[GROUP_NULL];
    bool rise = true, number = o->spec.marks->type.id == TYPE_INT64; /* which it is, mostly */

    for (uint32_t j = 0; rise && j < n; j++) {
        if (group_key_is_null(o, row[j])) {
            group_go(row[j]);
            null = null ? null : row[j];
            row[j] = null;
            continue;
        }
        int order = last ? key_order(o, number, last, row[j]) : -1;
        if (order == 0 && group_same_key(o, last, row[j])) {
            group_go(row[j]);
            row[j] = last;
        } else if (order < 0) {
            first = first ? first : row[j];
            last = row[j];
        } else {
            rise = false;
        }
    }
    if (!rise)
        return false;
    w->first_run = first;
    w->last_run = last;
    w->aside[GROUP_NULL] = null;
    return true;
}

static nrw_status make_room(group_taking *t, const vector *const *keys, uint32_t n, nrw_error *err)
{
    op_group *o = t->o;
    uint64_t bytes = (uint64_t)n * o->shape.layout.fixed;

    for (uint32_t c = 0; c < o->spec.n_keys; c++)
        if (type_is_view(&keys[c]->type))
            bytes += vector_bytes(keys[c]) + 8 * (uint64_t)n;
    if (t->w->runs.n && (bytes > group_room(o, t->w) || !group_room_to_hang(t)))
        return group_send_away(o, t->w, t->b, err);
    return NRW_OK;
}

/* Row sel[j] of the keys as a row of the layout, at row[j]. */
static nrw_status add_rows(group_taking *t, const vector *const *keys, const uint16_t *sel,
                           uint32_t n, uint8_t **row, nrw_error *err)
{
    mem *m = t->b->m;
    uint32_t n_keys = t->o->spec.n_keys;
    size_t bytes = n_keys * (sizeof(vector) + sizeof(vector *));
    vector *few;
    const vector **at;
    nrw_status st;

    TRY(mem_zalloc(m, bytes, (void **)&few, err));
    at = (const vector **)(void *)(few + n_keys);
    for (uint32_t c = 0; c < n_keys; c++) {
        TRY_OUT(vector_take(keys[c], sel, n, m, &few[c], err));
        at[c] = &few[c];
    }
    TRY_OUT(make_room(t, at, n, err));
    st = rows_add(&t->w->runs, &t->o->shape.layout, at, n, NULL, m, row, err);
out:
    for (uint32_t c = 0; c < n_keys; c++)
        vector_release(&few[c]);
    mem_free(m, few, bytes);
    return st;
}

nrw_status group_find_runs(group_taking *t, const vector *const *keys, bool *rise, nrw_error *err)
{
    op_group *o = t->o;
    group_worker *w = t->w;
    uint16_t *sel = (uint16_t *)(void *)t->numbers;
    uint32_t n = find_starts(keys, o->spec.n_keys, t->rows, (uint8_t *)(void *)t->codes, sel);

    TRY(mem_alloc(t->b->m, n * sizeof *t->runs, (void **)&t->runs, err));
    t->n_runs = n;
    TRY(add_rows(t, keys, sel, n, t->runs, err));
    *rise = settle_runs(o, w, t->runs, n);
    if (*rise) {
        t->ends = t->codes;
        for (uint32_t k = 0; k < n; k++)
            t->ends[k] = k + 1 < n ? sel[k + 1] : t->rows;
        return NRW_OK;
    }
    for (uint32_t k = 0; k < n; k++)
        if (t->runs[k] != w->last_run) /* of rows before these */
            group_go(t->runs[k]);
    group_runs_free(t);
    w->mixed = true;
    atomic_store_explicit(&o->mixed_hint, w->stretch + 1, memory_order_relaxed);
    return NRW_OK;
}

void group_runs_free(group_taking *t)
{
    mem_free(t->b->m, t->runs, t->n_runs * sizeof *t->runs);
    t->runs = NULL;
    t->n_runs = 0;
}

void group_runs_spread(group_taking *t)
{
    uint32_t i = 0;

    for (uint32_t k = 0; !t->spread && k < t->n_runs; k++)
        for (; i < t->ends[k]; i++)
            t->states[i] = t->runs[k];
    t->spread = true;
}
