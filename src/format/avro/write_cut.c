/* Blocks: cut in order, compressed by all workers, written in order. */
#include "format/avro/write_own.h"
#include "format/avro/write_value.h"

#define BLOCK_ROWS ((uint32_t)1 << 20) /* of a block, if they have no bytes */

/* ---- tasks ---- */

static void task_free(av_writer *w, task *k)
{
    bytes_release(&k->rows.data);
    bytes_release(&k->head.data);
    codec_ctx_release(&k->codec);
    mem_free(w->m, k->lanes, w->n * sizeof *k->lanes + 1);
    mem_free(w->m, k->ends, AV_ROWS_MAX * sizeof *k->ends);
    mem_free(w->m, k->blocks, k->cap_blocks * sizeof *k->blocks);
    mem_free(w->m, k->packed, k->packed_cap);
    mem_free(w->m, k, sizeof *k);
}

static nrw_status task_new(av_writer *w, task **out, nrw_error *err)
{
    task *k;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(w->m, sizeof *k, (void **)&k, err));
    k->rows.data = k->head.data = bytes_init(w->m, INT32_MAX);
    k->codec = codec_ctx_init(w->opts->codec, w->m);
    st = mem_zalloc(w->m, w->n * sizeof *k->lanes + 1, (void **)&k->lanes, err);
    if (st >= 0)
        st = mem_alloc(w->m, AV_ROWS_MAX * sizeof *k->ends, (void **)&k->ends, err);
    if (st < 0)
        task_free(w, k);
    else
        *out = k;
    return st;
}

nrw_status av_task_take(av_writer *w, task **out, nrw_error *err)
{
    pthread_mutex_lock(&w->lock);
    *out = w->tasks;
    if (*out)
        w->tasks = (*out)->next;
    pthread_mutex_unlock(&w->lock);
    return *out ? NRW_OK : task_new(w, out, err);
}

void av_task_give(av_writer *w, task *k)
{
    bytes_clear(&k->rows.data);
    k->rows.n = 0;
    pthread_mutex_lock(&w->lock);
    k->next = w->tasks;
    w->tasks = k;
    pthread_mutex_unlock(&w->lock);
}

void av_tasks_free(av_writer *w)
{
    while (w->tasks) {
        task *k = w->tasks;
        w->tasks = k->next;
        task_free(w, k);
    }
}

/* ---- blocks ---- */

static bool is_full(const av_writer *w, size_t bytes, uint32_t n)
{
    return bytes >= w->opts->block_bytes || n >= BLOCK_ROWS;
}

static nrw_status add_block(av_writer *w, task *k, span data, uint32_t n, nrw_error *err)
{
    if (k->n_blocks == k->cap_blocks) {
        uint32_t cap = k->cap_blocks ? k->cap_blocks * 2 : 16;
        TRY(mem_realloc(w->m, (void **)&k->blocks, k->cap_blocks * sizeof *k->blocks,
                        cap * sizeof *k->blocks, err));
        k->cap_blocks = cap;
    }
    k->blocks[k->n_blocks++] = (block){data, n};
    return NRW_OK;
}

/* Rows [from, to) of the worker's buffer. */
static span rows_span(const task *k, uint32_t from, uint32_t to)
{
    size_t at = from ? k->ends[from - 1] : 0, end = to ? k->ends[to - 1] : 0;

    span all = {k->rows.data.data, end};

    span_skip(&all, at);
    return all;
}

static nrw_status add_to(rows *r, span data, uint32_t n, nrw_error *err)
{
    TRY(bytes_append(&r->data, data.data, data.len, err));
    r->n += n;
    return NRW_OK;
}

/* In turn: what the worker has encoded goes behind the tail. */
static nrw_status cut(av_writer *w, task *k, nrw_error *err)
{
    uint32_t from = 0;

    for (uint32_t i = 0; i < k->rows.n; i++) {
        const uint32_t n = i + 1 - from;
        const span part = rows_span(k, from, i + 1);
        rows swap;
        if (!is_full(w, w->tail.data.len + part.len, w->tail.n + n))
            continue;
        from = i + 1;
        if (w->tail.n == 0) {
            TRY(add_block(w, k, part, n, err));
            continue;
        }
        TRY(add_to(&w->tail, part, n, err));
        swap = k->head;
        k->head = w->tail;
        w->tail = swap;
        bytes_clear(&w->tail.data);
        w->tail.n = 0;
        TRY(add_block(w, k, (span){k->head.data.data, k->head.data.len}, k->head.n, err));
    }
    return add_to(&w->tail, rows_span(k, from, k->rows.n), k->rows.n - from, err);
}

static nrw_status pack(av_writer *w, task *k, span data, size_t *n, nrw_error *err)
{
    const codec *c = w->opts->codec;
    size_t cap = c->bound(data.len) + sizeof(uint32_t);
    uint32_t crc;

    if (cap > k->packed_cap) {
        TRY(mem_realloc(w->m, (void **)&k->packed, k->packed_cap, cap, err));
        k->packed_cap = cap;
    }
    TRY(c->encode(&k->codec, w->opts->level, data, k->packed, cap - sizeof crc, n, err));
    if (w->crc) {
        crc = codec_crc32(0, data.data, data.len);
        for (int i = 0; i < 4; i++)
            k->packed[(*n)++] = (uint8_t)(crc >> (24 - 8 * i));
    }
    return NRW_OK;
}

static nrw_status write_block(av_writer *w, uint32_t n, span packed, nrw_error *err)
{
    uint8_t numbers[20];
    size_t len = av_long(numbers, n);

    len += av_long(numbers + len, (int64_t)packed.len);
    TRY(target_write(w->target, (span){numbers, len}, err));
    TRY(target_write(w->target, packed, err));
    return target_write(w->target, (span){w->sync, AV_SYNC}, err);
}

/* Blocks of the task, the first of which is number `first` of the file. */
static nrw_status write_blocks(av_writer *w, task *k, uint64_t first, nrw_error *err)
{
    const bool plain = w->opts->codec == codec_named("none");

    for (uint32_t i = 0; i < k->n_blocks; i++) {
        const block *b = &k->blocks[i];
        span packed = b->data;
        if (!plain) {
            packed.data = k->packed;
            TRY(pack(w, k, b->data, &packed.len, err));
            packed.data = k->packed;
        }
        TRY(turn_wait(&w->next, first + i));
        TRY(write_block(w, b->rows, packed, err));
        w->n_rows += b->rows;
        turn_done(&w->next, first + i);
        atomic_fetch_add_explicit(&w->encoded, b->data.len, memory_order_relaxed);
    }
    return NRW_OK;
}

nrw_status av_write_flush(av_writer *w, task *k, bool last, nrw_error *err)
{
    uint64_t first;

    TRY(turn_wait(&w->cut, k->b->morsel));
    k->n_blocks = 0;
    TRY(cut(w, k, err));
    first = w->blocks;
    w->blocks += k->n_blocks;
    if (last)
        turn_done(&w->cut, k->b->morsel);
    TRY(write_blocks(w, k, first, err));
    bytes_clear(&k->rows.data);
    k->rows.n = 0;
    bytes_clear(&k->head.data);
    k->head.n = 0;
    return NRW_OK;
}

nrw_status av_write_tail(av_writer *w, nrw_error *err)
{
    nrw_status st;
    task *k;

    if (w->tail.n == 0)
        return NRW_OK;
    TRY(av_task_take(w, &k, err));
    k->n_blocks = 0;
    st = add_block(w, k, (span){w->tail.data.data, w->tail.data.len}, w->tail.n, err);
    if (st >= 0)
        st = write_blocks(w, k, w->blocks, err);
    av_task_give(w, k);
    return st;
}
