/* Looking for damaged pages before rows are moved: every page of the chosen columns is read and
 * decoded, values are thrown away, and what cannot be read is told as rows. */
#include "format/parquet/chunk_read.h"
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
    return s->found(s->self, column, g->first_row + row, g->rows - row, why, err);
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
        TRY(s->found(s->self, l->field.name, g->first_row + first, n, &why, err));
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
            st = search_chunk(&s, rg, &g, cols[i], a, err);
        arena_free(a);
        TRY(st);
    }
    return NRW_OK;
}
