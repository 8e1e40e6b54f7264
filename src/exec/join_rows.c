#include "exec/join_own.h"

#include "exec/hash_rows.h"
#include "exec/join_room.h"

nrw_status join_rows_open(join_rows *r, mem *m, uint64_t limit, nrw_error *err)
{
    TRY(mem_child(m, "rows of a worker", limit, &r->m, err));
    r->rows.m = r->m;
    r->out = hash_out_of(r->m);
    return NRW_OK;
}

static uint64_t cap_for(const join_rows *r, uint32_t rows)
{
    return join_listed(r->cap, r->n + rows);
}

nrw_status join_rows_add(join_rows *r, const row_layout *l, const vector *const *cols, uint32_t n,
                         const uint64_t *hashes, mem *m, uint8_t ***out, nrw_error *err)
{
    uint64_t cap = cap_for(r, n);
    void *p = r->at;

    if (cap != r->cap) {
        TRY(mem_realloc(r->m, &p, r->cap * sizeof *r->at, cap * sizeof *r->at, err));
        r->at = p;
        r->cap = cap;
    }
    *out = r->at + r->n;
    TRY(rows_add(&r->rows, l, cols, n, hashes, m, *out, err));
    r->n += n;
    return NRW_OK;
}

uint64_t join_rows_need(const join_rows *r, const row_layout *l, const vector *cols, uint32_t n,
                        uint32_t rows)
{
    uint64_t bytes = (uint64_t)rows * (l->fixed + 8), cap = cap_for(r, rows), list = 0;

    if (cap != r->cap) /* it grows where it is (mem_realloc) */
        list = mem_cost(cap * sizeof *r->at) - (r->cap ? mem_cost(r->cap * sizeof *r->at) : 0);
    for (uint32_t c = 0; c < n; c++)
        bytes += rows_text(&cols[c]);
    return rows_cost(bytes) + list;
}

nrw_status join_rows_flush(join_rows *r, hash_parts *p, nrw_error *err)
{
    nrw_status st = hash_parts_add(p, r->at, r->n, &r->out, err);

    rows_release(&r->rows); /* the books are to say what is free */
    r->n = 0;
    return st;
}

void join_rows_empty(join_rows *r)
{
    if (!r->m)
        return;
    rows_release(&r->rows);
    hash_out_release(&r->out);
    mem_free(r->m, r->at, r->cap * sizeof *r->at);
    r->at = NULL;
    r->n = r->cap = 0;
}

void join_rows_close(join_rows *r)
{
    join_rows_empty(r);
    mem_free_account(r->m);
    r->m = NULL;
}

nrw_status join_keys(const vector *columns, const uint32_t *at, uint32_t n_keys, uint32_t rows,
                     bool flatten, mem *m, vector *keys, uint64_t *hashes, nrw_error *err)
{
    memset(hashes, 0, rows * sizeof *hashes);
    for (uint32_t k = 0; k < n_keys; k++) {
        vector canonical;
        nrw_status st;
        TRY(key_canonical(&columns[at[k]], m, &canonical, err));
        hash_vector(&canonical, rows, k > 0, hashes);
        st = flatten ? vector_flatten(&canonical, m, &keys[k], err)
                     : vector_share(&canonical, &keys[k], err);
        vector_release(&canonical);
        TRY(st);
    }
    return NRW_OK;
}
