#include "format/arrow/write.h"

#include "column/arrow_own.h"
#include "column/arrow_schema.h"

#define ALIGN 64 /* of buffers in a body, as Arrow recommends */
#define MOST  ((size_t)1 << 40)

enum { ENTRIES_MOST = 1 << 16 };

#define ENTRIES_BYTES ((uint64_t)1 << 20)

/* ---- life ---- */

static uint32_t count_leaves(const field *f)
{
    uint32_t n = 1;

    for (uint32_t i = 0; i < f->type.n_children; i++)
        n += count_leaves(&f->type.children[i]);
    return n;
}

static uint32_t all_leaves(const schema *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_fields; i++)
        n += count_leaves(&s->fields[i]);
    return n;
}

uint64_t ipc_batch_bytes(const schema *s)
{
    return ((uint64_t)1 << 20) + 2048 * (uint64_t)all_leaves(s);
}

uint64_t ipc_pack_cost(const schema *s, const arrow_write_options *o)
{
    uint64_t batch = ipc_batch_bytes(s), leaves = all_leaves(s);

    /* builders grow by doubling; the body, and the messages as they leave */
    return 5 * batch + leaves * (sizeof(arrow_builder) + 1024) +
           (o->codec ? o->codec->bound((size_t)batch) : 0);
}

/* Dictionaries of the columns find their entries in the writer. */
static void set_indexers(ipc_writer *w, arrow_builder *b)
{
    if (b->layout->dictionary)
        b->indexer = &w->entries[b->layout->dictionary_id].base;
    for (uint32_t i = 0; i < b->n_children; i++)
        set_indexers(w, &b->children[i]);
}

static nrw_status make_columns(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    for (uint32_t i = 0; i < w->n; i++) {
        TRY(arrow_builder_init(&p->columns[i], &w->layouts[i], &w->s->fields[i], w->m, err));
        set_indexers(w, &p->columns[i]);
    }
    return NRW_OK;
}

static void drop_content(ipc_writer *w, ipc_pack *p)
{
    for (uint32_t i = 0; i < w->n; i++)
        arrow_builder_release(&p->columns[i]);
    for (uint32_t i = 0; i < w->n_dictionaries; i++) {
        arrow_builder_release(&p->news[i].values);
        p->news[i] = (ipc_news){0};
    }
    bytes_clear(&p->body);
    bytes_clear(&p->meta);
    bytes_clear(&p->out);
    p->rows = p->bytes = 0;
}

nrw_status ipc_pack_clear(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    drop_content(w, p);
    return make_columns(w, p, err);
}

void ipc_pack_free(ipc_writer *w, ipc_pack *p)
{
    if (!p)
        return;
    if (p->columns && p->news)
        drop_content(w, p);
    mem_free(w->m, p->columns, p->columns ? (w->n + 1) * sizeof *p->columns : 0);
    mem_free(w->m, p->news, p->news ? (w->n_dictionaries + 1) * sizeof *p->news : 0);
    bytes_release(&p->body);
    bytes_release(&p->meta);
    bytes_release(&p->out);
    mem_free(w->m, p, sizeof *p);
}

nrw_status ipc_pack_new(ipc_writer *w, ipc_pack **out, nrw_error *err)
{
    ipc_pack *p;
    nrw_status st;
    void *at;

    *out = NULL;
    TRY(mem_zalloc(w->m, sizeof *p, &at, err));
    p = at;
    p->body = p->meta = p->out = bytes_init(w->m, MOST);
    st = mem_zalloc(w->m, (w->n + 1) * sizeof *p->columns, &at, err);
    if (st >= 0) {
        p->columns = at;
        st = mem_zalloc(w->m, (w->n_dictionaries + 1) * sizeof *p->news, &at, err);
        p->news = st < 0 ? NULL : at;
    }
    if (st >= 0)
        st = make_columns(w, p, err);
    if (st < 0)
        ipc_pack_free(w, p);
    else
        *out = p;
    return st;
}

/* ---- dictionaries ---- */

static nrw_status values_of(ipc_writer *w, uint32_t i, uint32_t first, arrow_builder *out,
                            nrw_error *err)
{
    /* the layout of the values is the field's own without the dictionary around it */
    TRY(arrow_builder_init(out, w->dictionaries[i], w->dictionary_fields[i], w->m, err));
    return ipc_entries_build(&w->entries[i], first, out, err);
}

/* A dictionary that has become large begins anew with the next record batch: a function of the
 * rows alone. */
static bool is_full(const ipc_entries *e)
{
    return e->n >= ENTRIES_MOST || e->keys.len >= ENTRIES_BYTES;
}

nrw_status ipc_pack_close(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    for (uint32_t i = 0; w->stream && i < w->n_dictionaries; i++) {
        ipc_entries *e = &w->entries[i];
        ipc_news *news = &p->news[i];
        news->wanted = e->n > e->sent || p->number == 0;
        news->adds = e->sent > 0;
        if (news->wanted)
            TRY(values_of(w, i, e->sent, &news->values, err));
        e->sent = e->n;
        if (is_full(e))
            ipc_entries_clear(e);
    }
    return NRW_OK;
}

/* ---- bodies ---- */

/* What the header says of nodes and buffers, 16 bytes each. */
typedef struct packing {
    ipc_writer *w;
    codec_ctx *ctx;
    bytes *body;
    bytes nodes, buffers, views;
} packing;

static nrw_status pad_to(bytes *b, size_t to, nrw_error *err)
{
    size_t n = -b->len & (to - 1);

    TRY(bytes_reserve(b, n, err));
    if (n)
        memset(b->data + b->len, 0, n);
    b->len += n;
    return NRW_OK;
}

static nrw_status put_all(bytes *to, span from, nrw_error *err)
{
    return from.len ? bytes_append(to, from.data, from.len, err) : NRW_OK;
}

static nrw_status put_u64(bytes *b, uint64_t v, nrw_error *err)
{
    return bytes_append(b, &v, sizeof v, err);
}

/* Its length, then as the codec leaves it, or as it is where that is no longer. */
static nrw_status compress(packing *p, span from, nrw_error *err)
{
    bytes *to = p->body;
    const codec *c = p->ctx->codec;
    size_t at = to->len, n, cap = c->bound(from.len);

    TRY(put_u64(to, from.len, err));
    TRY(bytes_reserve(to, size_max(cap, from.len), err));
    TRY(c->encode(p->ctx, p->w->o.level, from, to->data + to->len, cap, &n, err));
    if (n >= from.len) {
        store_u64(to->data + at, UINT64_MAX);
        memcpy(to->data + to->len, from.data, from.len);
        n = from.len;
    }
    to->len += n;
    return NRW_OK;
}

static nrw_status put_buffer(packing *p, span from, nrw_error *err)
{
    uint64_t at = p->body->len;

    if (from.len && p->ctx)
        TRY(compress(p, from, err));
    else
        TRY(put_all(p->body, from, err));
    TRY(put_u64(&p->buffers, at, err));
    TRY(put_u64(&p->buffers, p->body->len - at, err));
    return pad_to(p->body, ALIGN, err);
}

static nrw_status put_array(packing *p, const arrow_builder *b, nrw_error *err)
{
    span buffers[ARROW_BUFFERS_MAX];
    uint32_t n = arrow_builder_buffers(b, buffers);

    TRY(put_u64(&p->nodes, b->rows, err));
    TRY(put_u64(&p->nodes, b->nulls, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(put_buffer(p, buffers[i], err));
    if (b->layout->kind == LAID_VIEWS && !b->layout->dictionary)
        TRY(put_u64(&p->views, n > 2, err));
    for (uint32_t i = 0; i < b->n_children; i++)
        TRY(put_array(p, &b->children[i], err));
    return NRW_OK;
}

/* ---- headers ---- */

static nrw_status put_structs(bytes *out, uint32_t at, const bytes *from, uint32_t each,
                              nrw_error *err)
{
    TRY(flat_put_structs(out, at, (uint32_t)(from->len / each), err));
    return put_all(out, (span){from->data, from->len}, err);
}

/* The table RecordBatch. */
static nrw_status put_batch(packing *p, bytes *out, uint32_t at, uint64_t rows, nrw_error *err)
{
    const bool compressed = p->ctx != NULL;
    flat_field f[5] = {{.id = 0, .bytes = 8, .value = (int64_t)rows}, {.id = 1}, {.id = 2}};
    uint32_t n = 3;

    if (compressed)
        f[n++] = (flat_field){.id = 3};
    if (p->views.len)
        f[n++] = (flat_field){.id = 4};
    TRY(flat_put_table(out, at, f, n, err));
    TRY(put_structs(out, f[1].at, &p->nodes, 16, err));
    TRY(put_structs(out, f[2].at, &p->buffers, 16, err));
    if (compressed) {
        flat_field c[] = {{.id = 0, .bytes = 1, .value = p->ctx->codec == arrow_codec("zstd")},
                          {.id = 1, .bytes = 1}};
        TRY(flat_put_table(out, f[3].at, c, 2, err));
    }
    return p->views.len ? put_structs(out, f[n - 1].at, &p->views, 8, err) : NRW_OK;
}

typedef struct dictionary_head {
    int64_t id;
    bool adds;
} dictionary_head;

static nrw_status put_header(packing *p, bytes *meta, uint64_t rows, const dictionary_head *d,
                             nrw_error *err)
{
    flat_field message[] = {{.id = ARROW_MESSAGE_VERSION, .bytes = 2, .value = ARROW_VERSION_5},
                            {.id = ARROW_MESSAGE_HEADER_ID,
                             .bytes = 1,
                             .value = d ? ARROW_HEADER_DICTIONARY : ARROW_HEADER_BATCH},
                            {.id = ARROW_MESSAGE_HEADER},
                            {.id = ARROW_MESSAGE_BODY, .bytes = 8, .value = (int64_t)p->body->len}};

    TRY(flat_put_root(meta, message, 4, err));
    if (d) {
        flat_field f[] = {{.id = 0, .bytes = 8, .value = d->id},
                          {.id = 1},
                          {.id = 2, .bytes = 1, .value = d->adds}};
        TRY(flat_put_table(meta, message[2].at, f, 3, err));
        TRY(put_batch(p, meta, f[1].at, rows, err));
    } else {
        TRY(put_batch(p, meta, message[2].at, rows, err));
    }
    return arrow_message_frame(meta, err);
}

/* One message behind what `out` has. */
static nrw_status put_message(ipc_writer *w, ipc_pack *p, codec_ctx *ctx, const arrow_builder *at,
                              uint32_t n, uint64_t rows, const dictionary_head *d, nrw_error *err)
{
    packing k = {.w = w, .ctx = ctx, .body = &p->body};
    nrw_status st = NRW_OK;

    k.nodes = k.buffers = k.views = bytes_init(w->m, MOST);
    bytes_clear(&p->body);
    for (uint32_t i = 0; st >= 0 && i < n; i++)
        st = put_array(&k, &at[i], err);
    if (st >= 0)
        st = put_header(&k, &p->meta, rows, d, err);
    if (st >= 0)
        st = bytes_reserve(&p->out, p->meta.len + p->body.len, err);
    if (st >= 0)
        st = bytes_append(&p->out, p->meta.data, p->meta.len, err);
    if (st >= 0)
        st = put_all(&p->out, (span){p->body.data, p->body.len}, err);
    p->meta_len = p->meta.len;
    p->body_len = p->body.len;
    bytes_release(&k.nodes);
    bytes_release(&k.buffers);
    bytes_release(&k.views);
    return st;
}

nrw_status ipc_pack_encode(ipc_writer *w, ipc_pack *p, codec_ctx *ctx, nrw_error *err)
{
    for (uint32_t i = 0; i < w->n_dictionaries; i++) {
        const dictionary_head d = {i, p->news[i].adds};
        if (p->news[i].wanted)
            TRY(put_message(w, p, ctx, &p->news[i].values, 1, p->news[i].values.rows, &d, err));
    }
    return put_message(w, p, ctx, p->columns, w->n, p->rows, NULL, err);
}

nrw_status ipc_encode_dictionary(ipc_writer *w, uint32_t i, ipc_pack *p, codec_ctx *ctx,
                                 nrw_error *err)
{
    const dictionary_head d = {i, false};
    arrow_builder values = {0};
    nrw_status st = values_of(w, i, 0, &values, err);

    bytes_clear(&p->out);
    if (st >= 0)
        st = put_message(w, p, ctx, &values, 1, values.rows, &d, err);
    arrow_builder_release(&values);
    return st;
}
