/* How a piece of a column comes to the actors of its leaves: in parts whose values take about so
 * many bytes, nested ones leaf by leaf. */
#include "format/parquet/writer_own.h"

void pq_push_release(pq_push *p)
{
    pq_shred_free(p->shred);
    pq_page_list_release(&p->pages);
}

/* Gives the actor's finished pages their slots; compresses some where too many would wait. */
static nrw_status take_pages(pq_push *p, uint32_t leaf, nrw_error *err)
{
    pq_writer *w = p->w;
    TRY(pq_queue_add(w, w->columns[w->leaves.at[leaf].column].group, leaf, &p->pages, err));
    return pq_queue_shrink(w, w->room->shares.queue_max, err);
}

nrw_status pq_give_actor(pq_push *p, uint32_t leaf, nrw_status st, nrw_error *err)
{
    pq_wactor *a = &p->w->actor[leaf];
    a->encoded = pq_column_encoded(a->writer);
    nrw_status given = pq_room_give(p->w, leaf, st < 0 ? NULL : err);
    return st < 0 ? st : given;
}

nrw_status pq_finish_chunk(pq_push *p, uint32_t leaf, int64_t rows, nrw_error *err)
{
    pq_writer *w = p->w;
    pq_chunk_stats stats = {0};
    TRY(pq_column_finish(w->actor[leaf].writer, &p->pages, &stats, err));
    nrw_status st = take_pages(p, leaf, err);
    if (st == NRW_OK && stats.rows != rows)
        st = err_set(err, NRW_E_CORRUPT, "a chunk of %lld rows, %lld were appended",
                     (long long)stats.rows, (long long)rows);
    if (st == NRW_OK)
        return pq_group_chunk_done(w, w->columns[w->leaves.at[leaf].column].group, leaf, &stats,
                                   err);
    bytes_release(&stats.min);
    bytes_release(&stats.max);
    return st;
}

nrw_status pq_finish_leaves(pq_push *p, uint32_t c, int64_t rows, nrw_error *err)
{
    pq_writer *w = p->w;
    for (uint32_t l = w->leaves.first[c]; l < w->leaves.first[c + 1]; l++) {
        TRY(pq_room_take(w, l, 0, err));
        TRY(pq_give_actor(p, l, pq_finish_chunk(p, l, rows, err), err));
    }
    return NRW_OK;
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

/* A leaf's part of a nested piece. */
static nrw_status append_leaf(pq_push *p, uint32_t leaf, nrw_error *err)
{
    pq_column_writer *actor = p->w->actor[leaf].writer;
    pq_levels *piece;
    nrw_status st;
    while ((st = pq_shred_next(p->shred, &piece, err)) == NRW_OK) {
        while (piece->at < piece->n) {
            TRY(pq_column_append_levels(actor, piece, &p->pages, err));
            TRY(take_pages(p, leaf, err));
        }
    }
    return st == NRW_END ? NRW_OK : st;
}

static nrw_status append_nested(pq_push *p, uint32_t c, const vector *v, nrw_error *err)
{
    pq_writer *w = p->w;
    if (!p->shred)
        TRY(pq_shred_new(w->m, &w->leaves, &p->shred, err));
    for (uint32_t l = w->leaves.first[c]; l < w->leaves.first[c + 1]; l++) {
        uint64_t values = pq_shred_begin(p->shred, &w->leaves.at[l], &w->schema->fields[c], v);
        TRY(pq_room_take(w, l, values, err));
        TRY(pq_give_actor(p, l, append_leaf(p, l, err), err));
    }
    return NRW_OK;
}

nrw_status pq_append_piece(pq_push *p, uint32_t c, const vector *v, nrw_error *err)
{
    size_t most = p->w->room->shares.piece_bytes;
    TRY(check_piece(p->w, c, v, err));
    if (pq_is_nested(p->w, c))
        return append_nested(p, c, v, err);
    uint32_t leaf = p->w->leaves.first[c], n;
    pq_column_writer *actor = p->w->actor[leaf].writer;
    for (uint32_t row = 0; row < v->len; row += n) {
        n = plain_rows(v, row, most);
        TRY(pq_column_append(actor, v, row, n, &p->pages, err));
        TRY(take_pages(p, leaf, err));
    }
    return NRW_OK;
}

nrw_status pq_writer_nulls(pq_writer *w, uint32_t column, int64_t rows, nrw_error *err)
{
    const int64_t most = 4096, bytes = 65536;
    const type *t = &w->schema->fields[column].type;
    int64_t fit = bytes / (t->width ? t->width : 1);
    batch b = {.m = w->m};
    pq_push p = {.w = w, .b = &b, .pages = {.m = w->m}};
    uint32_t leaf = w->leaves.first[column];
    nrw_status st = NRW_OK;
    fit = fit < 1 ? 1 : fit < most ? fit : most;
    if (!pq_is_nested(w, column))
        TRY(pq_room_take(w, leaf, (uint64_t)rows, err));
    while (st == NRW_OK && rows > 0) {
        vector v;
        st = vector_nulls(w->m, t, (uint32_t)(rows < fit ? rows : fit), &v, err);
        if (st < 0)
            break;
        rows -= v.len;
        st = pq_append_piece(&p, column, &v, err);
        vector_release(&v);
    }
    if (!pq_is_nested(w, column))
        st = pq_give_actor(&p, leaf, st, err);
    pq_push_release(&p);
    return st;
}
