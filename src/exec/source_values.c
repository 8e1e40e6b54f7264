#include "exec/source_values.h"

#include "exec/dense.h"

#define VALUES_ROWS 1024u
#define RANGE_ROWS  8192u

typedef struct values {
    source base;
    const expr *const *exprs;
    uint32_t n;
    uint64_t n_rows, morsel;
} values;

static nrw_status values_next(source *s, batch *b, nrw_error *err)
{
    values *v = (values *)s;

    (void)err;
    if (v->morsel * VALUES_ROWS >= v->n_rows)
        return NRW_END;
    b->morsel = v->morsel++;
    return NRW_OK;
}

static nrw_status column_of(const values *v, uint32_t c, uint64_t from, uint32_t n, mem *m,
                            vector *out, nrw_error *err)
{
    vector *parts;
    uint32_t i = 0;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(m, n * sizeof *parts, (void **)&parts, err));
    for (; st >= 0 && i < n; i++)
        st = expr_eval(v->exprs[(from + i) * v->n + c], NULL, 1, m, &parts[i], err);
    if (st >= 0)
        st = vector_concat(parts, n, m, out, err);
    for (uint32_t k = 0; k < n; k++)
        vector_release(&parts[k]);
    mem_free(m, parts, n * sizeof *parts);
    return st;
}

static nrw_status values_fill(source *s, batch *b, nrw_error *err)
{
    values *v = (values *)s;
    uint64_t from = b->source_number * VALUES_ROWS, left = v->n_rows - from;

    b->rows = left < VALUES_ROWS ? (uint32_t)left : VALUES_ROWS;
    b->last = true;
    for (uint32_t c = 0; c < v->n; c++) {
        vector column = {0};
        TRY(column_of(v, c, from, b->rows, b->m, &column, err));
        TRY(dense_put(b, c, &column, err));
    }
    return NRW_OK;
}

static const source_class values_class = {"values", values_next, values_fill, NULL,
                                          NULL,     NULL,        NULL};

nrw_status source_values_new(arena *a, const expr *const *exprs, uint32_t n, uint64_t n_rows,
                             source **out, nrw_error *err)
{
    values *v;

    TRY(arena_alloc(a, sizeof *v, (void **)&v, err));
    *v = (values){{&values_class, n, false}, exprs, n, n_rows, 0};
    *out = &v->base;
    return NRW_OK;
}

/* ---- range ---- */

typedef struct range {
    source base;
    int64_t from, step;
    uint64_t n, morsel;
} range;

static nrw_status range_next(source *s, batch *b, nrw_error *err)
{
    range *r = (range *)s;

    (void)err;
    if (r->morsel * RANGE_ROWS >= r->n)
        return NRW_END;
    b->morsel = r->morsel++;
    return NRW_OK;
}

static nrw_status range_fill(source *s, batch *b, nrw_error *err)
{
    range *r = (range *)s;
    uint64_t first = b->source_number * RANGE_ROWS, left = r->n - first;
    const type bigint = type_of(TYPE_INT64);
    vector v;

    b->rows = left < RANGE_ROWS ? (uint32_t)left : RANGE_ROWS;
    b->last = true;
    TRY(vector_flat(b->m, &bigint, b->rows, &v, err));
    v.len = b->rows;
    for (uint32_t i = 0; i < b->rows; i++)
        ((int64_t *)(void *)v.data)[i] =
            (int64_t)((uint64_t)r->from + (first + i) * (uint64_t)r->step);
    return dense_put(b, 0, &v, err);
}

static const source_class range_class = {"range", range_next, range_fill, NULL, NULL, NULL, NULL};

nrw_status source_range_new(arena *a, int64_t from, int64_t to, int64_t step, source **out,
                            nrw_error *err)
{
    uint64_t n = 0, size = step > 0 ? (uint64_t)step : -(uint64_t)step;
    range *r;

    if (step > 0 && from < to)
        n = ((uint64_t)to - (uint64_t)from - 1) / size + 1;
    if (step < 0 && from > to)
        n = ((uint64_t)from - (uint64_t)to - 1) / size + 1;
    TRY(arena_alloc(a, sizeof *r, (void **)&r, err));
    *r = (range){{&range_class, 1, false}, from, step, n, 0};
    *out = &r->base;
    return NRW_OK;
}
