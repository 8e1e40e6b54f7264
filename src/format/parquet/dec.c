#include "format/parquet/dec.h"

#include "base/utf8.h"
#include "kernel/kernel.h"

uint32_t pq_physical_width(const pq_leaf *leaf)
{
    switch (leaf->physical) {
    case PQ_BOOLEAN: return 1;
    case PQ_INT32:
    case PQ_FLOAT: return 4;
    case PQ_INT64:
    case PQ_DOUBLE: return 8;
    case PQ_INT96: return 12;
    case PQ_FIXED_LEN_BYTE_ARRAY: return leaf->type_length;
    case PQ_BYTE_ARRAY: break;
    }
    return 0;
}

/* Encodings.md: which encoding goes with which type. */
static const dec_class *choose(const pq_leaf *leaf, pq_encoding e)
{
    bool text = leaf->physical == PQ_BYTE_ARRAY;
    bool boolean = leaf->physical == PQ_BOOLEAN;
    bool integer = leaf->physical == PQ_INT32 || leaf->physical == PQ_INT64;

    switch (e) {
    case PQ_PLAIN: return text ? &dec_plain_bytes : boolean ? &dec_plain_bool : &dec_plain_fixed;
    case PQ_RLE: return boolean ? &dec_rle_bool : NULL;
    case PQ_DELTA_BINARY_PACKED: return integer ? &dec_delta : NULL;
    case PQ_DELTA_LENGTH_BYTE_ARRAY: return text ? &dec_delta_length : NULL;
    case PQ_DELTA_BYTE_ARRAY:
        return text || leaf->physical == PQ_FIXED_LEN_BYTE_ARRAY ? &dec_delta_bytes : NULL;
    case PQ_BYTE_STREAM_SPLIT:
        return text || boolean || leaf->physical == PQ_INT96 ? NULL : &dec_split;
    default: return NULL;
    }
}

nrw_status dec_open(decoder *d, mem *m, const pq_leaf *leaf, pq_encoding e, const body *b,
                    size_t from, uint64_t most, nrw_error *err)
{
    const dec_class *class = choose(leaf, e);

    if (!class)
        return err_set(err, NRW_E_CORRUPT, "encoding %s does not go with type %s",
                       pq_encoding_name(e), pq_physical_name(leaf->physical));
    if (d->class != class || d->m != m)
        dec_close(d);
    d->class = class;
    d->leaf = leaf;
    d->m = m;
    d->b = b;
    d->from = from;
    d->most = most;
    d->width = pq_physical_width(leaf);
    d->begun = false;
    return NRW_OK;
}

/* All that there are: how many. */
static size_t cursors_of(decoder *d, cursor *out[DEC_CURSORS + 1])
{
    out[0] = &d->c;
    return 1 + (d->class && d->class->cursors ? d->class->cursors(d, out + 1) : 0);
}

static void each_cursor(decoder *d, void (*apply)(cursor *c))
{
    cursor *all[DEC_CURSORS + 1];
    const size_t n = cursors_of(d, all);

    for (size_t i = 0; i < n; i++)
        apply(all[i]);
}

void dec_close(decoder *d)
{
    each_cursor(d, cursor_close);
    if (d->class && d->class->close)
        d->class->close(d);
    *d = (decoder){0};
}

void dec_sleep(decoder *d)
{
    each_cursor(d, cursor_sleep);
    if (d->class && d->class->sleep)
        d->class->sleep(d);
}

nrw_status dec_wake(decoder *d, nrw_error *err)
{
    cursor *all[DEC_CURSORS + 1];
    const size_t n = d->begun ? cursors_of(d, all) : 0;

    for (size_t i = 0; i < n; i++)
        TRY(cursor_wake(all[i], err));
    return NRW_OK;
}

static nrw_status begin(decoder *d, nrw_error *err)
{
    TRY(d->class->begin(d, err));
    d->begun = true;
    return NRW_OK;
}

nrw_status dec_fixed(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err)
{
    if (n == 0)
        return NRW_OK;
    if (!d->begun)
        TRY(begin(d, err));
    return d->class->fixed(d, n, dst, err);
}

const uint8_t *dec_direct(decoder *d, uint32_t n)
{
    if (!d->class->direct || n == 0 || (!d->begun && begin(d, NULL) < 0))
        return NULL;
    return d->class->direct(d, n);
}

nrw_status dec_views(decoder *d, uint32_t n, view_sink *s, view *dst, uint32_t *got, nrw_error *err)
{
    *got = 0;
    if (n == 0)
        return NRW_OK;
    if (!d->begun)
        TRY(begin(d, err));
    s->ascii = false;
    TRY(d->class->views(d, n, s, dst, got, err));
    return s->ascii ? NRW_OK : sink_check_text(s, d->leaf, dst, *got, err);
}

nrw_status dec_skip(decoder *d, uint64_t n, nrw_error *err)
{
    if (n == 0)
        return NRW_OK;
    if (!d->begun)
        TRY(begin(d, err));
    return d->class->skip(d, n, err);
}

/* ---- text ---- */

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Whether more than VIEW_INLINE bytes are all ASCII: whole words, and the last one once more. */
static bool long_ascii(const uint8_t *p, size_t n)
{
    uint64_t seen = load_u64(p + n - 8);

    for (size_t i = 0; i + 8 < n; i += 8)
        seen |= load_u64(p + i);
    return !(seen & HIGH_BITS);
}

static bool view_utf8(const view_sink *s, const view *v)
{
    const uint8_t *p = (const uint8_t *)v;

    if (v->len <= VIEW_INLINE) {
        bool ascii = !((load_u32(p + 4) & (uint32_t)HIGH_BITS) | (load_u64(p + 8) & HIGH_BITS));
        return ascii || utf8_valid(v->inlined, (size_t)v->len);
    }
    p = s->v->heaps.at[v->heap]->data + v->offset;
    return long_ascii(p, (size_t)v->len) || utf8_valid(p, (size_t)v->len);
}

nrw_status sink_check_text(const view_sink *s, const pq_leaf *leaf, const view *v, uint32_t n,
                           nrw_error *err)
{
    if (s->ascii || !leaf_is_text(leaf))
        return NRW_OK;
    for (uint32_t i = 0; i < n; i++)
        if (!view_utf8(s, &v[i]))
            return err_set(err, NRW_E_CORRUPT, "a text of %d bytes is not UTF-8", (int)v[i].len);
    return NRW_OK;
}

/* ---- where views point ---- */

/* Which bytes of an inlined view are text, by its length; the second half of the table is for the
 * bytes behind the first four. */
const uint64_t view_mask[VIEW_INLINE + 1][2] = {
    {0x00000000ffffffff, 0},
    {0x000000ffffffffff, 0},
    {0x0000ffffffffffff, 0},
    {0x00ffffffffffffff, 0},
    {UINT64_MAX, 0},
    {UINT64_MAX, 0xff},
    {UINT64_MAX, 0xffff},
    {UINT64_MAX, 0xffffff},
    {UINT64_MAX, 0xffffffff},
    {UINT64_MAX, 0xffffffffff},
    {UINT64_MAX, 0xffffffffffff},
    {UINT64_MAX, 0xffffffffffffff},
    {UINT64_MAX, UINT64_MAX},
};

nrw_status sink_pin(view_sink *s, buffer *b, int32_t *heap, nrw_error *err)
{
    if (s->pinned != b) {
        TRY(vector_add_heap(s->v, b, &s->pinned_at, err));
        s->pinned = b;
    }
    *heap = s->pinned_at;
    return NRW_OK;
}

#define HEAP_FIRST ((size_t)4 << 10)
#define HEAP_MOST  ((size_t)256 << 10)

nrw_status sink_room(view_sink *s, size_t n, uint8_t **p, int32_t *heap, int32_t *offset,
                     nrw_error *err)
{
    buffer *b = s->open;

    if (!b || b->cap - b->len < n) {
        size_t cap = b ? size_min(b->cap * 2, HEAP_MOST) : HEAP_FIRST;
        nrw_status st;
        if (n > INT32_MAX)
            return err_set(err, NRW_E_UNSUPPORTED, "a value has %zu bytes", n);
        if (n > cap)
            cap = n;
        st = buffer_new(s->v->m, cap, &b, err);
        if (st < 0)
            return n <= HEAP_MOST ? st : err_wrap(err, st, "a value of %zu bytes", n);
        b->len = 0;
        st = vector_add_heap(s->v, b, &s->open_at, err);
        buffer_unref(b);
        if (st < 0)
            return st;
        s->open = b;
    }
    *p = b->data + b->len;
    *heap = s->open_at;
    *offset = (int32_t)b->len;
    b->len += n;
    return NRW_OK;
}

nrw_status sink_from(view_sink *s, cursor *c, size_t n, view *out, nrw_error *err)
{
    uint8_t *p;
    int32_t heap, offset;

    if (n <= VIEW_INLINE) {
        *out = (view){.len = (int32_t)n};
        return cursor_copy(c, out->inlined, n, err);
    }
    if (n > cursor_left(c))
        return err_set(err, NRW_E_CORRUPT, "a value has %zu bytes, %zu are left in the page", n,
                       cursor_left(c));
    TRY(sink_room(s, n, &p, &heap, &offset, err));
    TRY(cursor_copy(c, p, n, err));
    *out = view_long(p, (uint32_t)n, heap, offset);
    return NRW_OK;
}

nrw_status sink_bytes(view_sink *s, const uint8_t *src, size_t n, view *out, nrw_error *err)
{
    uint8_t *p;
    int32_t heap, offset;

    if (n <= VIEW_INLINE) {
        *out = (view){.len = (int32_t)n};
        memcpy(out->inlined, src, n);
        return NRW_OK;
    }
    TRY(sink_room(s, n, &p, &heap, &offset, err));
    memcpy(p, src, n);
    *out = view_long(p, (uint32_t)n, heap, offset);
    return NRW_OK;
}
