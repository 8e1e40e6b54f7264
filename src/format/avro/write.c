/* The Avro writer: rows are encoded by all workers, cut into blocks in order, compressed by all
 * workers, and written in order.
 *
 * A block ends with the record that brings it to so many bytes, which depends on the rows alone. So
 * a worker encodes the rows of its morsel into a buffer of its own, waits until all rows before
 * them were cut, and cuts: the first of its blocks begins with what was left over by others (the
 * tail), the following ones lie in its buffer as they are, and the rest is the new tail. Then the
 * next worker may cut, while this one compresses its blocks and writes each when it is its turn. */
#include "format/avro/write_own.h"
#include "format/avro/write_schema.h"
#include "format/avro/write_value.h"

#include "base/text.h"

#define MIB ((size_t)1 << 20)

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
        if (k->rows.n == AV_ROWS_MAX)
            TRY(av_write_flush(w, k, false, err));
        TRY(put_row(w, k, i, err));
    }
    while ((st = lanes_next(k->lanes, w->n, w->workers, AV_ROWS_MAX, &n, err)) == NRW_OK) {
        for (uint32_t i = 0; i < n; i++) {
            if (k->rows.n == AV_ROWS_MAX || (k->rows.n && k->rows.data.len >= w->limit))
                TRY(av_write_flush(w, k, false, err));
            TRY(put_row(w, k, i, err));
        }
        lanes_skip(k->lanes, w->n, n);
    }
    return st < 0 ? st : av_write_flush(w, k, k->b->last, err);
}

static nrw_status writer_push(writer *base, batch *b, nrw_error *err)
{
    av_writer *w = (av_writer *)base;
    nrw_status st;
    task *k;

    TRY(av_task_take(w, &k, err));
    k->b = b;
    st = lanes_open(k->lanes, w->n, b, err);
    if (st >= 0) {
        st = put_rows(w, k, err);
        lanes_close(k->lanes, w->n);
    }
    av_task_give(w, k);
    return st < 0 ? st : NRW_OK;
}

static nrw_status writer_finish(writer *base, file_summary *out, nrw_error *err)
{
    av_writer *w = (av_writer *)base;

    TRY(av_write_tail(w, err));
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

    av_tasks_free(w);
    bytes_release(&w->tail.data);
    pthread_mutex_destroy(&w->lock);
    mem_free(w->m, w, sizeof *w);
}

static const writer_class avro_writer_class = {"avro",      writer_push,  writer_finish,
                                               writer_stop, writer_close, NULL};

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

    return mem_cost(sizeof(task)) + mem_cost(AV_ROWS_MAX * sizeof(size_t)) +
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
    st = av_write_begin(w, err);
    if (st < 0) {
        writer_close(&w->base);
        return st;
    }
    *out = &w->base;
    return NRW_OK;
}
