/* A piece in the region: its head, where there are nulls a bitmap, then the values; of text the
 * lengths of all values (0 where there is none) and behind them the bytes. */
#include "format/parquet/chunk_strip.h"

#include "kernel/kernel.h"

#define STAGE  ((size_t)16 << 10)
#define LENGTH sizeof(uint32_t)

nrw_status strip_open(pq_strip *t, spill *s, uint64_t bytes, int64_t row, nrw_error *err)
{
    uint64_t at;

    *t = (pq_strip){0};
    TRY(spill_region(s, bytes, &at, err));
    *t = (pq_strip){
        .s = s, .at = at, .len = bytes, .rows_end = row, .piece_row = row, .text_row = row};
    return NRW_OK;
}

void strip_seal(pq_strip *t)
{
    if (t->end < t->len)
        spill_region_free(t->s, t->at + t->end, t->len - t->end);
    t->len = t->end;
    if (t->len == 0)
        *t = (pq_strip){0};
}

void strip_close(pq_strip *t)
{
    if (t->s)
        spill_region_free(t->s, t->at, t->len);
    *t = (pq_strip){0};
}

/* ---- writing ---- */

static size_t bitmap_bytes(const strip_head *h)
{
    return h->nulls ? ((size_t)h->rows + 7) / 8 : 0;
}

static uint64_t piece_bytes(const strip_head *h, const type *type)
{
    uint64_t values =
        type_is_view(type) ? h->rows * LENGTH + h->text : (uint64_t)h->rows * type->width;

    return sizeof *h + bitmap_bytes(h) + values;
}

/* Small things on their way to the region. */
typedef struct stage {
    pq_strip *t;
    uint64_t at; /* in the region, of buf */
    size_t n;
    uint8_t *buf;
} stage;

static bool stage_flush(stage *g)
{
    if (g->n && spill_region_write(g->t->s, g->t->at + g->at, (span){g->buf, g->n}, NULL) < 0)
        return false;
    g->at += g->n;
    g->n = 0;
    return true;
}

static bool stage_put(stage *g, const void *data, size_t len)
{
    if (g->n + len > STAGE && !stage_flush(g))
        return false;
    if (len > STAGE) {
        if (spill_region_write(g->t->s, g->t->at + g->at, (span){data, len}, NULL) < 0)
            return false;
        g->at += len;
        return true;
    }
    if (len)
        memcpy(g->buf + g->n, data, len);
    g->n += len;
    return true;
}

static uint32_t length_of(const vector *v, uint32_t i)
{
    return vector_is_valid(v, i) ? (uint32_t)((const view *)(const void *)v->data)[i].len : 0;
}

static bool put_text(stage *g, const vector *v)
{
    for (uint32_t i = 0; i < v->len; i++) {
        uint32_t n = length_of(v, i);
        if (!stage_put(g, &n, sizeof n))
            return false;
    }
    for (uint32_t i = 0; i < v->len; i++)
        if (vector_is_valid(v, i)) {
            span s = view_span(v, i);
            if (!stage_put(g, s.data, s.len))
                return false;
        }
    return true;
}

static bool put_piece(stage *g, const strip_head *h, const vector *v)
{
    if (!stage_put(g, h, sizeof *h) || !stage_put(g, v->validity, bitmap_bytes(h)))
        return false;
    if (type_is_view(&v->type) ? !put_text(g, v)
                               : !stage_put(g, v->data, (size_t)v->len * v->type.width))
        return false;
    return stage_flush(g);
}

bool strip_add(pq_strip *t, const vector *v, mem *m)
{
    strip_head h = {.rows = v->len, .nulls = v->null_count};
    stage g = {.t = t, .at = t->end};
    bool done = false;

    for (uint32_t i = 0; type_is_view(&v->type) && i < v->len; i++)
        h.text += length_of(v, i);
    if (piece_bytes(&h, &v->type) > t->len - t->end || h.text > INT32_MAX)
        return false;
    g.buf = mem_try_alloc(m, STAGE);
    if (g.buf)
        done = put_piece(&g, &h, v);
    mem_free(m, g.buf, g.buf ? STAGE : 0);
    if (!done)
        return false;
    if (t->end == 0)
        t->head = h;
    t->end += piece_bytes(&h, &v->type);
    t->rows_end += v->len;
    return true;
}

/* ---- reading ---- */

static nrw_status get(const pq_strip *t, uint64_t at, void *dst, size_t n, nrw_error *err)
{
    return spill_region_read(t->s, t->at + t->piece + at, dst, n, err);
}

/* The piece that holds `row`. */
static nrw_status find_piece(pq_strip *t, const type *type, int64_t row, nrw_error *err)
{
    while (row >= t->piece_row + t->head.rows) {
        t->piece += piece_bytes(&t->head, type);
        t->piece_row += t->head.rows;
        t->text_row = t->piece_row;
        t->text_at = 0;
        TRY(get(t, 0, &t->head, sizeof t->head, err));
    }
    return NRW_OK;
}

/* Values begin here in the piece. */
static uint64_t values_at(const pq_strip *t)
{
    return sizeof t->head + bitmap_bytes(&t->head);
}

static nrw_status read_validity(const pq_strip *t, uint32_t from, uint32_t n, mem *m, vector *out,
                                nrw_error *err)
{
    const kernels *k = kernels_get();
    size_t first = from / 8, bytes = ((size_t)from + n + 7) / 8 - first;
    void *bits;
    nrw_status st;

    if (!t->head.nulls)
        return NRW_OK;
    TRY(mem_alloc(m, bytes + BUFFER_SLACK, &bits, err));
    st = get(t, sizeof t->head + first, bits, bytes, err);
    if (st >= 0)
        out->null_count = n - (uint32_t)k->popcount_bits(bits, from % 8, n);
    if (st >= 0 && out->null_count)
        st = vector_add_validity(out, err);
    if (st >= 0 && out->null_count)
        k->copy_bits(bits, from % 8, out->validity, 0, n);
    mem_free(m, bits, bytes + BUFFER_SLACK);
    return st;
}

/* The text of piece rows before `to` is passed. */
static nrw_status pass_text(pq_strip *t, uint32_t to, nrw_error *err)
{
    uint32_t at = (uint32_t)(t->text_row - t->piece_row), length[256];

    while (at < to) {
        uint32_t n = to - at < 256 ? to - at : 256;
        TRY(get(t, values_at(t) + at * LENGTH, length, n * LENGTH, err));
        for (uint32_t i = 0; i < n; i++)
            t->text_at += length[i];
        at += n;
        t->text_row += n;
    }
    return NRW_OK;
}

/* How many of n values of these lengths make about max_bytes. */
static uint32_t text_rows(const uint32_t *length, uint32_t n, size_t max_bytes, size_t *text)
{
    size_t bytes = 0;
    uint32_t i = 0;

    *text = 0;
    do {
        *text += length[i];
        bytes += sizeof(view) + length[i++];
    } while (i < n && bytes + sizeof(view) + length[i] <= max_bytes);
    return i;
}

/* Views of n values whose bytes follow each other in `heap`. */
static void make_views(const uint32_t *length, uint32_t n, const buffer *heap, view *dst)
{
    size_t at = 0;

    for (uint32_t i = 0; i < n; i++) {
        dst[i] = view_make(heap ? heap->data + at : (const uint8_t *)"", (int32_t)length[i], 0,
                           (int32_t)at);
        at += length[i];
    }
}

static nrw_status load_text(pq_strip *t, const uint32_t *length, uint32_t n, size_t text,
                            vector *out, nrw_error *err)
{
    buffer *heap = NULL;
    int32_t index;
    nrw_status st = NRW_OK;

    if (text) {
        TRY(buffer_new(out->m, text, &heap, err));
        heap->len = text;
        st = get(t, values_at(t) + t->head.rows * LENGTH + t->text_at, heap->data, text, err);
        if (st >= 0)
            st = vector_add_heap(out, heap, &index, err);
    }
    if (st >= 0)
        make_views(length, n, heap, (view *)(void *)out->data);
    buffer_unref(heap);
    t->text_at += text;
    t->text_row += n;
    return st;
}

static nrw_status read_text(pq_strip *t, const type *type, uint32_t from, uint32_t max_rows,
                            size_t max_bytes, mem *m, vector *out, nrw_error *err)
{
    size_t text, bytes = max_rows * LENGTH;
    uint32_t n;
    void *length;
    nrw_status st;

    TRY(pass_text(t, from, err));
    TRY(mem_alloc(m, bytes, &length, err));
    TRY_OUT(get(t, values_at(t) + from * LENGTH, length, bytes, err));
    n = text_rows(length, max_rows, max_bytes, &text);
    TRY_OUT(vector_flat(m, type, n, out, err));
    out->len = n;
    TRY_OUT(load_text(t, length, n, text, out, err));
    st = read_validity(t, from, n, m, out, err);
out:
    mem_free(m, length, bytes);
    return st;
}

static nrw_status read_fixed(pq_strip *t, const type *type, uint32_t from, uint32_t n, mem *m,
                             vector *out, nrw_error *err)
{
    TRY(vector_flat(m, type, n, out, err));
    out->len = n;
    TRY(get(t, values_at(t) + (uint64_t)from * type->width, out->data, (size_t)n * type->width,
            err));
    return read_validity(t, from, n, m, out, err);
}

/* Rows from `row` on, in a row. */
static nrw_status read_span(pq_strip *t, const type *type, int64_t row, uint32_t n,
                            size_t max_bytes, mem *m, vector *out, nrw_error *err)
{
    size_t fit = size_max(max_bytes / type->width, 1);
    uint32_t from;
    nrw_status st;

    TRY(find_piece(t, type, row, err));
    from = (uint32_t)(row - t->piece_row);
    if (n > t->head.rows - from)
        n = t->head.rows - from;
    if (n > fit)
        n = (uint32_t)fit;
    st = type_is_view(type) ? read_text(t, type, from, n, max_bytes, m, out, err)
                            : read_fixed(t, type, from, n, m, out, err);
    if (st < 0)
        vector_release(out);
    return st;
}

/* Of the rows in `whole`, which begin with that of sel[0], the selected ones. */
static nrw_status take_selected(const vector *whole, const uint16_t *sel, uint32_t n_sel, mem *m,
                                vector *out, nrw_error *err)
{
    uint32_t n = 0;
    uint16_t *local;
    void *p;
    nrw_status st;

    while (n < n_sel && (uint32_t)(sel[n] - sel[0]) < whole->len)
        n++;
    TRY(mem_alloc(m, n * sizeof *local, &p, err));
    local = p;
    for (uint32_t i = 0; i < n; i++)
        local[i] = (uint16_t)(sel[i] - sel[0]);
    st = vector_take(whole, local, n, m, out, err);
    mem_free(m, p, n * sizeof *local);
    return st;
}

nrw_status strip_read(pq_strip *t, const type *type, int64_t row, uint32_t max_rows,
                      size_t max_bytes, const uint16_t *sel, uint32_t n_sel, mem *m, vector *out,
                      nrw_error *err)
{
    vector whole = {0};
    nrw_status st;

    if (!sel)
        return read_span(t, type, row, max_rows, max_bytes, m, out, err);
    max_rows = sel[n_sel - 1] - sel[0] + 1u;
    TRY(read_span(t, type, row, max_rows, max_bytes, m, &whole, err));
    st = take_selected(&whole, sel, n_sel, m, out, err);
    vector_release(&whole);
    return st;
}
