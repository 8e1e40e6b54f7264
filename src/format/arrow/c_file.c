/* Arrays of somebody else as a stream of IPC messages. Headers are made; bodies are not: each is a
 * list of extents, which say what address its bytes have in memory. Only bitmaps that do not begin
 * at a byte, and run ends of slices, are copied. So the reader of IPC reads arrays in memory, too,
 * with all its checks of what they say of themselves; that buffers are as long as their array says
 * is what C's interface cannot tell, and is believed. */
#include "column/arrow_c_schema.h"
#include "column/arrow_schema.h"
#include "column/vector_part.h"
#include "format/arrow/arrow.h"
#include "format/arrow/c_body.h"
#include "format/arrow/write_head.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

typedef struct c_message {
    uint64_t at, len; /* in the file, body included */
    bytes meta;
    c_body body;
    arrow_c_shared *batch; /* whose memory the extents are in */
    struct c_message *next;
} c_message;

typedef struct c_file {
    io_file file;
    struct ArrowArrayStream stream;
    arena *a;
    schema schema;
    arrow_layout *layouts;
    arrow_layout root; /* a struct over them */
    c_dictionaries dictionaries;
    uint64_t end; /* of what was expected */
    bool over;
    _Atomic uint32_t stopped;

    pthread_mutex_t lock; /* guards what follows */
    c_message *messages;  /* the newest first */
    c_message *waiting;   /* made, not yet expected; the next one first */
} c_file;

/* ---- messages ---- */

static void free_message(c_file *f, c_message *x)
{
    bytes_release(&x->meta);
    c_body_release(&x->body);
    arrow_c_shared_unref(x->batch);
    mem_free(f->file.m, x, sizeof *x);
}

static nrw_status new_message(c_file *f, c_message **out, nrw_error *err)
{
    void *p;

    *out = NULL;
    TRY(mem_zalloc(f->file.m, sizeof **out, &p, err));
    *out = p;
    (*out)->meta = bytes_init(f->file.m, INT32_MAX);
    (*out)->body = c_body_init(f->file.m);
    return NRW_OK;
}

static void append(c_file *f, c_message *x)
{
    c_message **at = &f->waiting;

    x->len = x->meta.len + x->body.len;
    while (*at)
        at = &(*at)->next;
    *at = x;
}

/* ---- arrays to messages ---- */

/* One message of an array and what is below it; of a dictionary where d is not NULL. */
static nrw_status put_message(c_file *f, arrow_c_shared *batch, const arrow_layout *l,
                              const c_rows *rows, const dictionary_head *d, nrw_error *err)
{
    c_message *x;
    nrw_status st = new_message(f, &x, err);

    TRY(st);
    x->batch = arrow_c_shared_ref(batch);
    st = d ? c_body_add(&x->body, l, rows, err) : c_body_add_fields(&x->body, l, rows, err);
    if (st >= 0)
        st = ipc_head_write(&x->body.head, (uint64_t)rows->n, x->body.len, d, &x->meta, err);
    ipc_head_release(&x->body.head);
    if (st < 0)
        free_message(f, x);
    else
        append(f, x);
    return st;
}

/* Dictionaries first, those that others are made of before them. */
static nrw_status put_dictionaries(c_file *f, arrow_c_shared *batch, const arrow_layout *l,
                                   const struct ArrowArray *a, nrw_error *err)
{
    const struct ArrowArray *values = l->dictionary ? a->dictionary : a;

    if (!values || values->n_children != (int64_t)l->n_children)
        return c_mismatch(l, err);
    for (uint32_t i = 0; i < l->n_children; i++)
        TRY(put_dictionaries(f, batch, &l->children[i], values->children[i], err));
    if (!l->dictionary || c_dictionary_known(&f->dictionaries, l, values))
        return NRW_OK;
    const dictionary_head d = {l->dictionary_id, false};
    const c_rows all = {values, values->offset, values->length};
    arrow_layout plain = *l;
    plain.dictionary = false;
    TRY(put_message(f, batch, &plain, &all, &d, err));
    return c_dictionary_note(&f->dictionaries, l, values, batch, err);
}

static nrw_status put_batch(c_file *f, arrow_c_shared *batch, nrw_error *err)
{
    const struct ArrowArray *a = &batch->array;
    const c_rows all = {a, a->offset, a->length};

    if (a->length < 0 || a->offset < 0 || a->n_children != (int64_t)f->root.n_children)
        return c_mismatch(&f->root, err);
    if (a->null_count > 0)
        return err_set(err, NRW_E_SCHEMA, "a batch has rows that are null as a whole");
    for (uint32_t i = 0; i < f->root.n_children; i++)
        TRY(put_dictionaries(f, batch, &f->root.children[i], a->children[i], err));
    return put_message(f, batch, &f->root, &all, NULL, err);
}

/* ---- the stream ---- */

static nrw_status stream_failed(c_file *f, int e, nrw_error *err)
{
    const char *why = f->stream.get_last_error(&f->stream);

    if (e == ECANCELED)
        return err_set(err, NRW_E_CANCELLED, "interrupted");
    if (!why || !*why)
        return err_errno(err, NRW_E_IO, e, "the stream failed");
    return err_set(err, NRW_E_IO, "the stream failed: %.400s", why);
}

static void release_stream(c_file *f)
{
    if (f->stream.release)
        f->stream.release(&f->stream);
    f->stream.release = NULL;
}

static nrw_status pull(c_file *f, nrw_error *err)
{
    struct ArrowArray array = {0};
    arrow_c_shared *batch;
    nrw_status st;
    int e;

    if (atomic_load_explicit(&f->stopped, memory_order_relaxed))
        return err_set(err, NRW_E_CANCELLED, "interrupted");
    e = f->stream.get_next(&f->stream, &array);
    if (e)
        return stream_failed(f, e, err);
    if (!array.release) {
        f->over = true;
        release_stream(f);
        return NRW_END;
    }
    TRY(arrow_c_share(f->file.m, &array, &batch, err));
    st = put_batch(f, batch, err);
    arrow_c_shared_unref(batch);
    return st;
}

/* The next message is expected from here on. */
static nrw_status advance(c_file *f, nrw_error *err)
{
    c_message *x;
    nrw_status st = NRW_OK;

    while (!f->waiting && st == NRW_OK)
        st = f->over ? NRW_END : pull(f, err);
    if (st != NRW_OK)
        return st;
    x = f->waiting;
    f->waiting = x->next;
    x->at = f->end;
    f->end += x->len;
    pthread_mutex_lock(&f->lock);
    x->next = f->messages;
    f->messages = x;
    pthread_mutex_unlock(&f->lock);
    return NRW_OK;
}

static nrw_status c_expect(io_file *base, uint64_t at, uint64_t len, nrw_error *err)
{
    c_file *f = (c_file *)base;

    if (at == f->end && len) {
        nrw_status st = advance(f, err);
        if (st != NRW_OK)
            return st;
    }
    return len <= f->end && at <= f->end - len ? NRW_OK : NRW_END;
}

static void c_forget(io_file *base, uint64_t at)
{
    c_file *f = (c_file *)base;
    c_message *x = NULL, **link;

    pthread_mutex_lock(&f->lock);
    for (link = &f->messages; *link && (*link)->at != at;)
        link = &(*link)->next;
    if ((x = *link))
        *link = x->next;
    pthread_mutex_unlock(&f->lock);
    if (x)
        free_message(f, x);
}

static nrw_status c_read(io_file *base, uint64_t offset, void *dst, size_t len, nrw_error *err)
{
    c_file *f = (c_file *)base;
    const c_message *x;

    pthread_mutex_lock(&f->lock);
    for (x = f->messages; x && (offset < x->at || offset - x->at >= x->len);)
        x = x->next;
    pthread_mutex_unlock(&f->lock);
    if (!x || len > x->len - (offset - x->at))
        return err_set(err, NRW_E_CORRUPT, "%zu bytes should lie here, the stream has fewer", len);
    offset -= x->at;
    if (offset < x->meta.len) {
        size_t n = size_min(len, x->meta.len - (size_t)offset);
        memcpy(dst, x->meta.data + offset, n);
        dst = (uint8_t *)dst + n;
        offset += n;
        len -= n;
    }
    if (len)
        c_body_read(&x->body, offset - x->meta.len, dst, len);
    return NRW_OK;
}

static void c_stop(io_file *f)
{
    atomic_store(&((c_file *)f)->stopped, 1);
}

static void free_list(c_file *f, c_message *x)
{
    for (c_message *next; x; x = next) {
        next = x->next;
        free_message(f, x);
    }
}

static void c_close(io_file *base)
{
    c_file *f = (c_file *)base;

    free_list(f, f->messages);
    free_list(f, f->waiting);
    c_dictionaries_release(&f->dictionaries);
    release_stream(f);
    arena_free(f->a);
    pthread_mutex_destroy(&f->lock);
    mem_free(base->m, f, sizeof *f);
}

static const file_class c_class = {.name = "arrow stream",
                                   .read_at = c_read,
                                   .close = c_close,
                                   .expect = c_expect,
                                   .forget = c_forget,
                                   .stop = c_stop};

/* ---- opening ---- */

static nrw_status read_layouts(c_file *f, span message, nrw_error *err)
{
    flat_vector fields;

    TRY(arena_new(f->file.m, &f->a, err));
    TRY(arrow_schema_fields(message, &fields, err));
    TRY(arrow_fields_read(&fields, f->a, &f->schema, err));
    TRY(arrow_layout_read(&fields, &f->schema, f->a, &f->layouts, err));
    f->root = (arrow_layout){.f = f->schema.fields,
                             .kind = LAID_STRUCT,
                             .n_children = f->schema.n_fields,
                             .children = f->layouts};
    return NRW_OK;
}

static nrw_status read_schema(c_file *f, nrw_error *err)
{
    struct ArrowSchema s = {0};
    c_message *x;
    nrw_status st;
    int e = f->stream.get_schema(&f->stream, &s);

    if (e)
        return stream_failed(f, e, err);
    st = new_message(f, &x, err);
    if (st >= 0) {
        st = arrow_c_schema_import(&s, &x->meta, err);
        if (st >= 0)
            st = read_layouts(f, (span){x->meta.data, x->meta.len}, err);
        append(f, x);
    }
    if (s.release)
        s.release(&s);
    return st;
}

nrw_status arrow_file_of_stream(mem *m, const char *name, struct ArrowArrayStream *stream,
                                io_file **out, nrw_error *err)
{
    c_file *f;
    nrw_status st;
    void *p;

    *out = NULL;
    st = mem_zalloc(m, sizeof *f, &p, err);
    if (st < 0) {
        stream->release(stream);
        *stream = (struct ArrowArrayStream){0};
        return st;
    }
    f = p;
    f->stream = *stream;
    *stream = (struct ArrowArrayStream){0};
    pthread_mutex_init(&f->lock, NULL);
    f->dictionaries.m = m;
    st = file_set_up(&f->file, &c_class, m, name, err);
    f->file.size = FILE_LIVE_SIZE;
    if (st >= 0)
        st = read_schema(f, err);
    if (st < 0) {
        err_at_object(err, name);
        file_close(&f->file);
        return st;
    }
    *out = &f->file;
    return NRW_OK;
}
