/* Keys of few values a batch: dictionaries and runs. One look-up for each combination that comes,
 * and where those are many as well, one for each of the table (group_book.h). */
#include "exec/group_taking.h"

#define BOOK_FROM 1024u /* combinations */

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

/* The keys of rows sel[0..n) as rows of shape->keys, for which there is room in the table then. */
static nrw_status encode_some(group_taking *t, const vector *const *keys, const uint16_t *sel,
                              uint32_t n, uint8_t **rows, nrw_error *err)
{
    TRY(group_encode_some(t, keys, sel, n, rows, err));
    return group_make_room(t, n, t->w->scratch.bytes, err);
}

/* The first row that has a combination is encoded. */
static nrw_status find_each_code(group_taking *t, const vector *const *keys, uint32_t n_codes,
                                 nrw_error *err)
{
    mem *m = t->b->m;
    uint32_t n_keys = t->o->spec.n_keys, *codes = t->codes, *firsts, n = 0, times = 1;
    uint16_t *sel;
    uint8_t **found;
    size_t bytes = n_codes * (sizeof *found + sizeof *firsts + sizeof *sel);
    nrw_status st;

    TRY(mem_zalloc(m, bytes, (void **)&found, err));
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
    TRY_OUT(encode_some(t, keys, sel, n, found, err));
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
    mem_free(m, found, bytes);
    return st;
}

/* ---- with the book ---- */

static bool all_dict(const group_taking *t, const vector *const *keys)
{
    for (uint32_t c = 0; c < t->o->spec.n_keys; c++)
        if (keys[c]->form != VECTOR_DICT)
            return false;
    return true;
}

/* Rows whose groups the book does not have, the first of each combination. */
static uint32_t find_missing(const group_taking *t, uint16_t *sel)
{
    static uint8_t named; /* in place of a group that is about to be looked up */
    uint8_t **groups = t->w->book.groups;
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->rows; i++)
        if (!groups[t->codes[i]]) {
            groups[t->codes[i]] = &named;
            sel[n++] = (uint16_t)i;
        }
    for (uint32_t k = 0; k < n; k++)
        groups[t->codes[sel[k]]] = NULL;
    return n;
}

/* The groups of rows sel[0..n) into the book. *gone: the table had to go first, and so did the
 * book. */
static nrw_status add_missing(group_taking *t, const vector *const *keys, const uint16_t *sel,
                              uint32_t n, bool *gone, nrw_error *err)
{
    group_book *b = &t->w->book;
    const uint32_t times = b->times;
    mem *m = t->b->m;
    uint8_t **rows;
    nrw_status st;

    TRY(mem_alloc(m, n * sizeof *rows, (void **)&rows, err));
    TRY_OUT(encode_some(t, keys, sel, n, rows, err));
    *gone = b->times != times;
    for (uint32_t k = 0; !*gone && k < n; k++)
        TRY_OUT(group_table_find(&t->w->table, rows[k], &b->groups[t->codes[sel[k]]], err));
    st = NRW_OK;
out:
    mem_free(m, rows, n * sizeof *rows);
    return st;
}

/* t->codes are places in the book. */
static nrw_status find_places(group_taking *t, const vector *const *keys, nrw_error *err)
{
    uint16_t *sel;
    nrw_status st = NRW_OK;
    bool gone;

    TRY(mem_alloc(t->b->m, t->rows * sizeof *sel, (void **)&sel, err));
    do {
        uint32_t n = find_missing(t, sel);
        gone = false;
        if (n)
            st = add_missing(t, keys, sel, n, &gone, err);
    } while (st >= 0 && gone);
    for (uint32_t i = 0; st >= 0 && i < t->rows; i++)
        t->states[i] = t->w->book.groups[t->codes[i]];
    mem_free(t->b->m, sel, t->rows * sizeof *sel);
    return st;
}

nrw_status group_find_in_book(group_taking *t, const vector *const *keys, bool *found,
                              nrw_error *err)
{
    group_book *b = &t->w->book;
    nrw_error none = NRW_ERROR_INIT;

    *found = false;
    if (t->o->spec.marks || b->closed || !all_dict(t, keys))
        return NRW_OK;
    TRY(group_make_room_to_hang(t, err));
    if (group_book_places(b, keys, t->o->spec.n_keys, t->rows, t->codes, &none) < 0)
        b->closed = true; /* no room for it */
    *found = !b->closed;
    if (*found)
        return find_places(t, keys, err);
    group_book_free(b);
    return NRW_OK;
}

nrw_status group_find_few(group_taking *t, const vector *const *keys, uint32_t n_codes,
                          nrw_error *err)
{
    bool found = false;

    if (n_codes >= BOOK_FROM)
        TRY(group_find_in_book(t, keys, &found, err));
    return found ? NRW_OK : find_each_code(t, keys, n_codes, err);
}
