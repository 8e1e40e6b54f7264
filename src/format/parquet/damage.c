/* Looking for damaged pages before rows are moved: every page of the chosen columns is read and
 * decoded, values are thrown away, and what cannot be read is told as rows. */
#include "format/parquet/nested_read.h"
#include "format/parquet/parquet.h"

typedef struct search {
    pq_meta *meta;
    io_file *file;
    mem *m;
    spill *spill;
    damage_found found;
    void *self;
} search;

/* The chunk is lost from `row` to its end. */
static nrw_status rest_is_lost(const search *s, const pq_row_group *g, const char *column,
                               int64_t row, const nrw_error *why, nrw_error *err)
{
    return s->found(s->self, &(damage){column, g->first_row + row, g->rows - row, 0, 0, why}, err);
}

static nrw_status read_chunk(const search *s, const pq_row_group *g, const pq_leaf *l,
                             pq_chunk_reader *r, nrw_error *err)
{
    int64_t row = 0;

    while (row < g->rows) {
        nrw_error why = NRW_ERROR_INIT;
        int64_t first, n;
        vector v;
        uint32_t most = g->rows - row < BATCH_MAX_ROWS ? (uint32_t)(g->rows - row) : BATCH_MAX_ROWS;
        nrw_status st = pq_chunk_read(r, row, most, 256 << 10, NULL, 0, 0, s->m, &v, &why);
        if (st >= 0) {
            row += v.len;
            vector_release(&v);
            continue;
        }
        if (st != NRW_E_CORRUPT && st != NRW_E_VALUE) {
            if (err)
                *err = why;
            return st;
        }
        pq_chunk_lost(r, &first, &n);
        if (n <= 0 || first + n <= row)
            return rest_is_lost(s, g, l->field.name, row, &why, err);
        TRY(s->found(s->self, &(damage){l->field.name, g->first_row + first, n, 0, 0, &why}, err));
        row = first + n;
    }
    return NRW_OK;
}

static nrw_status search_chunk(const search *s, int32_t rg, const pq_row_group *g, uint32_t leaf,
                               arena *a, nrw_error *err)
{
    const pq_chunk_options opts = {.verify_crc = true, .read_ahead = 64 << 10, .quarantine = true};
    const pq_leaf *l = pq_meta_leaf(s->meta, leaf);
    pq_chunk_reader *r;
    pq_chunk c;
    nrw_status st;

    TRY(pq_meta_chunk(s->meta, rg, leaf, a, &c, err));
    TRY(pq_chunk_open(s->m, s->spill, s->file, l, &c, rg, g->rows, &opts, &r, err));
    st = read_chunk(s, g, l, r, err);
    pq_chunk_close(r);
    return st;
}

/* Of nested columns nobody knows where reading could go on: rows may lie over page boundaries, and
 * the leaves would have to meet again. */
static nrw_status read_nested(const search *s, const pq_row_group *g, const pq_node *node,
                              pq_nested *r, nrw_error *err)
{
    for (int64_t row = 0; row < g->rows;) {
        nrw_error why = NRW_ERROR_INIT;
        vector v;
        uint32_t most = g->rows - row < BATCH_MAX_ROWS ? (uint32_t)(g->rows - row) : BATCH_MAX_ROWS;
        nrw_status st = pq_nested_read(r, row, most, 256 << 10, NULL, 0, 0, s->m, &v, &why);
        if (st == NRW_E_CORRUPT || st == NRW_E_VALUE)
            return rest_is_lost(s, g, node->field.name, row, &why, err);
        if (st < 0) {
            if (err)
                *err = why;
            return st;
        }
        row += v.len;
        vector_release(&v);
    }
    return NRW_OK;
}

static nrw_status search_nested(const search *s, int32_t rg, const pq_row_group *g,
                                const pq_node *node, arena *a, nrw_error *err)
{
    const pq_chunk_options opts = {.verify_crc = true, .read_ahead = 64 << 10};
    pq_nested *r;
    void *chunks;
    nrw_status st;

    TRY(arena_alloc(a, node->n_leaves * sizeof(pq_chunk) + 1, &chunks, err));
    for (uint32_t i = 0; i < node->n_leaves; i++)
        TRY(pq_meta_chunk(s->meta, rg, node->first_leaf + i, a, (pq_chunk *)chunks + i, err));
    TRY(pq_nested_open(s->m, s->spill, s->file, pq_meta_leaf(s->meta, 0), node, chunks, rg, g->rows,
                       &opts, &r, err));
    st = read_nested(s, g, node, r, err);
    pq_nested_close(r);
    return st;
}

static nrw_status search_column(const search *s, int32_t rg, const pq_row_group *g, uint32_t column,
                                arena *a, nrw_error *err)
{
    const pq_node *node = pq_meta_column(s->meta, column);

    if (node->n_children == 0)
        return search_chunk(s, rg, g, node->first_leaf, a, err);
    return search_nested(s, rg, g, node, a, err);
}

nrw_status parquet_find_damage(reader *base, const uint32_t *cols, uint32_t n, mem *m, spill *sp,
                               damage_found found, void *self, nrw_error *err)
{
    search s = {parquet_reader_meta(base), base->file, m, sp, found, self};

    for (int32_t rg = 0; rg < pq_meta_row_groups(s.meta); rg++) {
        pq_row_group g;
        nrw_status st = NRW_OK;
        arena *a;
        TRY(pq_meta_row_group(s.meta, rg, &g, err));
        TRY(arena_new(m, &a, err));
        for (uint32_t i = 0; i < n && st >= 0; i++)
            st = search_column(&s, rg, &g, cols[i], a, err);
        arena_free(a);
        TRY(st);
    }
    return NRW_OK;
}
