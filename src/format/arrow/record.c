#include "format/arrow/record.h"

#include "format/arrow/dictionary.h"

enum { NODE = 16, BUFFER = 16, ARROW_BATCH_COMPRESSION = 3, ARROW_BATCH_VARIADIC = 4 };

static nrw_status damaged(nrw_error *err, uint64_t at, const char *what)
{
    err_at_offset(err, (int64_t)at);
    return err_set(err, NRW_E_CORRUPT, "%s", what);
}

void ipc_file_init(ipc_file *f, io_file *from, mem *m, spill *s, uint64_t headroom)
{
    pthread_mutexattr_t again;

    *f = (ipc_file){.f = from, .m = m};
    ipc_codecs_init(&f->codecs);
    f->codecs.m = m;
    f->codecs.s = s;
    f->codecs.headroom = headroom;
    pthread_mutexattr_init(&again);
    pthread_mutexattr_settype(&again, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&f->loading, &again);
    pthread_mutexattr_destroy(&again);
}

void ipc_file_release(ipc_file *f)
{
    ipc_codecs_release(&f->codecs);
    pthread_mutex_destroy(&f->loading);
}

/* ---- opening ---- */

/* Arrow 0.17 said it among the message's keys. */
static nrw_status old_compression(const ipc_message *m, int *id, nrw_error *err)
{
    flat_vector pairs;

    if (!flat_refs(&m->root, ARROW_MESSAGE_METADATA, &pairs))
        return damaged(err, m->at, "the keys of an Arrow message are damaged");
    for (uint32_t i = 0; i < pairs.n; i++) {
        flat_table pair;
        span key, value;
        bool has;
        if (!flat_element(&pairs, i, &pair) || !flat_string(&pair, 0, &has, &key) ||
            !flat_string(&pair, 1, &has, &value))
            return damaged(err, m->at, "the keys of an Arrow message are damaged");
        if (span_is(key, "ARROW:experimental_compression"))
            *id = span_is_word(value, "zstd")                                      ? 1
                  : span_is_word(value, "lz4") || span_is_word(value, "lz4_frame") ? 0
                                                                                   : 2;
    }
    return NRW_OK;
}

static nrw_status find_codec(ipc_record *r, const ipc_message *m, const flat_table *batch,
                             nrw_error *err)
{
    static const char *const names[] = {"lz4_frame", "zstd"};
    flat_table compression;
    uint8_t codec = 0, method = 0;
    bool has;
    int id = -1;

    if (!flat_child(batch, ARROW_BATCH_COMPRESSION, &has, &compression) ||
        (has && (!flat_u8(&compression, 0, 0, &codec) || !flat_u8(&compression, 1, 0, &method))))
        return damaged(err, m->at, "the compression of a record batch is damaged");
    if (has)
        id = codec;
    else
        TRY(old_compression(m, &id, err));
    if (id < 0)
        return NRW_OK;
    if (id > 1 || method) {
        err_at_offset(err, (int64_t)m->at);
        return err_set(err, NRW_E_UNSUPPORTED, "compression %d.%d of Arrow is not known", id,
                       method);
    }
    r->codec = codec_named(names[id]);
    return NRW_OK;
}

/* Numbers of buffers that views point into, as sums. */
static nrw_status sum_variadic(ipc_record *r, const flat_table *batch, const arrow_places *p,
                               nrw_error *err)
{
    flat_vector counts;
    uint64_t sum = 0;
    void *at;

    r->n_views = p->views;
    if (!p->views)
        return NRW_OK;
    if (!flat_structs(batch, ARROW_BATCH_VARIADIC, 8, &counts) || counts.n < p->views)
        return damaged(err, r->at, "a record batch does not say how many buffers its views have");
    TRY(mem_alloc(r->file->m, (p->views + 1) * sizeof *r->variadic, &at, err));
    r->variadic = at;
    for (uint32_t i = 0; i < p->views; i++) {
        uint64_t n = load_u64(counts.all.data + counts.at + 8 * (size_t)i);
        r->variadic[i] = (uint32_t)sum;
        sum += n;
        if (n > r->buffers.n || sum > r->buffers.n)
            return damaged(err, r->at, "a record batch has fewer buffers than its views say");
    }
    r->variadic[p->views] = (uint32_t)sum;
    return NRW_OK;
}

nrw_status ipc_record_rows(const ipc_message *m, const flat_table *batch, int64_t *rows,
                           nrw_error *err)
{
    if (!flat_i64(batch, 0, 0, rows) || *rows < 0 ||
        (uint64_t)*rows > INT32_MAX + 8192 * m->body_len)
        return damaged(err, m->at, "the number of rows of a record batch is damaged");
    return NRW_OK;
}

static nrw_status read_batch(ipc_record *r, const ipc_message *m, const flat_table *batch,
                             const arrow_places *p, nrw_error *err)
{
    TRY(ipc_record_rows(m, batch, &r->rows, err));
    if (!flat_structs(batch, 1, NODE, &r->nodes) || !flat_structs(batch, 2, BUFFER, &r->buffers))
        return damaged(err, m->at, "the header of a record batch is damaged");
    TRY(find_codec(r, m, batch, err));
    TRY(sum_variadic(r, batch, p, err));
    if (r->nodes.n < p->nodes ||
        r->buffers.n < p->buffers + (r->variadic ? r->variadic[p->views] : 0))
        return damaged(err, m->at, "a record batch has fewer arrays than the schema");
    return NRW_OK;
}

static nrw_status make_columns(ipc_record *r, uint32_t n, nrw_error *err)
{
    void *p;

    TRY(mem_zalloc(r->file->m, n * sizeof *r->columns, &p, err));
    r->columns = p;
    r->n_columns = n;
    for (uint32_t i = 0; i < n; i++) {
        pthread_mutex_init(&r->columns[i].lock, NULL);
        atomic_init(&r->columns[i].users, 1);
    }
    return NRW_OK;
}

nrw_status ipc_record_open(ipc_file *f, const ipc_message *m, const flat_table *batch, bytes *meta,
                           const arrow_places *p, uint32_t n, ipc_record **out, nrw_error *err)
{
    ipc_record *r;
    nrw_status st;
    void *at;

    *out = NULL;
    TRY(mem_zalloc(f->m, sizeof *r, &at, err));
    r = at;
    r->file = f;
    atomic_init(&r->refs, 1);
    r->at = m->at;
    r->body = m->body;
    r->body_len = m->body_len;
    r->meta = *meta;
    *meta = bytes_init(meta->m, meta->max);
    st = read_batch(r, m, batch, p, err);
    if (st >= 0)
        st = make_columns(r, n, err);
    if (st < 0)
        ipc_record_unref(r);
    else
        *out = r;
    return st;
}

static void release_bodies(ipc_record *r, ipc_column *c)
{
    for (uint32_t i = 0; c->bodies && i < c->n; i++)
        ipc_body_release(&c->bodies[i], &r->file->codecs);
    mem_free(r->file->m, c->bodies, c->bodies ? c->n * sizeof *c->bodies : 0);
    c->bodies = NULL;
}

void ipc_column_done(ipc_record *r, uint32_t column)
{
    ipc_column *c = &r->columns[column];

    if (atomic_fetch_sub_explicit(&c->users, 1, memory_order_acq_rel) == 1)
        release_bodies(r, c);
}

void ipc_record_unref(ipc_record *r)
{
    mem *m;

    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) > 1)
        return;
    m = r->file->m;
    for (uint32_t i = 0; i < r->n_columns; i++) {
        release_bodies(r, &r->columns[i]);
        pthread_mutex_destroy(&r->columns[i].lock);
    }
    mem_free(m, r->columns, r->n_columns * sizeof *r->columns);
    mem_free(m, r->variadic, r->variadic ? (r->n_views + 1) * sizeof *r->variadic : 0);
    ipc_dictionaries_drop(r->file, r->dictionaries, r->n_dictionaries);
    if (r->forgets)
        file_forget(r->file->f, r->at);
    bytes_release(&r->meta);
    mem_free(m, r, sizeof *r);
}

/* ---- columns as arrays ---- */

static nrw_status arrays_node(arrow_arrays *base, uint32_t node, arrow_node *out, nrw_error *err)
{
    const ipc_record *r = ((ipc_arrays *)base)->record;
    const uint8_t *p = r->nodes.all.data + r->nodes.at + (size_t)node * NODE;

    (void)err;
    *out = (arrow_node){.length = (int64_t)load_u64(p), .nulls = (int64_t)load_u64(p + 8)};
    return NRW_OK;
}

/* Where buffer i lies in the file. */
static nrw_status stored(const ipc_record *r, uint32_t i, uint64_t *at, uint64_t *len,
                         nrw_error *err)
{
    const uint8_t *p = r->buffers.all.data + r->buffers.at + (size_t)i * BUFFER;

    *at = load_u64(p);
    *len = load_u64(p + 8);
    if (*at > r->body_len || *len > r->body_len - *at)
        return damaged(err, r->at, "a buffer lies outside of its record batch");
    *at += r->body;
    return NRW_OK;
}

/* Buffers of a layout without those below. */
static uint32_t own_buffers(const ipc_record *r, const arrow_layout *l)
{
    if (l->dictionary)
        return 2;
    return l->buffers +
           (l->kind == LAID_VIEWS ? r->variadic[l->views + 1] - r->variadic[l->views] : 0);
}

static uint32_t first_buffer(const ipc_record *r, const arrow_layout *l)
{
    uint32_t shift = l->dictionary ? l->index_views : l->views;

    return (l->dictionary ? l->index_buffer : l->buffer) + (r->variadic ? r->variadic[shift] : 0);
}

/* Behind the last buffer of a layout and all below. A part has not all between. */
static uint32_t end_buffer(const ipc_record *r, const arrow_layout *l)
{
    if (!l->dictionary && l->n_children)
        return end_buffer(r, &l->children[l->n_children - 1]);
    return first_buffer(r, l) + own_buffers(r, l);
}

static nrw_status make_bodies(ipc_arrays *a, nrw_error *err)
{
    ipc_column *c = a->column;
    void *p;

    if (c->bodies)
        return NRW_OK;
    c->first = first_buffer(a->record, a->layout);
    c->n = end_buffer(a->record, a->layout) - c->first;
    TRY(mem_zalloc(a->record->file->m, c->n * sizeof *c->bodies, &p, err));
    c->bodies = p;
    return NRW_OK;
}

/* The buffer, unpacked if it is compressed: by who comes first, others wait. */
static nrw_status find_body(ipc_arrays *a, uint32_t i, ipc_body *out, nrw_error *err)
{
    ipc_record *r = a->record;
    ipc_column *c = a->column;
    uint64_t at, len;
    nrw_status st;

    TRY(stored(r, i, &at, &len, err));
    *out = (ipc_body){.place = PLACE_FILE, .at = at, .len = len};
    if (!r->codec)
        return NRW_OK;
    pthread_mutex_lock(&c->lock);
    st = make_bodies(a, err);
    if (st >= 0 && c->bodies[i - c->first].place == PLACE_UNKNOWN)
        st = ipc_body_open(&c->bodies[i - c->first], &r->file->codecs, r->codec, r->file->f, at,
                           len, err);
    if (st >= 0)
        *out = c->bodies[i - c->first];
    pthread_mutex_unlock(&c->lock);
    return st;
}

static nrw_status arrays_length(arrow_arrays *base, uint32_t i, uint64_t *out, nrw_error *err)
{
    ipc_body b;

    *out = 0;
    TRY(find_body((ipc_arrays *)base, i, &b, err));
    *out = b.len;
    return NRW_OK;
}

static nrw_status arrays_read(arrow_arrays *base, uint32_t i, uint64_t at, void *dst, size_t n,
                              nrw_error *err)
{
    ipc_arrays *a = (ipc_arrays *)base;
    ipc_file *f = a->record->file;
    ipc_body b;

    TRY(find_body(a, i, &b, err));
    return ipc_body_read(&b, &f->codecs, f->f, at, dst, n, err);
}

static nrw_status arrays_entries(arrow_arrays *base, const arrow_layout *l,
                                 const arrow_entries **out, nrw_error *err)
{
    const ipc_record *r = ((ipc_arrays *)base)->record;

    for (uint32_t i = 0; i < r->n_dictionaries; i++)
        if (r->dictionaries[i]->id == l->dictionary_id)
            return ipc_dictionary_entries(r->dictionaries[i], out, err);
    err_at_offset(err, (int64_t)r->at);
    return err_set(err, NRW_E_CORRUPT, "dictionary %lld did not come before it is used",
                   (long long)l->dictionary_id);
}

ipc_arrays ipc_arrays_of(ipc_record *r, uint32_t column, const arrow_layout *l)
{
    return (ipc_arrays){.base = {.node = arrays_node,
                                 .length = arrays_length,
                                 .read = arrays_read,
                                 .entries = arrays_entries,
                                 .variadic = r->variadic},
                        .record = r,
                        .column = &r->columns[column],
                        .layout = l};
}

int64_t ipc_column_nulls(const ipc_record *r, const arrow_layout *l)
{
    uint32_t node = l->dictionary ? l->index_node : l->node;
    int64_t nulls = (int64_t)load_u64(r->nodes.all.data + r->nodes.at + (size_t)node * NODE + 8);

    return l->kind == LAID_RUNS || nulls < 0 || nulls > r->rows ? -1 : nulls;
}

uint64_t ipc_column_bytes(const ipc_record *r, const arrow_layout *l)
{
    uint32_t first = first_buffer(r, l), n = own_buffers(r, l);
    uint64_t sum = 0, at, len;

    for (uint32_t i = 0; i < n; i++)
        if (stored(r, first + i, &at, &len, NULL) >= 0)
            sum += len;
    for (uint32_t i = 0; !l->dictionary && i < l->n_children; i++)
        sum += ipc_column_bytes(r, &l->children[i]);
    return sum;
}
