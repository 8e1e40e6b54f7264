#include "format/arrow/write.h"

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

/* All but the columns' rows. */
static void drop_batch(ipc_writer *w, ipc_pack *p)
{
    for (uint32_t i = 0; i < w->n_dictionaries; i++) {
        arrow_builder_release(&p->news[i].values);
        p->news[i] = (ipc_news){0};
    }
    ipc_arrays_drop(w, p);
    bytes_clear(&p->body);
    bytes_clear(&p->meta);
    bytes_clear(&p->out);
    p->rows = p->bytes = 0;
}

nrw_status ipc_pack_clear(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    drop_batch(w, p);
    for (uint32_t i = 0; i < w->n; i++)
        TRY(arrow_builder_clear(&p->columns[i], err));
    return NRW_OK;
}

void ipc_pack_free(ipc_writer *w, ipc_pack *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; p->columns && i < w->n; i++)
        arrow_builder_release(&p->columns[i]);
    if (p->columns && p->news)
        drop_batch(w, p);
    mem_free(w->m, p->columns, p->columns ? (w->n + 1) * sizeof *p->columns : 0);
    mem_free(w->m, p->shared, p->shared ? (w->n_dictionaries + 1) * sizeof *p->shared : 0);
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

nrw_status ipc_values_of(ipc_writer *w, uint32_t i, uint32_t first, arrow_builder *out,
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

/* What a stream says before the record batch: entries that are new. */
static nrw_status close_stream(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    for (uint32_t i = 0; i < w->n_dictionaries; i++) {
        ipc_entries *e = &w->entries[i];
        ipc_news *news = &p->news[i];
        news->wanted = e->n > e->sent || p->number == 0;
        news->adds = e->sent > 0;
        if (news->wanted)
            TRY(ipc_values_of(w, i, e->sent, &news->values, err));
        e->sent = e->n;
    }
    return NRW_OK;
}

nrw_status ipc_pack_close(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    if (!w->taker && !w->stream)
        return NRW_OK;
    TRY(w->taker ? ipc_arrays_close(w, p, err) : close_stream(w, p, err));
    for (uint32_t i = 0; i < w->n_dictionaries; i++)
        if (is_full(&w->entries[i]))
            ipc_entries_clear(&w->entries[i]);
    return NRW_OK;
}

/* ---- bodies ---- */

typedef struct packing {
    ipc_writer *w;
    codec_ctx *ctx;
    bytes *body;
    ipc_head head;
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

/* Its length, then as the codec leaves it, or as it is where that is no longer. */
static nrw_status compress(packing *p, span from, nrw_error *err)
{
    bytes *to = p->body;
    const codec *c = p->ctx->codec;
    size_t at = to->len, n, cap = c->bound(from.len);

    TRY(bytes_append(to, &(uint64_t){from.len}, 8, err));
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
    TRY(ipc_head_buffer(&p->head, at, p->body->len - at, err));
    return pad_to(p->body, ALIGN, err);
}

static nrw_status put_array(packing *p, const arrow_builder *b, nrw_error *err)
{
    span buffers[ARROW_BUFFERS_MAX];
    uint32_t n = arrow_builder_buffers(b, buffers);

    TRY(ipc_head_node(&p->head, b->rows, b->nulls, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(put_buffer(p, buffers[i], err));
    if (b->layout->kind == LAID_VIEWS && !b->layout->dictionary)
        TRY(ipc_head_views(&p->head, n > 2, err));
    for (uint32_t i = 0; i < b->n_children; i++)
        TRY(put_array(p, &b->children[i], err));
    return NRW_OK;
}

/* One message: p->meta and p->body. */
static nrw_status put_message(ipc_writer *w, ipc_pack *p, codec_ctx *ctx, const arrow_builder *at,
                              uint32_t n, uint64_t rows, const dictionary_head *d, nrw_error *err)
{
    packing k = {.w = w, .ctx = ctx, .body = &p->body, .head = ipc_head_init(w->m)};
    nrw_status st = NRW_OK;

    if (ctx)
        k.head.codec = ctx->codec == arrow_codec("zstd");
    bytes_clear(&p->body);
    for (uint32_t i = 0; st >= 0 && i < n; i++)
        st = put_array(&k, &at[i], err);
    if (st >= 0)
        st = ipc_head_write(&k.head, rows, p->body.len, d, &p->meta, err);
    ipc_head_release(&k.head);
    return st;
}

/* The message goes behind those in p->out. */
static nrw_status put_aside(ipc_pack *p, nrw_error *err)
{
    TRY(bytes_reserve(&p->out, p->meta.len + p->body.len, err));
    TRY(bytes_append(&p->out, p->meta.data, p->meta.len, err));
    return put_all(&p->out, (span){p->body.data, p->body.len}, err);
}

nrw_status ipc_pack_encode(ipc_writer *w, ipc_pack *p, codec_ctx *ctx, nrw_error *err)
{
    for (uint32_t i = 0; i < w->n_dictionaries; i++) {
        const dictionary_head d = {i, p->news[i].adds};
        if (!p->news[i].wanted)
            continue;
        TRY(put_message(w, p, ctx, &p->news[i].values, 1, p->news[i].values.rows, &d, err));
        TRY(put_aside(p, err));
    }
    return put_message(w, p, ctx, p->columns, w->n, p->rows, NULL, err);
}

nrw_status ipc_encode_dictionary(ipc_writer *w, uint32_t i, ipc_pack *p, codec_ctx *ctx,
                                 nrw_error *err)
{
    const dictionary_head d = {i, false};
    arrow_builder values = {0};
    nrw_status st = ipc_values_of(w, i, 0, &values, err);

    bytes_clear(&p->out);
    if (st >= 0)
        st = put_message(w, p, ctx, &values, 1, values.rows, &d, err);
    if (st >= 0)
        st = put_aside(p, err);
    arrow_builder_release(&values);
    return st;
}
