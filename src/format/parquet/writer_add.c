/* Columns that come while the file is open (add_null_column in format.h). The new column stands
 * where the others stand: in the open row group it gets a null for every row that the others have
 * there. Row groups that left before lack a chunk of it. Such a chunk is one page of nulls, a
 * function of its leaf and the rows of its row group alone: it is made when the file ends, behind
 * the last row group, and made again when the footer says where it lies. So nothing is kept of it.
 */
#include "format/parquet/enc_page.h"
#include "format/parquet/writer_budget.h"
#include "format/parquet/writer_own.h"

/* ---- tables of columns and leaves, with room for more ---- */

typedef struct tables {
    uint32_t cap_columns, cap_leaves;
    void *columns, *actor, *chunks[PQ_GROUPS];
} tables;

static void free_tables(pq_writer *w, tables *t)
{
    mem_free(w->m, t->columns, t->cap_columns * sizeof(pq_wcolumn));
    mem_free(w->m, t->actor, t->cap_leaves * sizeof(pq_wactor));
    for (int i = 0; i < PQ_GROUPS; i++)
        mem_free(w->m, t->chunks[i], t->cap_leaves * sizeof(pq_wchunk));
}

static nrw_status new_tables(pq_writer *w, tables *t, nrw_error *err)
{
    TRY(mem_zalloc(w->m, t->cap_columns * sizeof(pq_wcolumn), &t->columns, err));
    TRY(mem_zalloc(w->m, t->cap_leaves * sizeof(pq_wactor), &t->actor, err));
    for (int i = 0; i < PQ_GROUPS; i++)
        TRY(mem_zalloc(w->m, t->cap_leaves * sizeof(pq_wchunk), &t->chunks[i], err));
    return NRW_OK;
}

/* What has state moves at once or not at all. */
static nrw_status grow_tables(pq_writer *w, uint32_t columns, uint32_t leaves, nrw_error *err)
{
    tables t = {.cap_columns = columns, .cap_leaves = leaves};
    nrw_status st = new_tables(w, &t, err);
    if (st < 0) {
        free_tables(w, &t);
        return st;
    }
    tables old = {.cap_columns = w->cap_columns,
                  .cap_leaves = w->cap_leaves,
                  .columns = w->columns,
                  .actor = w->actor};
    memcpy(t.columns, w->columns, w->n_columns * sizeof(pq_wcolumn));
    memcpy(t.actor, w->actor, w->leaves.n * sizeof(pq_wactor));
    pq_room_moved(w->room, w->actor, t.actor, w->leaves.n);
    w->columns = t.columns;
    w->actor = t.actor;
    for (int i = 0; i < PQ_GROUPS; i++) {
        pq_wgroup *g = &w->groups[i];
        old.chunks[i] = g->chunks;
        memcpy(t.chunks[i], g->chunks, w->leaves.n * sizeof(pq_wchunk));
        g->chunks = t.chunks[i];
    }
    w->cap_columns = columns;
    w->cap_leaves = leaves;
    free_tables(w, &old);
    return NRW_OK;
}

/* Schema, leaves and options of the writer's own, with room for more. */
static nrw_status grow_schema(pq_writer *w, uint32_t columns, uint32_t leaves, nrw_error *err)
{
    void *fields = NULL, *at = NULL, *first = NULL, *options = NULL;
    TRY(arena_alloc(w->names, columns * sizeof(field), &fields, err));
    TRY(arena_alloc(w->names, leaves * sizeof(pq_wleaf), &at, err));
    TRY(arena_alloc(w->names, (columns + 1) * sizeof(uint32_t), &first, err));
    TRY(arena_alloc(w->names, leaves * sizeof(pq_column_options), &options, err));
    memcpy(fields, w->schema->fields, w->n_columns * sizeof(field));
    memcpy(at, w->leaves.at, w->leaves.n * sizeof(pq_wleaf));
    memcpy(first, w->leaves.first, (w->n_columns + 1) * sizeof(uint32_t));
    memcpy(options, w->opts->columns, w->leaves.n * sizeof(pq_column_options));
    w->own_schema = (schema){.n_fields = w->n_columns, .fields = fields};
    w->schema = &w->own_schema;
    w->own_opts = *w->opts;
    w->own_opts.columns = options;
    w->opts = &w->own_opts;
    w->leaves.at = at;
    w->leaves.first = first;
    for (uint32_t l = 0; l < w->leaves.n; l++)
        if (!w->leaves.at[l].n_path)
            w->leaves.at[l].field = &w->own_schema.fields[w->leaves.at[l].column];
    return NRW_OK;
}

static nrw_status make_room(pq_writer *w, uint32_t more, nrw_error *err)
{
    uint32_t columns = w->cap_columns, leaves = w->cap_leaves;
    if (w->n_columns < columns && w->leaves.n + more <= leaves)
        return NRW_OK;
    if (w->n_columns == columns)
        columns = 2 * columns + 4;
    while (leaves < w->leaves.n + more)
        leaves = 2 * leaves + 4;
    TRY(grow_schema(w, columns, leaves, err));
    return grow_tables(w, columns, leaves, err);
}

/* ---- the new column ---- */

/* Its places in schema, leaves and options, behind those that count. */
static void put_column(pq_writer *w, const field *f, const pq_leaves *new)
{
    uint32_t c = w->n_columns, n = w->leaves.n;
    pq_column_options *options = (pq_column_options *)(uintptr_t)w->opts->columns;
    w->own_schema.fields[c] = *f;
    for (uint32_t i = 0; i < new->n; i++) {
        w->leaves.at[n + i] = new->at[i];
        w->leaves.at[n + i].column = c;
        if (!new->at[i].n_path)
            w->leaves.at[n + i].field = &w->own_schema.fields[c];
        options[n + i] = w->opts->added;
    }
    w->leaves.first[c + 1] = n + new->n;
}

/* The shares of the grant with one column more; those of actors and pages shrink. */
static nrw_status plan_again(pq_writer *w, nrw_error *err)
{
    schema s = {.n_fields = w->n_columns + 1, .fields = w->own_schema.fields};
    pq_shares shares, *have = &w->own_room.shares;
    TRY(pq_shares_plan(&s, w->opts, w->workers, w->limit, &shares, err));
    shares.usual_body = have->usual_body; /* benches stay as they are */
    shares.big_body = have->big_body;
    *have = shares;
    w->env.tail_max = shares.tail_max;
    return NRW_OK;
}

/* It stands where the first column stands. */
static void start_column(pq_writer *w, uint32_t leaves)
{
    const pq_wcolumn *like = &w->columns[0];
    pq_wcolumn *col = &w->columns[w->n_columns++];
    *col = (pq_wcolumn){.row = like->row,
                        .stride = like->stride,
                        .group = like->group,
                        .group_row = like->group_row};
    turn_init_at(&col->turn, turn_number(&w->entry));
    for (uint32_t i = 0; i < leaves; i++) {
        uint32_t l = w->leaves.n++;
        w->actor[l] = (pq_wactor){.since = like->group};
        w->actor[l].most = pq_column_most(&w->leaves.at[l], w->opts, pq_leaf_options(w, l));
    }
    w->own_schema.n_fields = w->n_columns;
    pq_cut_add_column(&w->cut);
}

static nrw_status add_column(pq_writer *w, const field *f, nrw_error *err)
{
    field one = *f;
    schema s = {.n_fields = 1, .fields = &one};
    pq_leaves new;
    if (w->stopped)
        return NRW_E_CANCELLED;
    if (w->finished)
        return err_set(err, NRW_E_ARG, "the file is finished");
    if (w->files)
        return err_set(err, NRW_E_UNSUPPORTED, "a column comes while rows are cut into files");
    if (!f->nullable)
        return err_set(err, NRW_E_SCHEMA, "a column that comes later must be nullable");
    for (bool any = true; any;)
        TRY(pq_queue_work(w, &any, err));
    if (w->groups_gone != w->columns[0].group)
        return err_set(err, NRW_E_ARG, "rows are being written while a column is added");
    TRY(pq_leaves_of(&s, w->names, &new, err));
    TRY(make_room(w, new.n, err));
    put_column(w, f, &new);
    TRY(plan_again(w, err));
    start_column(w, new.n);
    return pq_writer_nulls(w, w->n_columns - 1, w->columns[0].row - w->columns[0].group_row, err);
}

nrw_status pq_writer_add(writer *base, const field *f, nrw_error *err)
{
    pq_writer *w = (pq_writer *)base;
    nrw_status st = add_column(w, f, err);
    if (st < 0) {
        err_at_column(err, f->name);
        pq_writer_stop(w);
    }
    return st;
}

/* ---- chunks of nulls ---- */

/* Levels of so many nulls: runs of zeros. */
static nrw_status null_body(const pq_writer *w, const pq_wleaf *l, pq_page_out *p, nrw_error *err)
{
    const uint8_t max[] = {l->max_rep, l->max_def};
    size_t head = pq_pages_v2(w->opts) ? 0 : 4, at = 0;
    TRY(buffer_new(w->m, 64, &p->body, err));
    for (int i = 0; i < 2; i++) {
        uint8_t *to = p->body->data + at;
        if (!max[i])
            continue;
        size_t n = enc_rle_repeat(0, p->rows, enc_width(max[i]), to + head);
        if (head)
            store_u32(to, (uint32_t)n);
        at += head + n;
        p->rep_len = i == 0 && !head ? (uint32_t)at : p->rep_len;
    }
    p->body->len = at;
    p->levels_len = head ? 0 : (uint32_t)at;
    return NRW_OK;
}

nrw_status pq_null_chunk(pq_writer *w, uint32_t leaf, int64_t rows, pq_bench *b, pq_wchunk *out,
                         span *page, nrw_error *err)
{
    pq_page_out p = {.type = pq_pages_v2(w->opts) ? PQ_DATA_PAGE_V2 : PQ_DATA_PAGE,
                     .encoding = PQ_PLAIN,
                     .rows = (uint32_t)rows,
                     .nulls = (uint32_t)rows,
                     .records = (uint32_t)rows};
    pq_chunk_stats stats = {.rows = rows, .nulls = rows, .distinct = -1};
    uint32_t header_len = 0;
    *out = (pq_wchunk){.rows = rows, .values = rows, .n_encodings = 1};
    if (rows > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a page of %lld nulls", (long long)rows);
    nrw_status st = null_body(w, &w->leaves.at[leaf], &p, err);
    if (st == NRW_OK)
        st = pq_page_pack(b, pq_leaf_options(w, leaf), w->opts->page_crc, &p, page, &header_len,
                          err);
    if (st == NRW_OK) {
        out->encodings[0] = PQ_PLAIN;
        out->pages[0] = 1;
        out->uncompressed = header_len + p.body->len;
        out->compressed = page->len;
        st = pq_footer_statistics(w, leaf, &stats, &out->stats, &out->stats_len, err);
    }
    pq_page_out_release(&p);
    return st;
}
