/* The Avro writer: rows are encoded by all workers, cut into blocks in order, compressed by all
 * workers, and written in order.
 *
 * A block ends with the record that brings it to so many bytes, which depends on the rows alone. So
 * a worker encodes the rows of its morsel into a buffer of its own, waits until all rows before
 * them were cut, and cuts: the first of its blocks begins with what was left over by others (the
 * tail), the following ones lie in its buffer as they are, and the rest is the new tail. Then the
 * next worker may cut, while this one compresses its blocks and writes each when it is its turn. */
#include "format/avro/avro.h"
#include "format/avro/container.h"
#include "format/avro/write_schema.h"
#include "format/avro/write_value.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/turn.h"
#include "column/lanes.h"

#include <pthread.h>
#include <string.h>

#define MIB        ((size_t)1 << 20)
#define ROWS_MAX   16384u              /* of a worker's buffer */
#define BLOCK_ROWS ((uint32_t)1 << 20) /* of a block, if they have no bytes */

/* Rows on their way. */
typedef struct rows {
    bytes data;
    uint32_t n;
} rows;

typedef struct block {
    span data;
    uint32_t rows;
} block;

/* What one thread needs. */
typedef struct task {
    struct task *next;
    lane *lanes;
    rows rows;
    size_t *ends; /* of each row in rows.data; ROWS_MAX */
    rows head;    /* the first block, which began as the tail */
    block *blocks;
    uint32_t n_blocks, cap_blocks;
    uint8_t *packed;
    size_t packed_cap;
    codec_ctx codec;
    batch *b;
} task;

typedef struct av_writer {
    writer base;
    mem *m;
    target *target;
    const schema *schema;
    const avro_write_options *opts;
    bool crc;
    uint32_t n, workers;
    size_t limit; /* of a worker's encoded rows */
    uint8_t sync[AV_SYNC];
    turn cut;  /* by morsels */
    rows tail; /* in that turn */
    uint64_t blocks;
    turn next;      /* by blocks */
    int64_t n_rows; /* in that turn: of the blocks written */
    _Atomic uint64_t encoded;
    pthread_mutex_t lock; /* free tasks */
    task *tasks;
} av_writer;

/* ---- tasks ---- */

static void task_free(av_writer *w, task *k)
{
    bytes_release(&k->rows.data);
    bytes_release(&k->head.data);
    codec_ctx_release(&k->codec);
    mem_free(w->m, k->lanes, w->n * sizeof *k->lanes + 1);
    mem_free(w->m, k->ends, ROWS_MAX * sizeof *k->ends);
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
        st = mem_alloc(w->m, ROWS_MAX * sizeof *k->ends, (void **)&k->ends, err);
    if (st < 0)
        task_free(w, k);
    else
        *out = k;
    return st;
}

static nrw_status task_take(av_writer *w, task **out, nrw_error *err)
{
    pthread_mutex_lock(&w->lock);
    *out = w->tasks;
    if (*out)
        w->tasks = (*out)->next;
    pthread_mutex_unlock(&w->lock);
    return *out ? NRW_OK : task_new(w, out, err);
}

static void task_give(av_writer *w, task *k)
{
    bytes_clear(&k->rows.data);
    k->rows.n = 0;
    pthread_mutex_lock(&w->lock);
    k->next = w->tasks;
    w->tasks = k;
    pthread_mutex_unlock(&w->lock);
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

/* What was encoded so far is cut and written; `last`: nothing more comes of the morsel. */
static nrw_status flush(av_writer *w, task *k, bool last, nrw_error *err)
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

/* ---- rows ---- */

static nrw_status too_large(const av_writer *w, const task *k, nrw_status st, nrw_error *err)
{
    char n[TEXT_NUMBER];

    if (st != NRW_E_MEMLIMIT)
        return st;
    (void)w;
    err_next(err, "give more with --memory");
    return err_set(err, st, "a record of more than %s bytes does not fit in memory",
                   text_group(k->rows.data.len, n));
}

static nrw_status put_row(av_writer *w, task *k, uint32_t row, nrw_error *err)
{
    for (uint32_t c = 0; c < w->n; c++) {
        const field *f = &w->schema->fields[c];
        const lane *l = &k->lanes[c];
        nrw_status st = av_put(&k->rows.data, f, &l->v, l->at + row, err);
        if (st < 0) {
            err_at_column(err, f->name);
            return too_large(w, k, st, err);
        }
    }
    k->ends[k->rows.n++] = k->rows.data.len;
    return NRW_OK;
}

static nrw_status put_rows(av_writer *w, task *k, nrw_error *err)
{
    uint32_t n, rows = batch_alive(k->b);
    nrw_status st;

    for (uint32_t i = 0; w->n == 0 && i < rows; i++) { /* records without fields */
        if (k->rows.n == ROWS_MAX)
            TRY(flush(w, k, false, err));
        TRY(put_row(w, k, i, err));
    }
    while ((st = lanes_next(k->lanes, w->n, w->workers, ROWS_MAX, &n, err)) == NRW_OK) {
        for (uint32_t i = 0; i < n; i++) {
            if (k->rows.n == ROWS_MAX || (k->rows.n && k->rows.data.len >= w->limit))
                TRY(flush(w, k, false, err));
            TRY(put_row(w, k, i, err));
        }
        lanes_skip(k->lanes, w->n, n);
    }
    return st < 0 ? st : flush(w, k, k->b->last, err);
}

static nrw_status writer_push(writer *base, batch *b, nrw_error *err)
{
    av_writer *w = (av_writer *)base;
    nrw_status st;
    task *k;

    TRY(task_take(w, &k, err));
    k->b = b;
    st = lanes_open(k->lanes, w->n, b, err);
    if (st >= 0) {
        st = put_rows(w, k, err);
        lanes_close(k->lanes, w->n);
    }
    task_give(w, k);
    return st < 0 ? st : NRW_OK;
}

static nrw_status writer_finish(writer *base, file_summary *out, nrw_error *err)
{
    av_writer *w = (av_writer *)base;

    if (w->tail.n) {
        task *k;
        nrw_status st;
        TRY(task_take(w, &k, err));
        k->n_blocks = 0;
        st = add_block(w, k, (span){w->tail.data.data, w->tail.data.len}, w->tail.n, err);
        if (st >= 0)
            st = write_blocks(w, k, w->blocks, err);
        task_give(w, k);
        TRY(st);
    }
    *out = (file_summary){.rows = w->n_rows,
                          .bytes = target_size(w->target) - target_began(w->target),
                          .encoded = atomic_load(&w->encoded)};
    return NRW_OK;
}

static void writer_stop(writer *base)
{
    av_writer *w = (av_writer *)base;

    turn_stop(&w->cut);
    turn_stop(&w->next);
}

static void writer_close(writer *base)
{
    av_writer *w = (av_writer *)base;

    while (w->tasks) {
        task *k = w->tasks;
        w->tasks = k->next;
        task_free(w, k);
    }
    bytes_release(&w->tail.data);
    pthread_mutex_destroy(&w->lock);
    mem_free(w->m, w, sizeof *w);
}

static const writer_class avro_writer_class = {"avro",      writer_push,  writer_finish,
                                               writer_stop, writer_close, NULL};

/* ---- the header ---- */

static nrw_status put_bytes(bytes *out, const void *p, size_t n, nrw_error *err)
{
    TRY(av_put_long(out, (int64_t)n, err));
    return bytes_append(out, p, n, err);
}

static nrw_status put_pair(bytes *out, const char *key, const void *value, size_t n, nrw_error *err)
{
    TRY(put_bytes(out, key, strlen(key), err));
    return put_bytes(out, value, n, err);
}

/* Everything in front of the marker. */
static nrw_status put_header(av_writer *w, bytes *out, span schema_text, nrw_error *err)
{
    const avro_write_options *o = w->opts;
    const char *codec = av_codec_name(o->codec);

    TRY(bytes_append(out, "Obj\1", 4, err));
    TRY(av_put_long(out, 2 + (int64_t)o->n_key_values, err));
    TRY(put_pair(out, "avro.schema", schema_text.data, schema_text.len, err));
    TRY(put_pair(out, "avro.codec", codec, strlen(codec), err));
    for (uint32_t i = 0; i < o->n_key_values; i++)
        TRY(put_pair(out, o->key_values[i].key, o->key_values[i].value, o->key_values[i].value_len,
                     err));
    return av_put_long(out, 0, err);
}

/* The marker follows from schema, metadata and options: the same rows give the same file. */
static void make_marker(av_writer *w, const bytes *header)
{
    uint64_t hash = hash_bytes(header->data, header->len);

    for (int i = 0; i < 2; i++) {
        hash = hash_combine(hash, (uint64_t)w->opts->level << 32 | w->opts->block_bytes);
        memcpy(w->sync + 8 * i, &hash, 8);
    }
}

static nrw_status write_header(av_writer *w, nrw_error *err)
{
    bytes text = bytes_init(w->m, INT32_MAX), header = text;
    nrw_status st;

    TRY_OUT(av_schema_write(w->m, w->schema, &text, err));
    TRY_OUT(put_header(w, &header, (span){text.data, text.len}, err));
    make_marker(w, &header);
    TRY_OUT(target_write(w->target, (span){header.data, header.len}, err));
    st = target_write(w->target, (span){w->sync, AV_SYNC}, err);
out:
    bytes_release(&text);
    bytes_release(&header);
    return st;
}

/* What the target begins with was looked at before: it must still be that file. */
static nrw_status check_prior(av_writer *w, nrw_error *err)
{
    const avro_append *a = w->opts->append;
    const uint64_t size = target_began(w->target);
    uint8_t first[AV_SYNC] = {0}, last[AV_SYNC];

    if (a && size >= a->header) {
        TRY(target_read(w->target, a->header - AV_SYNC, first, AV_SYNC, err));
        TRY(target_read(w->target, size - AV_SYNC, last, AV_SYNC, err));
        memcpy(w->sync, a->sync, AV_SYNC);
        if (memcmp(first, a->sync, AV_SYNC) == 0 && memcmp(last, a->sync, AV_SYNC) == 0)
            return NRW_OK;
    }
    err_next(err, "run it again");
    return err_set(err, NRW_E_CHANGED, "was changed by another program, nothing was written");
}

/* ---- opening ---- */

const codec *avro_codec(const char *name)
{
    bool crc;
    const codec *c = av_codec_named(name, &crc);

    if (!c && strcmp(name, "none") == 0)
        return codec_named("none");
    if (!c && strcmp(name, "uncompressed") == 0)
        return codec_named("none");
    if (!c && strcmp(name, "gzip") == 0)
        return codec_named("deflate");
    if (!c)
        c = codec_named(name);
    return c && av_codec_name(c) ? c : NULL;
}

nrw_status avro_schema_text(mem *m, const schema *s, bytes *out, nrw_error *err)
{
    return av_schema_write(m, s, out, err);
}

/* What a worker takes beside its encoded rows: a block of others' rows, one packed, the codec. */
static uint64_t task_bytes(const schema *s, const avro_write_options *o)
{
    const size_t block = o->block_bytes;

    return mem_cost(sizeof(task)) + mem_cost(ROWS_MAX * sizeof(size_t)) +
           s->n_fields * sizeof(lane) + 4 * block + mem_cost(o->codec->bound(2 * block)) +
           o->codec->encode_mem(o->level, 2 * block) + ((uint64_t)64 << 10);
}

static uint64_t shared_bytes(const schema *s, const avro_write_options *o)
{
    uint64_t text = 0;

    for (uint32_t i = 0; i < s->n_fields; i++)
        text += 256 + strlen(s->fields[i].name);
    return 4 * o->block_bytes + 4 * text + ((uint64_t)64 << 10);
}

nrw_status avro_write_budget(const schema *s, const avro_write_options *opts, uint32_t workers,
                             budget *out, nrw_error *err)
{
    const uint64_t fixed = shared_bytes(s, opts) + workers * task_bytes(s, opts);

    (void)err;
    *out = (budget){.least = fixed + workers * 2 * opts->block_bytes,
                    .wish = fixed + workers * 2 * size_max(4 * MIB, opts->block_bytes)};
    return NRW_OK;
}

budget avro_write_held(const schema *s)
{
    lanes_memory held = lanes_held(s->n_fields);

    return (budget){.least = held.least, .wish = held.wish};
}

/* Rows that a worker encodes before it cuts; its buffer doubles as it grows. */
static size_t rows_limit(const av_writer *w)
{
    const uint64_t fixed =
        shared_bytes(w->schema, w->opts) + w->workers * task_bytes(w->schema, w->opts);
    const uint64_t have = mem_room(w->m);
    uint64_t each = have > fixed ? (have - fixed) / w->workers / 2 : 0;

    each = each > 4 * MIB ? 4 * MIB : each;
    return size_max((size_t)each, w->opts->block_bytes);
}

nrw_status avro_writer_open(mem *grant, target *t, const schema *s, const avro_write_options *opts,
                            uint32_t workers, writer **out, nrw_error *err)
{
    av_writer *w;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(grant, sizeof *w, (void **)&w, err));
    w->base.class = &avro_writer_class;
    w->m = grant;
    w->target = t;
    w->schema = s;
    w->opts = opts;
    w->n = s->n_fields;
    w->workers = workers ? workers : 1;
    w->tail.data = bytes_init(grant, INT32_MAX);
    av_codec_named(av_codec_name(opts->codec), &w->crc);
    turn_init(&w->cut);
    turn_init(&w->next);
    pthread_mutex_init(&w->lock, NULL);
    w->limit = rows_limit(w);
    st = opts->append || target_began(t) ? check_prior(w, err) : write_header(w, err);
    if (st < 0) {
        writer_close(&w->base);
        return st;
    }
    *out = &w->base;
    return NRW_OK;
}
