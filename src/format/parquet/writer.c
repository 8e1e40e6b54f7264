/* The Parquet writer: how a batch becomes pages.
 *
 * Every written column has a turn, taken in the order of morsels. Who pushes a morsel walks its
 * columns from the first to the last: takes the column's turn, reads the lazy column in pieces,
 * appends them to the column's actor and gives the turn up. Pages that became full wait in a queue
 * (page_queue.c): a thread whose turn has not come compresses some. So threads work on different
 * columns at the same time, or compress, and each holds one column of its batch. Rows get their
 * place in the file when a push begins, in order.
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
                              .statistics_truncate = 64};
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
}

static void writer_stop(writer *base)
{
    pq_writer_stop((pq_writer *)base);
}

static void free_benches(pq_writer *w)
{
    while (w->benches) {
        pq_bench *b = w->benches;
        w->benches = b->next;
        pq_bench_free(b);
    }
    pq_bench_free(w->big);
}

static void writer_close(writer *base)
{
    pq_writer *w = (pq_writer *)base;
    if (!w)
        return;
    for (uint32_t c = 0; w->columns && c < w->n_columns; c++)
        pq_column_writer_free(w->columns[c].actor);
    mem_free(w->m, w->columns, w->n_columns * sizeof *w->columns);
    pq_queue_release(w);
    pq_groups_release(w);
    pq_log_release(&w->file_env, &w->metadata);
    pq_log_release(&w->file_env, &w->column_indexes);
    pq_log_release(&w->file_env, &w->offset_indexes);
    free_benches(w);
    mem_free_account(w->actors);
    mem_free_account(w->held);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    mem_free(w->m, w, sizeof *w);
}

static nrw_status open_columns(pq_writer *w, nrw_error *err)
{
    void *p = NULL;
    TRY(mem_zalloc(w->m, w->n_columns * sizeof *w->columns, &p, err));
    w->columns = p;
    for (uint32_t c = 0; c < w->n_columns; c++) {
        turn_init(&w->columns[c].turn);
        w->columns[c].most = pq_column_most(&w->schema->fields[c], w->opts);
    }
    for (int i = 0; i < PQ_GROUPS; i++) {
        TRY(mem_zalloc(w->m, w->n_columns * sizeof(pq_wchunk), &p, err));
        w->groups[i].chunks = p;
    }
    return NRW_OK;
}

static nrw_status open_parts(pq_writer *w, uint64_t limit, nrw_error *err)
{
    TRY(mem_child(w->m, "column writers", MEM_NO_LIMIT, &w->actors, err));
    TRY(mem_child(w->m, "finished pages", 0, &w->held, err));
    TRY(pq_room_plan(w, limit, err));
    TRY(open_columns(w, err));
    pq_cut_init(&w->cut, w->opts->row_group_bytes, w->opts->row_group_rows, w->n_columns,
                PQ_GROUPS);
    w->base_size = target_size(w->target);
    w->spilled_before = spill_written(w->spill);
    mem_set_limit(w->held, w->pool - w->reserve);
    return target_write(w->target, (span){(const uint8_t *)"PAR1", 4}, err);
}

static nrw_status writer_push(writer *base, batch *b, nrw_error *err);
static nrw_status writer_finish(writer *base, file_summary *out, nrw_error *err);

nrw_status parquet_writer_open(mem *grant, spill *sp, target *t, const schema *s,
                               const pq_write_options *opts, uint32_t workers, writer **out,
                               nrw_error *err)
{
    static const writer_class class = {.name = "parquet",
                                       .push = writer_push,
                                       .finish = writer_finish,
                                       .stop = writer_stop,
                                       .close = writer_close};
    void *p = NULL;
    uint64_t limit = mem_room(grant);
    *out = NULL;
    TRY(mem_zalloc(grant, sizeof(pq_writer), &p, err));
    pq_writer *w = p;
    w->base.class = &class;
    w->m = grant;
    w->spill = sp;
    w->target = t;
    w->schema = s;
    w->opts = opts;
    w->n_columns = s->n_fields;
    w->workers = workers ? workers : 1;
    w->idle_top = PQ_NO_COLUMN;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    turn_init(&w->entry);
    nrw_status st = open_parts(w, limit, err);
    if (st < 0) {
        writer_close(&w->base);
        return st;
    }
    *out = &w->base;
    return NRW_OK;
}

/* One batch being pushed, or the end of the file. */
typedef struct push {
    pq_writer *w;
    batch *b;
    int64_t first, end; /* its rows in the file */
    pq_page_list pages; /* just out of an actor */
} push;

/* Gives the actor's finished pages their slots; compresses some where too many would wait. */
static nrw_status take_pages(push *p, uint32_t c, nrw_error *err)
{
    TRY(pq_queue_add(p->w, p->w->columns[c].group, c, &p->pages, err));
    return pq_queue_shrink(p->w, p->w->queue_max, err);
}

/* ---- rows ---- */

static nrw_status finish_chunk(push *p, uint32_t c, int64_t rows, nrw_error *err)
{
    pq_writer *w = p->w;
    pq_wcolumn *col = &w->columns[c];
    pq_chunk_stats stats = {0};
    TRY(pq_column_finish(col->actor, &p->pages, &stats, err));
    nrw_status st = take_pages(p, c, err);
    if (st == NRW_OK && stats.rows != rows)
        st = err_set(err, NRW_E_CORRUPT, "a chunk of %lld rows, %lld were appended",
                     (long long)stats.rows, (long long)rows);
    if (st == NRW_OK)
        return pq_group_chunk_done(w, col->group, c, &stats, err);
    bytes_release(&stats.min);
    bytes_release(&stats.max);
    return st;
}

static nrw_status check_piece(const pq_writer *w, uint32_t c, const vector *v, nrw_error *err)
{
    const field *f = &w->schema->fields[c];
    if (!type_equal(&v->type, &f->type)) {
        char have[64], want[64];
        type_print(&v->type, have, sizeof have);
        type_print(&f->type, want, sizeof want);
        return err_set(err, NRW_E_SCHEMA, "%s came where %s is written", have, want);
    }
    if (v->null_count && !f->nullable)
        return err_set(err, NRW_E_VALUE, "a null in a column that has none by its schema");
    return NRW_OK;
}

/* Bytes of value i of a dictionary or flat vector of texts. */
static uint32_t text_len(const vector *v, uint32_t i)
{
    const vector *values = v;
    if (v->form == VECTOR_DICT) {
        i = load_u32(v->data + 4 * (size_t)i);
        values = &v->dict->values;
    }
    return (uint32_t)((const view *)values->data)[i].len;
}

/* The length that no text of a small dictionary passes. */
static uint32_t longest_entry(const dict *d)
{
    const view *v = (const view *)d->values.data;
    int32_t most = 0;
    for (uint32_t i = 0; i < d->values.len; i++)
        most = v[i].len > most ? v[i].len : most;
    return (uint32_t)most;
}

/* Rows below this are counted exactly: a dictionary may hold one giant text. */
#define ROWS_BY_LONGEST 4096

/* How many rows from `row` on are about `bytes` of plain values, at least one: views, dictionaries
 * and runs can stand for far more bytes than they take. */
static uint32_t plain_rows(const vector *v, uint32_t row, size_t bytes)
{
    if (!type_is_view(&v->type)) {
        size_t n = size_max(bytes / size_max(v->type.width, 1), 1);
        return (uint32_t)size_min(n, v->len - row);
    }
    if (v->form == VECTOR_DICT && v->dict->values.len < ROWS_BY_LONGEST / 4) {
        size_t n = bytes / (4 + longest_entry(v->dict));
        if (n >= ROWS_BY_LONGEST)
            return (uint32_t)size_min(n, v->len - row);
    }
    const uint32_t *ends = (const uint32_t *)v->data;
    uint32_t at = row, run = 0;
    size_t sum = 0;
    while (v->form == VECTOR_RUNS && run < v->n_runs && ends[run] <= row)
        run++;
    while (at < v->len && sum < bytes) {
        if (v->form != VECTOR_RUNS) {
            sum += 4 + text_len(v, at++);
            continue;
        }
        size_t each = 4 + (size_t)text_len(v->values, run);
        size_t n = size_min((bytes - sum) / each + 1, ends[run] - at);
        sum += n * each;
        at += (uint32_t)n;
        run += at == ends[run];
    }
    return at - row;
}

static nrw_status append_piece(push *p, uint32_t c, const vector *v, nrw_error *err)
{
    pq_column_writer *actor = p->w->columns[c].actor;
    size_t most = p->w->piece_bytes;
    TRY(check_piece(p->w, c, v, err));
    uint32_t n = plain_rows(v, 0, most);
    if (n == v->len) {
        TRY(pq_column_append(actor, v, &p->pages, err));
        return take_pages(p, c, err);
    }
    for (uint32_t row = 0; row < v->len; row += n) {
        vector part;
        n = plain_rows(v, row, most);
        TRY(vector_slice(v, row, n, p->b->m, &part, err));
        nrw_status st = pq_column_append(actor, &part, &p->pages, err);
        vector_release(&part);
        TRY(st);
        TRY(take_pages(p, c, err));
    }
    return NRW_OK;
}

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
static nrw_status append_rows(push *p, uint32_t c, int64_t until, nrw_error *err)
{
    pq_wcolumn *col = &p->w->columns[c];
    column_walk walk = batch_walk(p->b, c);
    walk.at = (uint32_t)(col->row - p->first);
    walk.until = (uint32_t)(until - p->first);
    while (walk.at < walk.until) {
        vector v;
        nrw_status st = column_next(&walk, p->w->piece_bytes, &v, err);
        if (st == NRW_END)
            break;
        TRY(st);
        st = append_piece(p, c, &v, err);
        if (st == NRW_E_VALUE && !p->b->sel)
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

/* One stride's share of the column; a row group that ended before it is finished first. */
static nrw_status fill_stride(push *p, uint32_t c, int64_t target, nrw_error *err)
{
    pq_writer *w = p->w;
    pq_wcolumn *col = &w->columns[c];
    pthread_mutex_lock(&w->lock);
    pq_stride s = *pq_cut_at(&w->cut, col->stride);
    pthread_mutex_unlock(&w->lock);
    if (s.group != col->group) {
        TRY(finish_chunk(p, c, s.group_row - col->group_row, err));
        col->group = s.group;
        col->group_row = s.group_row;
    }
    TRY(append_rows(p, c, target < s.end ? target : s.end, err));
    if (col->row < s.end)
        return NRW_OK;
    uint64_t encoded = pq_column_encoded(col->actor);
    pthread_mutex_lock(&w->lock);
    int64_t horizon = pq_cut_horizon(&w->cut);
    pq_cut_pass(&w->cut, col->stride, encoded);
    if (pq_cut_horizon(&w->cut) != horizon)
        pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    col->stride++;
    return NRW_OK;
}

/* The column's rows up to `target`, in its turn, which is given up with the morsel's last row. */
static nrw_status push_column(push *p, uint32_t c, int64_t target, nrw_error *err)
{
    pq_writer *w = p->w;
    pq_wcolumn *col = &w->columns[c];
    TRY(pq_queue_turn(w, &col->turn, p->b->morsel, err));
    if (col->row < target) {
        TRY(pq_room_take(w, c, (uint64_t)(target - col->row), err));
        nrw_status st = NRW_OK;
        while (st == NRW_OK && col->row < target)
            st = fill_stride(p, c, target, err);
        nrw_status given = pq_room_give(w, c, st < 0 ? NULL : err);
        TRY(st);
        TRY(given);
    }
    if (target == p->end) {
        batch_drop(p->b, c);
        if (p->b->last)
            turn_done(&col->turn, p->b->morsel);
    }
    return NRW_OK;
}

/* Waits until rows behind `row` may be appended; how far. */
static nrw_status wait_horizon(push *p, int64_t row, int64_t *target, nrw_error *err)
{
    pq_writer *w = p->w;
    nrw_status st = NRW_OK;
    pthread_mutex_lock(&w->lock);
    while (st == NRW_OK && pq_cut_horizon(&w->cut) <= row)
        st = pq_queue_wait(w, err);
    int64_t horizon = pq_cut_horizon(&w->cut);
    pthread_mutex_unlock(&w->lock);
    *target = horizon < p->end ? horizon : p->end;
    return st;
}

static nrw_status push_rows(push *p, nrw_error *err)
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
    push p = {.w = w, .b = b, .pages = {.m = w->m}};
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
    pq_page_list_release(&p.pages);
    if (st < 0)
        pq_writer_stop(w);
    return st;
}

/* ---- the end ---- */

static nrw_status finish_columns(push *p, nrw_error *err)
{
    pq_writer *w = p->w;
    for (uint32_t c = 0; c < w->n_columns; c++) {
        pq_wcolumn *col = &w->columns[c];
        if (col->row == col->group_row)
            continue;
        nrw_status st = pq_room_take(w, c, 0, err);
        if (st == NRW_OK) {
            st = finish_chunk(p, c, col->row - col->group_row, err);
            nrw_status given = pq_room_give(w, c, st < 0 ? NULL : err);
            st = st < 0 ? st : given;
        }
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

static nrw_status finish_file(push *p, file_summary *out, nrw_error *err)
{
    pq_writer *w = p->w;
    if (w->stopped || w->finished)
        return w->stopped ? NRW_E_CANCELLED : err_set(err, NRW_E_ARG, "the file is finished");
    w->finished = true;
    TRY(finish_columns(p, err));
    TRY(pq_footer_write(w, err));
    if (w->file_rows != w->rows)
        return err_set(err, NRW_E_CORRUPT, "%lld rows came, %lld were written", (long long)w->rows,
                       (long long)w->file_rows);
    *out = (file_summary){.rows = w->file_rows,
                          .row_groups = w->row_groups,
                          .bytes = target_size(w->target) - w->base_size,
                          .spilled = spill_written(w->spill) - w->spilled_before,
                          .encoded = w->encoded};
    return NRW_OK;
}

static nrw_status writer_finish(writer *base, file_summary *out, nrw_error *err)
{
    pq_writer *w = (pq_writer *)base;
    *out = (file_summary){0};
    push p = {.w = w, .pages = {.m = w->m}};
    nrw_status st = finish_file(&p, out, err);
    pq_page_list_release(&p.pages);
    if (st < 0)
        pq_writer_stop(w);
    return st;
}
