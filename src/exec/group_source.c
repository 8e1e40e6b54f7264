/* Groups leave: a morsel is a partition, put together by the worker that carries it. */
#include "exec/group_own.h"

#include "exec/dense.h"

#define SPLIT_BITS 4u /* at most */

static nrw_status source_next(source *s, batch *b, nrw_error *err)
{
    op_group *o = group_of(s);

    (void)err;
    if (o->next_part == 1u << o->bits)
        return NRW_END;
    b->morsel = o->next_part++;
    return NRW_OK;
}

/* ---- one partition's groups in w's table, or a part of them ---- */

nrw_status group_push_part(op_group *o, group_worker *w, const group_part *part, nrw_error *err)
{
    void *p = w->stack;

    if (w->n_stack == w->cap_stack) {
        uint32_t cap = w->cap_stack + 32;
        TRY(mem_realloc(o->m, &p, w->cap_stack * sizeof *part, cap * sizeof *part, err));
        w->stack = p;
        w->cap_stack = cap;
    }
    w->stack[w->n_stack++] = *part;
    return NRW_OK;
}

/* Of so many bits that the blocks under construction take a part of the share. */
static uint32_t split_bits(uint64_t share)
{
    uint32_t bits = 1;

    while (bits < SPLIT_BITS && ((uint64_t)4 * GROUP_BLOCK << bits) < share / 3)
        bits++;
    return bits;
}

nrw_status group_load_next(op_group *o, group_worker *w, nrw_error *err)
{
    const uint64_t share = o->spec.memory / o->spec.workers;
    const uint64_t most = share / (o->spec.marks ? 8 : 3); /* others gather meanwhile */
    const uint32_t bits = split_bits(share);
    group_part cut[1u << SPLIT_BITS], part;
    nrw_status st;

    group_table_release(&w->table);
    rows_clear(&w->read);
    while (w->n_stack) {
        part = w->stack[--w->n_stack];
        if (part.bytes > most && part.bits + bits <= 64) {
            rows_release(&w->read);
            st = group_split(o, w, &part, bits, cut, err);
            group_part_free(o, &part);
            for (uint32_t k = 1u << bits; k-- > 0;) {
                if (st >= 0)
                    st = group_push_part(o, w, &cut[k], err);
                if (st < 0)
                    group_part_free(o, &cut[k]);
            }
            TRY(st);
            continue;
        }
        group_table_narrow(&w->table, part.bits);
        st = group_load(o, w, &part, err);
        group_part_free(o, &part);
        TRY(st);
        if (w->table.n)
            break;
    }
    group_table_order(&w->table, 64);
    w->walked = &w->table;
    w->at = 0;
    return NRW_OK;
}

nrw_status group_merged_new(op_group *o, group_worker *w, nrw_error *err)
{
    void *p;

    TRY(mem_zalloc(o->m, sizeof *w->walked, &p, err));
    w->walked = p;
    group_table_init(w->walked, &o->shape, o->m, o->m);
    w->at = 0;
    return NRW_OK;
}

/* Nothing was spilled: what the workers' tables have of this partition, merged into the first
 * worker's own rows by a table without rows. */
static nrw_status merge_tables(op_group *o, group_worker *w, uint32_t p, nrw_error *err)
{
    group_table *merged;
    uint64_t groups = 0;

    TRY(group_merged_new(o, w, err));
    merged = w->walked;
    group_table_narrow(merged, o->bits);
    for (uint32_t i = 0; i < o->spec.workers; i++)
        groups += o->workers[i].table.n;
    if (o->bits) /* an eighth more than are in a morsel on average */
        TRY(group_table_reserve(merged, (groups >> o->bits) * 9 / 8, err));
    for (uint32_t i = 0; i < o->spec.workers; i++) {
        group_table *t = &o->workers[i].table;
        uint64_t at = o->bits ? group_table_slot(t, (uint64_t)p << (64 - o->bits)) : 0;
        uint8_t *row;
        while (group_table_next(t, &at, &row)) {
            uint32_t q = o->bits ? (uint32_t)(row_hash(row) >> (64 - o->bits)) : 0;
            if (q > p)
                break;
            if (q == p)
                TRY(group_table_adopt(merged, row, err));
        }
    }
    group_table_order(merged, 64);
    return NRW_OK;
}

/* Rows stay their tables': only the slots go. */
void group_merged_free(op_group *o, group_worker *w)
{
    if (!w->walked || w->walked == &w->table)
        return;
    mem_free(o->m, w->walked->slots, group_table_slots_bytes(w->walked));
    mem_free(o->m, w->walked, sizeof *w->walked);
    w->walked = NULL;
}

/* Without keys there is one group, also where no row came. */
static nrw_status lone_group(op_group *o, group_worker *w, nrw_error *err)
{
    rows scratch = {.m = o->m};
    uint8_t *key, *row;
    uint64_t zero = 0;
    nrw_status st = rows_add(&scratch, &o->shape.keys, NULL, 1, &zero, o->m, &key, err);

    if (st >= 0)
        st = group_table_find(&w->table, key, &row, err);
    rows_release(&scratch);
    return st;
}

static nrw_status begin(op_group *o, group_worker *w, uint32_t p, nrw_error *err)
{
    w->ready = true;
    if (o->parts) {
        group_part part = o->parts[p];
        o->parts[p] = (group_part){0};
        TRY(group_push_part(o, w, &part, err));
        return group_load_next(o, w, err);
    }
    if (o->spec.n_keys == 0) {
        bool any = false;
        for (uint32_t i = 0; i < o->spec.workers; i++)
            any |= o->workers[i].table.n > 0;
        if (!any)
            TRY(lone_group(o, w, err));
    }
    return merge_tables(o, w, p, err);
}

/* ---- rows to columns ---- */

nrw_status group_leave(op_group *o, batch *b, uint8_t **rows, uint32_t n, nrw_error *err)
{
    vector v;

    b->rows = n;
    for (uint32_t c = 0; c < o->spec.n_keys; c++) {
        TRY(rows_column(&o->shape.layout, (const uint8_t *const *)rows, n, c, b->m, &v, err));
        TRY(dense_put(b, c, &v, err));
    }
    for (uint32_t k = 0; k < o->spec.n_aggregates; k++) {
        nrw_status st;
        group_shift(rows, n, o->results[k]);
        st = aggregate_finish(&o->spec.aggregates[k], rows, n, b->m, &v, err);
        group_shift(rows, n, -(ptrdiff_t)o->results[k]);
        TRY(st);
        TRY(dense_put(b, o->spec.n_keys + k, &v, err));
    }
    return NRW_OK;
}

static nrw_status source_fill(source *s, batch *b, nrw_error *err)
{
    op_group *o = group_of(s);
    group_worker *w = &o->workers[b->worker];
    uint8_t **rows;
    uint32_t n = 0;
    nrw_status st = NRW_OK;

    if (!w->ready)
        TRY(begin(o, w, (uint32_t)b->source_number, err));
    TRY(mem_alloc(b->m, GROUP_LEAVE * sizeof *rows, (void **)&rows, err));
    while (n < GROUP_LEAVE && group_table_next(w->walked, &w->at, &rows[n]))
        n++;
    if (n)
        st = group_leave(o, b, rows, n, err);
    if (st >= 0 && n < GROUP_LEAVE && o->parts && w->n_stack) {
        st = group_load_next(o, w, err);
    } else if (n < GROUP_LEAVE) {
        b->last = true;
        w->ready = false;
        group_merged_free(o, w);
    }
    mem_free(b->m, rows, GROUP_LEAVE * sizeof *rows);
    return st;
}

const source_class group_source_class = {"group", source_next, source_fill, NULL, NULL, NULL, NULL};
