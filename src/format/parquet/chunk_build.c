/* Vectors under construction: rows of one page after the other, in the form that the pages give. */
#include "format/parquet/chunk_priv.h"

#include "kernel/kernel.h"

void build_open(build *b, pq_chunk_reader *r, mem *m, uint32_t cap, size_t max_bytes,
                bool copy_text)
{
    *b = (build){.r = r,
                 .m = m,
                 .cap = cap,
                 .max_bytes = max_bytes,
                 .copy_text = copy_text,
                 .room = {.m = m}};
}

/* Pages whose vectors share the chunk's dictionary. An empty one has no entry for rows that are
 * null to name. */
static bool page_shares(const pq_chunk_reader *r)
{
    return r->by_index && r->dict.shared && r->dict.n;
}

bool build_accepts(const build *b)
{
    if (b->form == BUILD_NONE)
        return true;
    if (b->full || b->len == b->cap)
        return false;
    return page_shares(b->r) ? b->form != BUILD_FLAT && b->dict == b->r->dict.shared
                             : b->form == BUILD_FLAT;
}

size_t build_row_bytes(const pq_chunk_reader *r)
{
    size_t width = r->leaf->field.type.width, text;

    if (!r->conv.views)
        return width;
    if (r->by_index)
        text = r->dict.n ? r->dict.page.len / r->dict.n : 0;
    else
        text = r->page->body.len / (size_t)r->walk.head.n_values;
    return width + text / 4 * 3;
}

static nrw_status begin(build *b, nrw_error *err)
{
    pq_chunk_reader *r = b->r;
    const type *t = &r->leaf->field.type;

    if (page_shares(r)) {
        b->form = BUILD_RUNS;
        b->dict = r->dict.shared;
        b->n_runs = 0;
        return NRW_OK;
    }
    if (t->width) {
        size_t fit = size_max(b->max_bytes / build_row_bytes(r), 1);
        if (fit < b->cap)
            b->cap = (uint32_t)fit;
    }
    TRY(vector_flat(b->m, t, b->cap, &b->v, err));
    b->form = BUILD_FLAT;
    b->sink = (view_sink){.v = &b->v, .max_bytes = b->max_bytes, .copy = b->copy_text};
    return NRW_OK;
}

nrw_status build_validity(build *b, const level_span *s, uint32_t rows, uint32_t there,
                          nrw_error *err)
{
    const kernels *k = kernels_get();

    b->nulls += rows - there;
    if (there == rows) {
        if (b->v.validity)
            k->fill_bits(b->v.validity, b->len, rows, true);
        return NRW_OK;
    }
    TRY(vector_add_validity(&b->v, err));
    if (there == 0)
        k->fill_bits(b->v.validity, b->len, rows, false);
    else
        k->copy_bits(s->bits, s->off, b->v.validity, b->len, rows);
    return NRW_OK;
}

/* ---- dense values, from a decoder or one by one from a dictionary ---- */

/* Indices for up to n values of a dictionary that is not shared; they count as used. */
static nrw_status held_indices(pq_chunk_reader *r, uint32_t n, const uint32_t **out, uint32_t *got,
                               nrw_error *err)
{
    page_state *p = r->page;

    if (p->held_at == p->held_n) {
        p->held_at = p->held_n = 0;
        TRY(index_read(r, n < HELD_INDICES ? n : HELD_INDICES, p->held, err));
        p->held_n = n < HELD_INDICES ? n : HELD_INDICES;
    }
    *got = p->held_n - p->held_at < n ? p->held_n - p->held_at : n;
    *out = p->held + p->held_at;
    return NRW_OK;
}

static nrw_status dense_typed(build *b, uint32_t n, uint8_t *dst, uint32_t *bad, nrw_error *err)
{
    pq_chunk_reader *r = b->r;

    if (!r->by_index)
        return dec_typed(&r->page->dec, &r->conv, &b->room, n, dst, bad, err);
    for (uint32_t i = 0; i < n;) {
        const uint32_t *index;
        uint32_t k, wrong = 0;
        nrw_status st;
        TRY(held_indices(r, n - i, &index, &k, err));
        st = dict_gather(&r->dict, &r->conv, &b->room, index, k, dst + (size_t)i * r->conv.out,
                         &wrong, err);
        *bad = i + wrong;
        if (st < 0)
            return st;
        r->page->held_at += k;
        i += k;
    }
    return NRW_OK;
}

static nrw_status dense_views(build *b, uint32_t n, view *dst, uint32_t *got, nrw_error *err)
{
    pq_chunk_reader *r = b->r;
    uint32_t done = 0;

    if (!r->by_index)
        return dec_views(&r->page->dec, n, &b->sink, dst, got, err);
    *got = 0;
    do {
        const uint32_t *index;
        uint32_t k, took = 0;
        TRY(held_indices(r, n - done, &index, &k, err));
        TRY(dict_views(&r->dict, index, k, &b->sink, dst + done, &took, err));
        r->page->held_at += took;
        done += took;
    } while (done < n && !sink_full(&b->sink));
    *got = done;
    return NRW_OK;
}

/* ---- putting them in their rows ---- */

/* Rows up to and without the one that holds value number `values` (from 0) of the span. */
static uint32_t rows_before(const level_span *s, uint32_t values)
{
    for (uint32_t i = 0; i < s->rows; i++)
        if (bit_get(s->bits, s->off + i) && values-- == 0)
            return i;
    return s->rows;
}

typedef size_t (*spread_fn)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);

static spread_fn spread_of(uint32_t width)
{
    const kernels *k = kernels_get();

    switch (width) {
    case 1: return k->spread_1;
    case 2: return k->spread_2;
    case 4: return k->spread_4;
    case 8: return k->spread_8;
    case 16: return k->spread_16;
    default: return NULL;
    }
}

/* In place, from the end: value number j moves to the row of the j-th bit, never to the left. */
static void spread_in_place(const level_span *s, uint32_t width, uint8_t *dst)
{
    size_t from = s->there;

    for (size_t i = s->rows; i-- > 0;) {
        if (!bit_get(s->bits, s->off + i))
            memset(dst + i * width, 0, width);
        else if (--from != i)
            memcpy(dst + i * width, dst + from * width, width);
    }
}

static nrw_status place_error(build *b, const level_span *s, uint32_t bad, nrw_status st,
                              nrw_error *err)
{
    uint32_t row = s->there == s->rows ? bad : rows_before(s, bad);

    if (st == NRW_E_VALUE && !b->r->leaf->max_rep)
        err_at_row(err, b->r->walk.pos + row);
    return st;
}

static nrw_status fixed_rows(build *b, const level_span *s, nrw_error *err)
{
    pq_chunk_reader *r = b->r;
    uint32_t width = r->conv.out, bad = 0;
    uint8_t *dst = b->v.data + (size_t)b->len * width;
    const uint8_t *src = NULL;
    spread_fn spread = spread_of(width);
    nrw_status st;

    if (s->there == 0) {
        memset(dst, 0, (size_t)s->rows * width);
        return NRW_OK;
    }
    if (s->there == s->rows || !spread) {
        st = dense_typed(b, s->there, dst, &bad, err);
        if (st < 0)
            return place_error(b, s, bad, st, err);
        if (s->there != s->rows)
            spread_in_place(s, width, dst);
        return NRW_OK;
    }
    if (!r->conv.fn && !r->by_index)
        src = dec_direct(&r->page->dec, s->there);
    if (!src) {
        TRY(convert_room_get(&b->room, &b->room.typed, err));
        st = dense_typed(b, s->there, b->room.typed, &bad, err);
        if (st < 0)
            return place_error(b, s, bad, st, err);
        src = b->room.typed;
    }
    spread(src, s->bits, s->off, s->rows, dst);
    return NRW_OK;
}

/* Values of a span as views; the span is cut where the sink is full. */
static nrw_status view_rows(build *b, level_span *s, nrw_error *err)
{
    view *dst = (view *)(void *)b->v.data + b->len;
    uint32_t got;

    if (s->there == 0) {
        memset(dst, 0, s->rows * sizeof *dst);
        return NRW_OK;
    }
    if (s->there == s->rows) {
        TRY(dense_views(b, s->rows, dst, &got, err));
        s->rows = s->there = got;
    } else {
        TRY(convert_room_get(&b->room, &b->room.typed, err));
        TRY(dense_views(b, s->there, (view *)(void *)b->room.typed, &got, err));
        if (got < s->there)
            s->rows = rows_before(s, got);
        s->there = got;
        kernels_get()->spread_16(b->room.typed, s->bits, s->off, s->rows, dst);
    }
    b->full = sink_full(&b->sink);
    return NRW_OK;
}

/* Rows of the next span: mixed ones must fit in the room. */
static nrw_status peek(build *b, uint32_t n, level_span *s, nrw_error *err)
{
    levels *l = &b->r->page->lev;
    uint32_t step = convert_step(&b->r->conv);

    TRY(levels_peek(l, n, s, err));
    if (s->there && s->there < s->rows && s->rows > step)
        TRY(levels_peek(l, step, s, err));
    return NRW_OK;
}

static nrw_status flat_rows(build *b, uint32_t n, nrw_error *err)
{
    pq_chunk_reader *r = b->r;

    while (n && !b->full) {
        level_span s;
        TRY(peek(b, n, &s, err));
        if (r->conv.null_type) {
            if (s.there)
                return err_set(err, NRW_E_CORRUPT, "a value in a column of type NULL");
        } else if (r->conv.views) {
            TRY(view_rows(b, &s, err));
        } else {
            TRY(fixed_rows(b, &s, err));
        }
        TRY(build_validity(b, &s, s.rows, s.there, err));
        b->len += s.rows;
        levels_take(&r->page->lev, s.rows);
        r->walk.pos += s.rows;
        n -= s.rows;
    }
    return NRW_OK;
}

nrw_status build_append(build *b, uint32_t n, nrw_error *err)
{
    if (b->form == BUILD_NONE)
        TRY(begin(b, err));
    if (n > b->cap - b->len)
        n = b->cap - b->len;
    switch (b->form) {
    case BUILD_RUNS: return build_runs(b, n, err);
    case BUILD_INDEX: return build_indices(b, n, err);
    default: return flat_rows(b, n, err);
    }
}

build_mark build_at(const build *b)
{
    return (build_mark){.form = b->form, .len = b->len, .nulls = b->nulls, .n_runs = b->n_runs};
}

void build_cut(build *b, build_mark k)
{
    b->len = k.len;
    b->nulls = k.nulls;
    if (b->form == BUILD_RUNS) {
        b->n_runs = k.n_runs;
        if (k.n_runs) /* a later page may have made the last run longer */
            b->r->runs[k.n_runs - 1] = k.len;
    }
}

static bool runs_pay(const build *b)
{
    return (uint64_t)b->n_runs * 8 <= (uint64_t)b->len + 7;
}

nrw_status build_finish(build *b, vector *out, nrw_error *err)
{
    *out = (vector){0};
    if (b->form == BUILD_RUNS) {
        if (runs_pay(b))
            return build_finish_runs(b, out, err);
        TRY(build_expand(b, err));
    }
    if (b->nulls == 0 && b->v.validity) { /* its nulls were cut off again */
        buffer_unref(b->v.validity_buf);
        b->v.validity_buf = NULL;
        b->v.validity = NULL;
    }
    b->v.len = b->len;
    b->v.null_count = b->nulls;
    *out = b->v;
    b->v = (vector){0};
    return NRW_OK;
}

void build_drop(build *b)
{
    vector_release(&b->v);
    convert_room_release(&b->room);
    b->form = BUILD_NONE;
}
