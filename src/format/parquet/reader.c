/* The Parquet reader: cuts row groups into morsels, and serves their columns lazily.
 *
 * A morsel is a range of rows inside one row group. Cutting it costs nothing: no page is looked at.
 * Each chosen column owns a turn and one chunk reader, which moves forward through the column's
 * chunk. The thread that carries morsel k waits for the column's turn, reads the morsel's rows and
 * lets morsel k + 1 go on; meanwhile other threads are at other columns, or compress. So a row
 * group is decoded once, in order, by all threads together, and holds one page and one dictionary
 * per column however large it is.
 *
 * Where nobody behind the reader waits either, and memory allows it, there are several such sets of
 * turns and chunk readers, *lanes*: a row group goes through one lane, the next one through
 * another, and threads that are in different row groups do not wait for each other.
 *
 * Where the grant is small for the number of columns, a chunk reader is parked (page and dictionary
 * dropped) whenever a morsel is done with it. */
#include "format/parquet/reader_own.h"

#include <stdlib.h>

static const schema *reader_schema(const reader *base)
{
    return pq_meta_schema(((const pq_reader *)base)->meta);
}

static int64_t reader_rows(const reader *base)
{
    return pq_meta_rows(((const pq_reader *)base)->meta);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Metadata are walked in the file's order, whatever the order of the columns. */
static nrw_status sort_leaves(pq_reader *r, nrw_error *err)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n; i++)
        if (__builtin_add_overflow(r->room, r->cols[i].node->n_leaves, &r->room))
            return err_set(err, NRW_E_ARG, "too many columns are chosen");
    TRY(mem_alloc(r->grant, r->room * sizeof *r->leaves, (void **)&r->leaves, err));
    for (uint32_t i = 0; i < r->n; i++)
        for (uint32_t k = 0; k < r->cols[i].node->n_leaves; k++)
            r->leaves[n++] = r->cols[i].node->first_leaf + k;
    qsort(r->leaves, n, sizeof *r->leaves, by_number);
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || r->leaves[i] != r->leaves[r->n_leaves - 1])
            r->leaves[r->n_leaves++] = r->leaves[i];
    for (uint32_t i = 0; i < r->n; i++) {
        const uint32_t *at = bsearch(&r->cols[i].node->first_leaf, r->leaves, r->n_leaves,
                                     sizeof *r->leaves, by_number);
        for (uint32_t l = 0; l < r->n_lanes; l++)
            r->lanes[l].cols[i].place = (uint32_t)(at - r->leaves);
    }
    return NRW_OK;
}

static nrw_status open_lanes(pq_reader *r, const uint32_t *cols, uint32_t n, uint32_t lanes,
                             nrw_error *err)
{
    r->n_lanes = lanes;
    TRY(mem_zalloc(r->grant, lanes * sizeof *r->lanes, (void **)&r->lanes, err));
    TRY(mem_zalloc(r->grant, (size_t)lanes * n * sizeof *r->cols, (void **)&r->cols, err));
    r->n = n; /* now there are turns to be stopped */
    for (uint32_t l = 0; l < lanes; l++)
        r->lanes[l].cols = r->cols + (size_t)l * n;
    for (uint32_t i = 0; i < lanes * n; i++) {
        r->cols[i].node = pq_meta_column(r->meta, cols[i % n]);
        turn_init(&r->cols[i].turn);
    }
    return NRW_OK;
}

static nrw_status reader_start(reader *base, const uint32_t *cols, uint32_t n,
                               const batch_shape *shape, mem *grant, spill *s, nrw_error *err)
{
    pq_reader *r = (pq_reader *)base;
    uint64_t room, share, at_work, open, pruning = 0;
    uint32_t lanes = 1;
    pq_needs need;

    TRY(pq_find_needs(r, cols, n, &need, err));
    r->grant = grant;
    r->spill = s;
    r->shape = *shape;
    if (shape->any_order) /* else threads wait for each other further behind */
        lanes = pq_reader_lanes(&need, n, mem_room(grant), shape->workers);
    at_work = pq_lanes_room(&need, n, lanes, shape->workers);
    open = pq_columns_room(&need);
    TRY(open_lanes(r, cols, n, lanes, err));
    TRY(sort_leaves(r, err));
    if (shape->filter) {
        pruning = pq_prune_room(mem_room(grant), open + at_work);
        TRY(pq_prune_new(grant, r->meta, shape->filter, pruning, &r->prune, err));
    }
    room = mem_room(grant);
    share = room / r->n_lanes / (r->n_leaves ? r->n_leaves : 1);
    r->chunk_options.meta = r->meta;
    /* columns stay open between morsels where all of them have room; of a page that has none only
     * windows lie in memory, and of one that is parked only its places */
    r->park = room < open && room < pq_windows_room(&need) + at_work + pruning;
    r->chunk_options.keep = room >= r->n_leaves * (uint64_t)pq_chunk_asleep() + at_work + pruning;
    r->chunk_options.verify_crc = true;
    r->chunk_options.headroom = (size_t)(at_work + pruning);
    r->chunk_options.read_ahead = share / 8 > (256 << 10)  ? 256 << 10
                                  : share / 8 < (16 << 10) ? 16 << 10
                                                           : share / 8;
    r->counting = true;
    return NRW_OK;
}

static void reader_counts_of(const reader *base, uint32_t col, reader_counts *out)
{
    const pq_reader *r = (const pq_reader *)base;

    *out = (reader_counts){0};
    for (uint32_t l = 0; r->counting && l < r->n_lanes; l++)
        pq_counts_add(out, &r->lanes[l].cols[col].closed);
}

static void reader_pruned(const reader *base, prune_counts *out)
{
    const pq_reader *r = (const pq_reader *)base;

    *out = (prune_counts){0};
    if (r->prune)
        pq_prune_counts(r->prune, out);
}

static void reader_stop(reader *base)
{
    pq_reader *r = (pq_reader *)base;

    for (uint32_t i = 0; i < r->n_lanes * r->n; i++)
        turn_stop(&r->cols[i].turn);
}

static void reader_close(reader *base)
{
    pq_reader *r = (pq_reader *)base;

    if (!r)
        return;
    for (uint32_t i = 0; i < r->n_lanes * r->n; i++) {
        pq_rcolumn_leave(r, &r->cols[i]);
        pq_rcolumn_close(&r->cols[i]);
    }
    pq_group_unref(r, r->group);
    while (r->free) {
        pq_morsel *m = r->free;
        r->free = m->next_free;
        mem_free(r->grant, m, sizeof *m);
    }
    if (r->cols)
        mem_free(r->grant, r->cols, (size_t)r->n_lanes * r->n * sizeof *r->cols);
    if (r->lanes)
        mem_free(r->grant, r->lanes, r->n_lanes * sizeof *r->lanes);
    mem_free(r->grant, r->leaves, r->leaves ? r->room * sizeof *r->leaves : 0);
    pq_prune_free(r->prune);
    pq_meta_close(r->meta);
    file_close(r->base.file);
    pthread_mutex_destroy(&r->lock);
    mem_free(r->m, r, sizeof *r);
}

static const reader_class parquet_reader_class = {
    .name = "parquet",
    .schema = reader_schema,
    .rows = reader_rows,
    .budget = pq_reader_budget,
    .start = reader_start,
    .next = pq_reader_next,
    .counts = reader_counts_of,
    .pruned = reader_pruned,
    .describe = parquet_describe,
    .stop = reader_stop,
    .close = reader_close,
    .carries = parquet_carries,
    .bounds = parquet_bounds,
    .ranges = parquet_ranges,
    .values = parquet_values,
    .estimate = parquet_estimate,
    .find_damage = parquet_find_damage,
    .verify = parquet_verify,
    .spelled = parquet_spelled,
};

nrw_status parquet_open(mem *m, io_file *f, const pq_read_options *opts, reader **out,
                        nrw_error *err)
{
    pq_reader *r = NULL;
    nrw_status st;

    *out = NULL;
    st = mem_zalloc(m, sizeof *r, (void **)&r, err);
    if (st < 0) {
        file_close(f);
        return st;
    }
    r->base.class = &parquet_reader_class;
    r->base.file = f;
    r->m = m;
    pthread_mutex_init(&r->lock, NULL);
    st = pq_meta_open(m, f, opts, &r->meta, err);
    if (st < 0) {
        err_at_object(err, f->name);
        reader_close(&r->base);
        return st;
    }
    *out = &r->base;
    return NRW_OK;
}

pq_meta *parquet_reader_meta(reader *base)
{
    return base->class == &parquet_reader_class ? ((pq_reader *)base)->meta : NULL;
}
