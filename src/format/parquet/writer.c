/* The Parquet writer: how a batch becomes pages.
 *
 * Every written column has a turn, taken in the order of morsels. Who pushes a morsel walks its
 * columns from the first to the last: takes the column's turn, reads the lazy column in pieces,
 * appends them to the column's actor and gives the turn up. Pages that became full wait in a queue
 * (page_queue.c): a thread whose turn has not come compresses some. So threads work on different
 * columns at the same time, or compress, and each holds one column of its batch. Rows get their
 * place in the file when a push begins, in order.
 *
 * A nested column has several leaves, each with an actor. All are fed under the column's turn, one
 * after the other for every piece that was read (shred.h), and only the one at work is in use.
 *
 * Rows are appended up to the horizon that the cut (writer_cut.h) knows; a batch that reaches
 * beyond is walked once more from its first column. Who waits for the horizon has walked all
 * columns up to it, waits for rows of lower morsels only, and first compresses what the queue
 * holds: no deadlock. A chunk is finished when the first row of the next row group comes to its
 * column, or at the end. */
#include "format/parquet/writer_own.h"

#include "format/parquet/writer_budget.h"

/* ---- opening and closing ---- */

pq_write_options pq_write_defaults(void)
{
    return (pq_write_options){.row_group_rows = 1 << 20,
                              .row_group_bytes = (uint64_t)128 << 20,
                              .page_bytes = 128 << 10,
                              .page_rows = 20000,
                              .dictionary_bytes = 1 << 20,
                              .version = 1,
                              .page_index = true,
                              .page_crc = true,
                              .statistics_truncate = 64,
                              .added = {.codec = CODEC_ZSTD,
                                        .level = 3,
                                        .encoding = -1,
                                        .dictionary = true,
                                        .statistics = true}};
}

void pq_writer_stop(pq_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopped = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    turn_stop(&w->entry);
    for (uint32_t c = 0; c < w->n_columns; c++)
        turn_stop(&w->columns[c].turn);
    pq_room_wake(w->room);
}

static void writer_stop(writer *base)
{
    pq_writer_stop((pq_writer *)base);
}

static void writer_close(writer *base)
{
    pq_writer *w = (pq_writer *)base;
    if (!w)
        return;
    pq_room_leave(w);
    for (uint32_t l = 0; w->actor && l < w->leaves.n; l++)
        pq_column_writer_free(w->actor[l].writer);
    mem_free(w->m, w->actor, w->cap_leaves * sizeof *w->actor);
    mem_free(w->m, w->columns, w->cap_columns * sizeof *w->columns);
    if (w->room == &w->own_room)
        pq_room_release(w->room);
    pq_queue_release(w);
    pq_groups_release(w);
    arena_free(w->names);
    pq_log_release(&w->file_env, &w->metadata);
    pq_log_release(&w->file_env, &w->blooms);
    pq_log_release(&w->file_env, &w->column_indexes);
    pq_log_release(&w->file_env, &w->offset_indexes);
    if (w->files)
        target_close(w->target);
    mem_free_account(w->actors);
    if (!w->room->shared)
        mem_free_account(w->held);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    mem_free(w->m, w, sizeof *w);
}

static nrw_status open_columns(pq_writer *w, nrw_error *err)
{
    void *p = NULL;
    w->cap_columns = w->n_columns;
    w->cap_leaves = w->leaves.n;
    TRY(mem_zalloc(w->m, w->n_columns * sizeof *w->columns, &p, err));
    w->columns = p;
    for (uint32_t c = 0; c < w->n_columns; c++)
        turn_init(&w->columns[c].turn);
    TRY(mem_zalloc(w->m, w->leaves.n * sizeof *w->actor, &p, err));
    w->actor = p;
    for (uint32_t l = 0; l < w->leaves.n; l++)
        w->actor[l].most = pq_column_most(&w->leaves.at[l], w->opts, pq_leaf_options(w, l));
    for (int i = 0; i < PQ_GROUPS; i++) {
        TRY(mem_zalloc(w->m, w->leaves.n * sizeof(pq_wchunk), &p, err));
        w->groups[i].chunks = p;
    }
    return NRW_OK;
}

/* What the writer has to itself of its grant. */
static nrw_status own_room(pq_writer *w, nrw_error *err)
{
    TRY(mem_child(w->m, "finished pages", 0, &w->held, err));
    TRY(pq_room_plan(w, w->limit, err));
    mem_set_limit(w->held, w->room->shares.pool - w->room->shares.reserve);
    return NRW_OK;
}

static nrw_status open_parts(pq_writer *w, nrw_error *err)
{
    if (!w->room->shared)
        TRY(own_room(w, err));
    w->env = (pq_log_env){w->m, w->held, w->spill, w->room->shares.tail_max};
    w->file_env = (pq_log_env){w->m, NULL, w->spill, w->room->shares.file_tail};
    TRY(mem_child(w->m, "column writers", MEM_NO_LIMIT, &w->actors, err));
    TRY(arena_new(w->m, &w->names, err));
    TRY(pq_leaves_of(w->schema, w->names, &w->leaves, err));
    TRY(open_columns(w, err));
    pq_cut_init(&w->cut, pq_file_group_bytes(w), w->opts->row_group_rows, w->n_columns, PQ_GROUPS,
                w->files ? w->files->carried : 0);
    w->spilled_before = spill_written(w->spill);
    if (!w->target)
        return NRW_OK;
    w->base_size = target_size(w->target);
    return target_write(w->target, (span){(const uint8_t *)"PAR1", 4}, err);
}

static nrw_status writer_push(writer *base, batch *b, nrw_error *err);
static nrw_status writer_finish(writer *base, file_summary *out, nrw_error *err);

/* Of a writer with its grant, account, spill file, schema, options and files. */
static nrw_status open_writer(const pq_writer *like, writer **out, nrw_error *err)
{
    static const writer_class class = {.name = "parquet",
                                       .push = writer_push,
                                       .finish = writer_finish,
                                       .stop = writer_stop,
                                       .close = writer_close,
                                       .add_null_column = pq_writer_add};
    void *p = NULL;
    *out = NULL;
    TRY(mem_zalloc(like->m, sizeof(pq_writer), &p, err));
    pq_writer *w = p;
    *w = *like;
    w->base.class = &class;
    w->n_columns = w->schema->n_fields;
    if (!w->room) {
        w->room = &w->own_room;
        pq_room_init(w->room, w->m, w->spill, w->workers);
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    turn_init(&w->entry);
    nrw_status st = open_parts(w, err);
    if (st < 0) {
        writer_close(&w->base);
        return st;
    }
    *out = &w->base;
    return NRW_OK;
}

nrw_status parquet_writer_open(mem *grant, spill *sp, target *t, const schema *s,
                               const pq_write_options *opts, uint32_t workers, writer **out,
                               nrw_error *err)
{
    pq_writer w = {.m = grant,
                   .spill = sp,
                   .target = t,
                   .schema = s,
                   .opts = opts,
                   .limit = mem_room(grant),
                   .workers = workers ? workers : 1};
    return open_writer(&w, out, err);
}

nrw_status parquet_writer_open_files(mem *grant, spill *sp, const parquet_files *files,
                                     const schema *s, const pq_write_options *opts,
                                     uint32_t workers, writer **out, nrw_error *err)
{
    pq_writer w = {.m = grant,
                   .spill = sp,
                   .files = files,
                   .schema = s,
                   .opts = opts,
                   .limit = mem_room(grant),
                   .workers = workers ? workers : 1};
    return open_writer(&w, out, err);
}

nrw_status parquet_room_open(parquet_room *r, const parquet_files *files, writer **out,
                             nrw_error *err)
{
    pq_writer w = {.m = r->account,
                   .held = r->held,
                   .spill = r->spill,
                   .files = files,
                   .schema = r->schema,
                   .opts = r->opts,
                   .room = r,
                   .workers = r->workers};
    return open_writer(&w, out, err);
}

/* ---- rows ---- */

/* Row in the batch of a piece's first null; the piece ends before row `end`. */
static int64_t first_null(const vector *v, uint32_t end)
{
    bool null = false;
    uint32_t i = 0;
    for (; i < v->len && !null; i++)
        vector_value(v, i, &null);
    return (int64_t)end - v->len + i - 1;
}

/* Rows of the batch up to `until` (in the file), inside one stride. */
static nrw_status append_rows(pq_push *p, uint32_t c, int64_t until, nrw_error *err)
{
    pq_wcolumn *col = &p->w->columns[c];
    column_walk walk = batch_walk(p->b, c);
    walk.at = (uint32_t)(col->row - p->first);
    walk.until = (uint32_t)(until - p->first);
    while (walk.at < walk.until) {
        vector v;
        nrw_status st = column_next(&walk, p->w->room->shares.piece_bytes, &v, err);
        if (st == NRW_END)
            break;
        TRY(st);
        st = pq_append_piece(p, c, &v, err);
        if (st == NRW_E_VALUE && !p->b->sel && !pq_is_nested(p->w, c))
            err_at_row(err, p->b->first_row + first_null(&v, walk.at));
        vector_release(&v);
        TRY(st);
    }
    if (walk.at != walk.until)
        return err_set(err, NRW_E_CORRUPT, "a column of %u rows in a batch of %u", walk.at,
                       batch_alive(p->b));
    col->row = until;
    return NRW_OK;
}

/* Encoded bytes of the column's chunks so far. */
static uint64_t encoded_of(const pq_writer *w, uint32_t c)
{
    uint32_t leaf = w->leaves.first[c];
    uint64_t sum = 0;
    if (!pq_is_nested(w, c))
        return pq_column_encoded(w->actor[leaf].writer);
    for (; leaf < w->leaves.first[c + 1]; leaf++)
        sum += w->actor[leaf].encoded;
    return sum;
}

/* One stride's share of the column; a row group that ended before it is finished first. */
static nrw_status fill_stride(pq_push *p, uint32_t c, int64_t target, nrw_error *err)
{
    pq_writer *w = p->w;
    pq_wcolumn *col = &w->columns[c];
    pthread_mutex_lock(&w->lock);
    pq_stride s = *pq_cut_at(&w->cut, col->stride);
    pthread_mutex_unlock(&w->lock);
    if (s.group != col->group) {
        int64_t rows = s.group_row - col->group_row;
        TRY(pq_is_nested(w, c) ? pq_finish_leaves(p, c, rows, err)
                               : pq_finish_chunk(p, w->leaves.first[c], rows, err));
        col->group = s.group;
        col->group_row = s.group_row;
    }
    TRY(append_rows(p, c, target < s.end ? target : s.end, err));
    if (col->row < s.end)
        return NRW_OK;
    uint64_t encoded = encoded_of(w, c);
    pthread_mutex_lock(&w->lock);
    int64_t horizon = pq_cut_horizon(&w->cut);
    pq_cut_pass(&w->cut, col->stride, encoded);
    if (pq_cut_horizon(&w->cut) != horizon)
        pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    col->stride++;
    return NRW_OK;
}

static nrw_status fill_strides(pq_push *p, uint32_t c, int64_t target, nrw_error *err)
{
    while (p->w->columns[c].row < target)
        TRY(fill_stride(p, c, target, err));
    return NRW_OK;
}

/* The column's rows up to `target`, in its turn, which is given up with the morsel's last row. */
static nrw_status push_column(pq_push *p, uint32_t c, int64_t target, nrw_error *err)
{
    pq_writer *w = p->w;
    pq_wcolumn *col = &w->columns[c];
    TRY(pq_queue_turn(w, &col->turn, p->b->morsel, err));
    if (pq_is_nested(w, c)) {
        TRY(fill_strides(p, c, target, err));
    } else if (col->row < target) {
        uint32_t leaf = w->leaves.first[c];
        TRY(pq_room_take(w, leaf, (uint64_t)(target - col->row), err));
        TRY(pq_give_actor(p, leaf, fill_strides(p, c, target, err), err));
    }
    if (target == p->end) {
        batch_drop(p->b, c);
        if (p->b->last)
            turn_done(&col->turn, p->b->morsel);
    }
    return NRW_OK;
}

/* Waits until rows behind `row` may be appended; how far. */
static nrw_status wait_horizon(pq_push *p, int64_t row, int64_t *target, nrw_error *err)
{
    pq_writer *w = p->w;
    nrw_status st = NRW_OK;
    pthread_mutex_lock(&w->lock);
    for (int i = 0; st == NRW_OK && pq_cut_horizon(&w->cut) <= row; i++) {
        if (i >= TURN_PAUSES || pq_queue_any(w)) {
            st = pq_queue_wait(w, err);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        turn_pause();
        pthread_mutex_lock(&w->lock);
    }
    int64_t horizon = pq_cut_horizon(&w->cut);
    pthread_mutex_unlock(&w->lock);
    *target = horizon < p->end ? horizon : p->end;
    return st;
}

static nrw_status push_rows(pq_push *p, nrw_error *err)
{
    int64_t row = p->first, target = p->end;
    do {
        if (row < p->end)
            TRY(wait_horizon(p, row, &target, err));
        for (uint32_t c = 0; c < p->w->n_columns; c++) {
            nrw_status st = push_column(p, c, target, err);
            if (st < 0) {
                err_at_column(err, p->w->schema->fields[c].name);
                return st;
            }
        }
        row = target;
    } while (row < p->end);
    return NRW_OK;
}

static nrw_status writer_push(writer *base, batch *b, nrw_error *err)
{
    pq_writer *w = (pq_writer *)base;
    pq_push p = {.w = w, .b = b, .pages = {.m = w->m}};
    /* what stands behind the file's columns are keys that only an operator needed */
    for (uint32_t c = w->n_columns; c < b->n_cols; c++)
        batch_drop(b, c);
    nrw_status st = turn_wait(&w->entry, b->morsel);
    if (st == NRW_OK && b->n_cols < w->n_columns)
        st = err_set(err, NRW_E_SCHEMA, "a batch of %u columns for a file of %u", b->n_cols,
                     w->n_columns);
    if (st == NRW_OK) {
        p.first = w->rows;
        p.end = w->rows = p.first + batch_alive(b);
        if (b->last)
            turn_done(&w->entry, b->morsel);
        st = push_rows(&p, err);
    }
    pq_push_release(&p);
    if (st == NRW_OK && w->room->shared) /* of writers that nobody is at no pages wait */
        st = pq_queue_shrink(w, 0, err);
    if (st < 0)
        pq_writer_stop(w);
    return st;
}

/* ---- the end ---- */

static nrw_status finish_columns(pq_push *p, nrw_error *err)
{
    pq_writer *w = p->w;
    for (uint32_t c = 0; c < w->n_columns; c++) {
        pq_wcolumn *col = &w->columns[c];
        if (col->row == col->group_row)
            continue;
        nrw_status st = pq_finish_leaves(p, c, col->row - col->group_row, err);
        if (st < 0) {
            err_at_column(err, w->schema->fields[c].name);
            return st;
        }
        col->group_row = col->row;
    }
    for (bool any = true; any;)
        TRY(pq_queue_work(w, &any, err));
    return NRW_OK;
}

static nrw_status finish_file(pq_push *p, file_summary *out, nrw_error *err)
{
    pq_writer *w = p->w;
    if (w->stopped || w->finished)
        return w->stopped ? NRW_E_CANCELLED : err_set(err, NRW_E_ARG, "the file is finished");
    w->finished = true;
    TRY(finish_columns(p, err));
    TRY(pq_file_last(w, err));
    if (w->sum.rows != w->rows)
        return err_set(err, NRW_E_CORRUPT, "%lld rows came, %lld were written", (long long)w->rows,
                       (long long)w->sum.rows);
    *out = w->sum;
    out->spilled = spill_written(w->spill) - w->spilled_before;
    return NRW_OK;
}

static nrw_status writer_finish(writer *base, file_summary *out, nrw_error *err)
{
    pq_writer *w = (pq_writer *)base;
    *out = (file_summary){0};
    pq_push p = {.w = w, .pages = {.m = w->m}};
    nrw_status st = finish_file(&p, out, err);
    pq_push_release(&p);
    if (st < 0)
        pq_writer_stop(w);
    return st;
}
