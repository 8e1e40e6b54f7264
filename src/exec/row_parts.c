#include "exec/row_parts.h"

#include "base/span.h"

/* Fewer are only tried where rows are large, which the next batch's may not be. */
#define PART_USUAL 256u
/* Part of the share that there is in any case, however much the columns take. */
#define LEAST_SHARE 8u

/* A part's columns: pointers, and vectors where it is not all rows. */
typedef struct part_columns {
    vector *own; /* n_used */
    const vector **at;
} part_columns;

static nrw_status slice(const row_parts *p, uint32_t first, uint32_t n, part_columns *c,
                        nrw_error *err)
{
    for (uint32_t i = 0; i < p->n_used; i++) {
        const uint32_t k = p->used[i];
        c->at[k] = n < p->rows ? &c->own[i] : p->columns[k];
        if (n < p->rows)
            TRY(vector_slice(p->columns[k], first, n, p->m, &c->own[i], err));
    }
    return NRW_OK;
}

static nrw_status make(const row_parts *p, uint32_t first, uint32_t n, part_columns *c,
                       nrw_error *err)
{
    nrw_status st = slice(p, first, n, c, err);

    if (st >= 0)
        st = p->make(p->self, c->at, first, n, err);
    for (uint32_t i = 0; i < p->n_used; i++)
        vector_release(&c->own[i]);
    return st;
}

static nrw_status make_within(const row_parts *p, uint32_t first, uint32_t n, part_columns *c,
                              nrw_error *err)
{
    nrw_status st;

    if (p->share)
        mem_set_limit(p->m, size_max(p->share, mem_used(p->m) + p->share / LEAST_SHARE));
    st = make(p, first, n, c, err);
    if (p->share)
        mem_set_limit(p->m, MEM_NO_LIMIT);
    return st;
}

/* As many of *n rows as there is room for within the share; one row may take more. */
static nrw_status make_some(const row_parts *p, uint32_t first, uint32_t *n, part_columns *c,
                            _Atomic uint32_t *most, nrw_error *err)
{
    for (; *n > 1; *n /= 2) {
        nrw_status st = make_within(p, first, *n, c, err);
        if (st != NRW_E_MEMLIMIT)
            return st;
        atomic_store_explicit(most, *n / 2, memory_order_relaxed);
    }
    return make(p, first, *n, c, err);
}

static nrw_status run(const row_parts *p, part_columns *c, _Atomic uint32_t *most, nrw_error *err)
{
    uint32_t n, fits;

    for (uint32_t first = 0; first < p->rows; first += n) {
        const uint32_t left = p->rows - first;
        fits = atomic_load_explicit(most, memory_order_relaxed);
        n = fits && fits < left ? fits : left;
        TRY(make_some(p, first, &n, c, most, err));
        if (p->give)
            TRY(p->give(p->self, first, n, err));
    }
    fits = atomic_load_explicit(most, memory_order_relaxed);
    if (fits && fits < PART_USUAL)
        atomic_store_explicit(most, 2 * fits, memory_order_relaxed);
    return NRW_OK;
}

nrw_status row_parts_run(const row_parts *p, _Atomic uint32_t *most, nrw_error *err)
{
    const size_t bytes = p->n_used * sizeof(vector) + p->n * sizeof(vector *) + 1;
    part_columns c;
    nrw_status st;

    TRY(mem_zalloc(p->m, bytes, (void **)&c.own, err));
    c.at = (const vector **)(void *)(c.own + p->n_used);
    st = run(p, &c, most, err);
    mem_free(p->m, c.own, bytes);
    return st;
}
