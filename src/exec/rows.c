#include "exec/rows.h"

#include "base/block.h"
#include "column/nested_bytes.h"

/* ---- layout ---- */

/* As they are kept. */
static nrw_status kept_types(arena *a, const type *types, row_layout *l, nrw_error *err)
{
    type *kept;

    l->types = types;
    for (uint32_t c = 0; c < l->n && !l->nested; c++)
        if (type_is_nested(&types[c]))
            l->nested = types;
    if (!l->nested)
        return NRW_OK;
    TRY(arena_alloc(a, l->n * sizeof *kept, (void **)&kept, err));
    for (uint32_t c = 0; c < l->n; c++)
        kept[c] = type_is_nested(&types[c]) ? type_of(TYPE_BINARY) : types[c];
    l->types = kept;
    return NRW_OK;
}

nrw_status row_layout_new(arena *a, const type *types, uint32_t n, uint32_t extra, row_layout *out,
                          nrw_error *err)
{
    uint32_t at;

    *out = (row_layout){.n = n, .extra = (extra + 7) & ~7u};
    TRY(kept_types(a, types, out, err));
    types = out->types;
    TRY(arena_alloc(a, n * sizeof *out->at + 1, (void **)&out->at, err));
    out->bits = ROW_HEAD + out->extra;
    at = out->bits + ((n + 63) / 64) * 8;
    for (uint32_t c = 0; c < n; c++) {
        uint32_t width = type_is_view(&types[c]) ? 8 : types[c].width;
        uint32_t align = width >= 8 ? 8 : width >= 4 ? 4 : width >= 2 ? 2 : 1;
        out->has_text |= type_is_view(&types[c]);
        at = (at + align - 1) / align * align;
        out->at[c] = at;
        at += width;
    }
    out->fixed = (at + 7) & ~7u;
    return NRW_OK;
}

span row_value(const row_layout *l, const uint8_t *row, uint32_t c)
{
    const uint8_t *p = row + l->at[c];

    if (type_is_view(&l->types[c]))
        return (span){row + l->bits + load_u32(p), load_u32(p + 4)};
    return (span){p, l->types[c].width};
}

/* ---- room ---- */

/* Rows that are looked at in any order want large pages below them: many rows get blocks that fill
 * one, as long as what stays empty of the last is little beside the room that is left. */
static uint32_t block_for(const rows *r, uint32_t bytes)
{
    if (bytes > ROWS_BLOCK)
        return bytes;
    if (r->bytes < 2 * BLOCK_LARGE || mem_room(r->m) < 16 * BLOCK_LARGE)
        return ROWS_BLOCK;
    return (uint32_t)BLOCK_LARGE;
}

static nrw_status add_block(rows *r, uint32_t bytes, nrw_error *err)
{
    rows_block *b;

    if (r->spare) {
        b = &r->blocks[r->n_blocks];
        if (b->cap >= bytes) {
            r->n_blocks++;
            r->spare--;
            return NRW_OK;
        }
        for (; r->spare; r->spare--) /* too small for this row: none of them is worth keeping */
            mem_free(r->m, r->blocks[r->n_blocks + r->spare - 1].data,
                     r->blocks[r->n_blocks + r->spare - 1].cap);
    }
    if (r->n_blocks == r->cap_blocks) {
        uint32_t cap = r->cap_blocks ? r->cap_blocks * 2 : 8;
        void *p = r->blocks;
        TRY(mem_realloc(r->m, &p, r->cap_blocks * sizeof *b, cap * sizeof *b, err));
        r->blocks = p;
        r->cap_blocks = cap;
    }
    b = &r->blocks[r->n_blocks];
    *b = (rows_block){.cap = block_for(r, bytes)};
    TRY(mem_alloc(r->m, b->cap, (void **)&b->data, err));
    r->n_blocks++;
    return NRW_OK;
}

nrw_status rows_new(rows *r, uint32_t bytes, uint8_t **out, nrw_error *err)
{
    rows_block *b = r->n_blocks ? &r->blocks[r->n_blocks - 1] : NULL;

    if (!b || b->cap - b->len < bytes) {
        TRY(add_block(r, bytes, err));
        b = &r->blocks[r->n_blocks - 1];
    }
    *out = b->data + b->len;
    b->len += bytes;
    store_u32(*out, bytes);
    r->n++;
    r->bytes += bytes;
    return NRW_OK;
}

void rows_clear(rows *r)
{
    for (uint32_t i = 0; i < r->n_blocks; i++)
        r->blocks[i].len = 0;
    r->spare += r->n_blocks;
    r->n_blocks = 0;
    r->n = r->bytes = 0;
}

void rows_release(rows *r)
{
    for (uint32_t i = 0; i < r->n_blocks + r->spare; i++)
        mem_free(r->m, r->blocks[i].data, r->blocks[i].cap);
    mem_free(r->m, r->blocks, r->cap_blocks * sizeof *r->blocks);
    *r = (rows){.m = r->m};
}

void rows_drop_block(rows *r, uint32_t i)
{
    mem_free(r->m, r->blocks[i].data, r->blocks[i].cap);
    r->blocks[i] = (rows_block){0};
}

uint64_t rows_cost(uint64_t bytes)
{
    return (bytes / ROWS_BLOCK + 2) * (ROWS_BLOCK + 32);
}

static uint64_t room_of_last(const rows *r)
{
    const rows_block *b = r->n_blocks ? &r->blocks[r->n_blocks - 1] : NULL;

    return b ? b->cap - b->len : 0;
}

uint64_t rows_more_cost(const rows *r, uint64_t bytes)
{
    return bytes <= room_of_last(r) ? 0 : rows_cost(bytes);
}

uint64_t rows_next_cost(const rows *r, uint32_t bytes)
{
    if (r->n_blocks && bytes <= room_of_last(r))
        return 0;
    return (bytes > ROWS_BLOCK ? bytes : ROWS_BLOCK) + 32;
}

uint64_t rows_text(const vector *v)
{
    return type_is_nested(&v->type) ? nested_bytes_most(v)
           : type_is_view(&v->type) ? vector_text_bytes(v)
                                    : 0;
}

/* What a row of a column takes beside the fixed part, on average. */
static uint64_t text_each(const vector *v)
{
    return v->len ? rows_text(v) / v->len : 0;
}

/* The same at most, where a dictionary tells it sooner than the rows. */
static uint64_t text_each_most(const vector *v)
{
    const vector *values = v->form == VECTOR_DICT ? &v->dict->values : NULL;
    uint64_t most = 0;

    if (!values || !type_is_view(&v->type) || values->len > v->len / 2)
        return text_each(v);
    for (uint32_t i = 0; i < values->len; i++) {
        bool null;
        most = size_max(most, vector_value(values, i, &null).len);
    }
    return most;
}

static uint32_t fit(const row_layout *l, const vector *cols, uint32_t n, uint64_t bytes,
                    uint32_t most, uint64_t (*each_of)(const vector *v))
{
    uint64_t each = l->fixed + 8;

    for (uint32_t c = 0; l->has_text && c < n; c++)
        each += each_of(&cols[c]);
    each = bytes / each;
    return each < 1 ? 1 : each < most ? (uint32_t)each : most;
}

uint32_t rows_that_fit(const row_layout *l, const vector *cols, uint32_t n, uint64_t bytes,
                       uint32_t most)
{
    return fit(l, cols, n, bytes, most, text_each);
}

uint32_t rows_that_surely_fit(const row_layout *l, const vector *cols, uint32_t n, uint64_t bytes,
                              uint32_t most)
{
    return fit(l, cols, n, bytes, most, text_each_most);
}

/* ---- columns to rows ---- */

nrw_status row_kept(const vector *v, mem *m, vector *out, nrw_error *err)
{
    return type_is_nested(&v->type) ? nested_to_bytes(v, m, out, err)
                                    : vector_flatten(v, m, out, err);
}

/* What all rows begin with behind their head: columns without nulls are there. */
static void begin_rows(const row_layout *l, const vector *flat, uint8_t *start)
{
    memset(start, 0, l->fixed);
    for (uint32_t c = 0; c < l->n; c++)
        if (!flat[c].validity)
            bit_set(start + l->bits, c);
}

static nrw_status lay_out(rows *r, const row_layout *l, const vector *flat, uint32_t n,
                          const uint64_t *hashes, const uint8_t *start, uint8_t **out,
                          nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bytes = l->fixed;
        for (uint32_t c = 0; l->has_text && c < l->n; c++)
            if (type_is_view(&l->types[c]) && vector_is_valid(&flat[c], i))
                bytes += (uint32_t)((const view *)flat[c].data)[i].len;
        bytes = (bytes + 7) & ~(uint64_t)7;
        if (bytes > UINT32_MAX)
            return err_set(err, NRW_E_UNSUPPORTED, "a row of more than 4 GiB cannot be kept");
        TRY(rows_new(r, (uint32_t)bytes, &out[i], err));
        store_u64(out[i] + 8, hashes ? hashes[i] : 0);
        memcpy(out[i] + ROW_HEAD, start + ROW_HEAD, l->fixed - ROW_HEAD);
        if (bytes > l->fixed)
            memset(out[i] + bytes - 8, 0, 8);      /* the padding behind the text */
        store_u32(out[i] + 4, l->fixed - l->bits); /* how far text has come */
    }
    return NRW_OK;
}

#define PUT(ctype)                                                                                 \
    do {                                                                                           \
        const ctype *v = (const ctype *)(const void *)flat->data;                                  \
        for (uint32_t i = 0; !flat->validity && i < n; i++)                                        \
            memcpy(out[i] + at, &v[i], sizeof v[i]);                                               \
        for (uint32_t i = 0; flat->validity && i < n; i++)                                         \
            if (bit_get(flat->validity, i)) {                                                      \
                memcpy(out[i] + at, &v[i], sizeof v[i]);                                           \
                out[i][bit_at] |= bit;                                                             \
            }                                                                                      \
    } while (0)

static void put_text(const row_layout *l, const vector *flat, uint32_t c, uint32_t n, uint8_t **out)
{
    for (uint32_t i = 0; i < n; i++) {
        span s;
        uint32_t to;
        if (!vector_is_valid(flat, i))
            continue;
        s = view_span(flat, i);
        to = load_u32(out[i] + 4);
        store_u32(out[i] + l->at[c], to);
        store_u32(out[i] + l->at[c] + 4, (uint32_t)s.len);
        memcpy(out[i] + l->bits + to, s.data, s.len);
        store_u32(out[i] + 4, to + (uint32_t)s.len);
        out[i][l->bits + c / 8] |= (uint8_t)(1u << (c % 8));
    }
}

static void put_column(const row_layout *l, const vector *flat, uint32_t c, uint32_t n,
                       uint8_t **out)
{
    uint32_t at = l->at[c], bit_at = l->bits + c / 8, width = l->types[c].width;
    uint8_t bit = (uint8_t)(1u << (c % 8));

    if (type_is_view(&l->types[c]))
        put_text(l, flat, c, n, out);
    else if (width == 1)
        PUT(uint8_t);
    else if (width == 2)
        PUT(uint16_t);
    else if (width == 4)
        PUT(uint32_t);
    else if (width == 8)
        PUT(uint64_t);
    else
        for (uint32_t i = 0; i < n; i++)
            if (width && vector_is_valid(flat, i)) {
                memcpy(out[i] + at, flat->data + (size_t)i * width, width);
                out[i][bit_at] |= bit;
            }
}

nrw_status rows_add(rows *r, const row_layout *l, const vector *const *cols, uint32_t n,
                    const uint64_t *hashes, mem *m, uint8_t **out, nrw_error *err)
{
    size_t head = l->n * sizeof(vector) + l->fixed;
    vector *flat;
    uint8_t *start;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(m, head, (void **)&flat, err));
    start = (uint8_t *)(flat + l->n);
    for (uint32_t c = 0; c < l->n; c++)
        TRY_OUT(row_kept(cols[c], m, &flat[c], err));
    begin_rows(l, flat, start);
    TRY_OUT(lay_out(r, l, flat, n, hashes, start, out, err));
    for (uint32_t c = 0; c < l->n; c++)
        put_column(l, &flat[c], c, n, out);
    for (uint32_t i = 0; i < n; i++)
        store_u32(out[i] + 4, 0);
out:
    for (uint32_t c = 0; c < l->n; c++)
        vector_release(&flat[c]);
    mem_free(m, flat, head);
    return st;
}

nrw_status rows_put(const row_layout *l, const vector *const *cols, uint32_t n, mem *m,
                    uint8_t **rows, nrw_error *err)
{
    for (uint32_t c = 0; c < l->n; c++) {
        vector flat;
        TRY(row_kept(cols[c], m, &flat, err));
        for (uint32_t i = 0; !flat.validity && i < n; i++)
            bit_set(rows[i] + l->bits, c);
        put_column(l, &flat, c, n, rows);
        vector_release(&flat);
    }
    return NRW_OK;
}

/* ---- rows to columns ---- */

static nrw_status get_text(const row_layout *l, const uint8_t *const *row, uint32_t n, uint32_t c,
                           mem *m, vector *out, nrw_error *err)
{
    size_t bytes = 0, at = 0;
    int32_t heap = 0;
    buffer *b;
    view *views = (view *)out->data;

    for (uint32_t i = 0; i < n; i++)
        if (row_has(l, row[i], c) && load_u32(row[i] + l->at[c] + 4) > VIEW_INLINE)
            bytes += load_u32(row[i] + l->at[c] + 4);
    if (bytes > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "more than 2 GiB of text in one batch");
    TRY(buffer_new(m, bytes, &b, err));
    b->len = bytes;
    nrw_status st = vector_add_heap(out, b, &heap, err);
    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        span s;
        if (!row_has(l, row[i], c)) {
            views[i] = (view){0};
            continue;
        }
        s = row_value(l, row[i], c);
        views[i] = view_make(s.data, (int32_t)s.len, heap, (int32_t)at);
        if (s.len > VIEW_INLINE) {
            memcpy(b->data + at, s.data, s.len);
            at += s.len;
        }
    }
    buffer_unref(b);
    return st;
}

#define GET(ctype)                                                                                 \
    do {                                                                                           \
        ctype *v = (ctype *)(void *)out->data;                                                     \
        for (uint32_t i = 0; i < n; i++)                                                           \
            memcpy(&v[i], row[i] + at, sizeof v[i]);                                               \
    } while (0)

static void get_fixed(const row_layout *l, const uint8_t *const *row, uint32_t n, uint32_t c,
                      vector *out)
{
    uint32_t at = l->at[c], width = l->types[c].width;

    if (width == 1)
        GET(uint8_t);
    else if (width == 4)
        GET(uint32_t);
    else if (width == 8)
        GET(uint64_t);
    else
        for (uint32_t i = 0; width && i < n; i++)
            memcpy(out->data + (size_t)i * width, row[i] + at, width);
}

static nrw_status kept_column(const row_layout *l, const uint8_t *const *row, uint32_t n,
                              uint32_t c, mem *m, vector *out, nrw_error *err)
{
    uint32_t nulls = 0;
    nrw_status st = NRW_OK;

    TRY(vector_flat(m, &l->types[c], n, out, err));
    for (uint32_t i = 0; i < n; i++)
        nulls += !row_has(l, row[i], c);
    if (nulls)
        st = vector_add_validity(out, err);
    for (uint32_t i = 0; st >= 0 && nulls && i < n; i++)
        if (!row_has(l, row[i], c))
            bit_clear(out->validity, i);
    out->len = n;
    out->null_count = nulls;
    if (st >= 0 && type_is_view(&l->types[c]))
        st = get_text(l, row, n, c, m, out, err);
    else if (st >= 0)
        get_fixed(l, row, n, c, out);
    if (st < 0)
        vector_release(out);
    return st;
}

nrw_status rows_column(const row_layout *l, const uint8_t *const *row, uint32_t n, uint32_t c,
                       mem *m, vector *out, nrw_error *err)
{
    vector kept;
    nrw_status st;

    if (!l->nested || !type_is_nested(&l->nested[c]))
        return kept_column(l, row, n, c, m, out, err);
    TRY(kept_column(l, row, n, c, m, &kept, err));
    st = nested_from_bytes(&l->nested[c], &kept, m, out, err);
    vector_release(&kept);
    return st;
}
