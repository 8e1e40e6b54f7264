#include "exec/group_taking.h"
#include "exec/hash_rows.h"

bool group_room_to_hang(const group_taking *t)
{
    uint64_t hangs = (uint64_t)t->rows * t->o->hang;

    return !hangs || group_fair_room(t->o) > hangs;
}

/* What hangs from states lies beside the tables: where there is no room for it, they go to the
 * spill file. */
static nrw_status make_room_to_hang(group_taking *t, nrw_error *err)
{
    if (t->w->table.n == 0 || group_room_to_hang(t))
        return NRW_OK;
    return group_send_away(t->o, t->w, t->b, err);
}

/* Room for what comes; a table that has none goes to the spill file. */
static nrw_status make_room(group_taking *t, uint64_t groups, uint64_t bytes, nrw_error *err)
{
    group_worker *w = t->w;

    TRY(make_room_to_hang(t, err));
    if (w->table.n == 0 || group_table_growth(&w->table, groups, bytes) <= group_room(t->o, w))
        return NRW_OK;
    return group_send_away(t->o, w, t->b, err);
}

/* The key of rows[0..n) in the scratch, as rows of shape->keys or shape->layout. */
static nrw_status encode(group_taking *t, const row_layout *l, const vector *const *keys,
                         uint32_t n, uint8_t **out, nrw_error *err)
{
    rows_clear(&t->w->scratch);
    if (t->hashes && n == t->rows)
        for (uint32_t i = 0; i < n; i++)
            t->numbers[i] = t->hashes[t->sel[i]];
    for (uint32_t c = 0; c < l->n && (!t->hashes || n < t->rows); c++)
        hash_vector(keys[c], n, c > 0, t->numbers);
    if (l->n == 0)
        memset(t->numbers, 0, n * sizeof *t->numbers);
    return rows_add(&t->w->scratch, l, keys, n, t->numbers, t->b->m, out, err);
}

/* Each row is a group, but for those of one key that follow each other. */
static nrw_status find_none(group_taking *t, const vector *const *keys, nrw_error *err)
{
    const row_layout *l = &t->o->shape.layout;

    t->passing = true;
    TRY(encode(t, l, keys, t->rows, t->states, err));
    for (uint32_t i = 1; i < t->rows; i++)
        if (row_hash(t->states[i]) == row_hash(t->states[i - 1]) &&
            span_equal(row_values(l, t->states[i]), row_values(l, t->states[i - 1])))
            t->states[i] = t->states[i - 1];
    return NRW_OK;
}

/* *found: of how many rows; the next one's group has no room beside the others. */
static nrw_status find_each(group_taking *t, const vector *const *keys, uint32_t *found,
                            nrw_error *err)
{
    TRY(encode(t, &t->o->shape.keys, keys, t->rows, t->states, err));
    TRY(make_room_to_hang(t, err));
    return group_table_find_all(&t->w->table, t->states, t->rows, group_room(t->o, t->w), found,
                                err);
}

/* Keys of few values a batch: each column as small codes. */
uint32_t group_codes(const vector *v)
{
    return v->form == VECTOR_DICT   ? v->dict->values.len + 1
           : v->form == VECTOR_RUNS ? v->n_runs
                                    : UINT32_MAX;
}

/* Codes of a key's values, `times` apart, put on top of the codes of the keys before it. */
static void add_codes(const vector *v, uint32_t rows, uint32_t times, uint32_t *codes)
{
    const uint32_t *x = (const uint32_t *)(const void *)v->data;

    if (v->form == VECTOR_RUNS) {
        for (uint32_t run = 0, i = 0; run < v->n_runs; run++)
            for (uint32_t add = run * times; i < x[run]; i++)
                codes[i] += add;
    } else if (v->validity) {
        for (uint32_t i = 0; i < rows; i++)
            codes[i] += (vector_is_valid(v, i) ? x[i] : v->dict->values.len) * times;
    } else {
        for (uint32_t i = 0; i < rows; i++)
            codes[i] += x[i] * times;
    }
}

static void count_rows(const uint32_t *codes, uint32_t rows, uint32_t n, uint32_t *out)
{
    uint32_t odd[AGGREGATE_FEW], i; /* so that rows of one group do not wait for each other */

    memset(out, 0, n * sizeof *out);
    memset(odd, 0, n * sizeof *odd);
    for (i = 0; i + 1 < rows; i += 2) {
        out[codes[i]]++;
        odd[codes[i + 1]]++;
    }
    if (i < rows)
        out[codes[i]]++;
    for (uint32_t k = 0; k < n; k++)
        out[k] += odd[k];
}

/* One look-up for each combination that comes: the first row that has it is encoded. */
static nrw_status find_by_code(group_taking *t, const vector *const *keys, uint32_t n_codes,
                               nrw_error *err)
{
    mem *m = t->b->m;
    uint32_t n_keys = t->o->spec.n_keys, *codes = t->codes, *firsts, n = 0, times = 1;
    uint16_t *sel;
    uint8_t **found;
    vector *few;
    const vector **at;
    size_t first_bytes = n_codes * sizeof *firsts;
    size_t few_bytes = n_keys * (sizeof *few + sizeof *at);
    size_t sel_bytes = n_codes * (sizeof *found + sizeof *sel);
    nrw_status st;

    TRY(mem_zalloc(m, first_bytes + few_bytes + sel_bytes, (void **)&few, err));
    at = (const vector **)(void *)(few + n_keys);
    found = (uint8_t **)(void *)(at + n_keys);
    firsts = (uint32_t *)(void *)(found + n_codes);
    sel = (uint16_t *)(void *)(firsts + n_codes);
    memset(codes, 0, t->rows * sizeof *codes);
    for (uint32_t c = 0; c < n_keys; times *= group_codes(keys[c++]))
        add_codes(keys[c], t->rows, times, codes);
    for (uint32_t i = 0; i < t->rows; i++) {
        uint32_t *first = &firsts[codes[i]];
        if (!*first) {
            sel[n++] = (uint16_t)i;
            *first = n;
        }
        codes[i] = *first - 1;
    }
    for (uint32_t c = 0; c < n_keys; c++) {
        TRY_OUT(vector_take(keys[c], sel, n, m, &few[c], err));
        at[c] = &few[c];
    }
    TRY_OUT(encode(t, &t->o->shape.keys, at, n, found, err));
    TRY_OUT(make_room(t, n, t->w->scratch.bytes, err));
    for (uint32_t i = 0; i < n; i++)
        TRY_OUT(group_table_find(&t->w->table, found[i], &found[i], err));
    if (n <= AGGREGATE_FEW) {
        memcpy(t->few, found, n * sizeof *found);
        t->n_few = n;
        count_rows(codes, t->rows, n, t->few_rows);
    }
    for (uint32_t i = 0; !t->n_few && i < t->rows; i++)
        t->states[i] = found[codes[i]];
    st = NRW_OK;
out:
    for (uint32_t c = 0; c < n_keys; c++)
        vector_release(&few[c]);
    mem_free(m, few, first_bytes + few_bytes + sel_bytes);
    return st;
}

static nrw_status find_by_keys(group_taking *t, const vector *const *keys, uint32_t *found,
                               nrw_error *err)
{
    uint64_t n_codes = 1;

    if (t->o->spec.marks && !t->w->mixed) {
        bool rise;
        TRY(group_find_runs(t, keys, &rise, err));
        if (rise)
            return NRW_OK;
    }
    for (uint32_t c = 0; c < t->o->spec.n_keys && n_codes <= t->rows; c++)
        n_codes *= group_codes(keys[c]);
    if (n_codes <= t->rows / 2)
        return find_by_code(t, keys, (uint32_t)n_codes, err);
    if (t->w->passing)
        return find_none(t, keys, err);
    return find_each(t, keys, found, err);
}

/* Without keys all rows are one group. */
static nrw_status find_one(group_taking *t, nrw_error *err)
{
    if (!t->w->lone) {
        TRY(encode(t, &t->o->shape.keys, NULL, 1, t->states, err));
        TRY(group_table_find(&t->w->table, t->states[0], &t->w->one, err));
        t->w->lone = true;
    }
    t->states[0] = t->w->one;
    return NRW_OK;
}

nrw_status group_find(group_taking *t, const vector *const *keys, uint32_t *found, nrw_error *err)
{
    *found = t->rows;
    return t->o->spec.n_keys == 0 ? find_one(t, err) : find_by_keys(t, keys, found, err);
}
