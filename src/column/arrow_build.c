#include "column/arrow_build.h"

#include "column/arrow_build_own.h"
#include "column/vector_part.h"

#define MOST ((size_t)1 << 40)

nrw_status arrow_builder_init(arrow_builder *b, const arrow_layout *layout, const field *f, mem *m,
                              nrw_error *err)
{
    const bool map = f->type.id == TYPE_MAP && layout->kind == LAID_LIST;
    void *p;

    *b = (arrow_builder){.layout = layout, .f = f, .m = m};
    b->validity = b->fixed = b->more = bytes_init(m, MOST);
    if (layout->dictionary || !layout->n_children)
        return NRW_OK;
    TRY(mem_zalloc(m, layout->n_children * sizeof *b->children, &p, err));
    b->children = p;
    b->n_children = layout->n_children;
    for (uint32_t i = 0; i < b->n_children; i++) { /* of a map: the struct of its entries */
        const field *child = map ? layout->children[i].f : &f->type.children[i];
        nrw_status st = arrow_builder_init(&b->children[i], &layout->children[i], child, m, err);
        if (st < 0) {
            arrow_builder_release(b);
            return st;
        }
    }
    return NRW_OK;
}

void arrow_builder_release(arrow_builder *b)
{
    for (uint32_t i = 0; i < b->n_children; i++)
        arrow_builder_release(&b->children[i]);
    if (b->m) {
        mem_free(b->m, b->children, b->n_children * sizeof *b->children);
        bytes_release(&b->validity);
        bytes_release(&b->fixed);
        bytes_release(&b->more);
    }
    *b = (arrow_builder){0};
}

/* At most a quarter of what is kept lies idle, so keeping takes hardly more than the rows do. */
static nrw_status clear_buffer(bytes *b, nrw_error *err)
{
    const size_t len = b->len;

    bytes_clear(b);
    if (b->cap - len <= len / 4)
        return NRW_OK;
    bytes_release(b);
    return bytes_reserve(b, len + len / 16, err);
}

nrw_status arrow_builder_clear(arrow_builder *b, nrw_error *err)
{
    TRY(clear_buffer(&b->validity, err));
    TRY(clear_buffer(&b->fixed, err));
    TRY(clear_buffer(&b->more, err));
    b->rows = b->nulls = 0;
    for (uint32_t i = 0; i < b->n_children; i++)
        TRY(arrow_builder_clear(&b->children[i], err));
    return NRW_OK;
}

/* ---- bits ---- */

static nrw_status grow_bits(bytes *b, uint64_t rows, uint32_t n, nrw_error *err)
{
    size_t len = (size_t)((rows + n + 7) / 8);

    if (len == b->len)
        return NRW_OK;
    TRY(bytes_reserve(b, len - b->len, err));
    memset(b->data + b->len, 0, len - b->len);
    b->len = len;
    return NRW_OK;
}

static nrw_status add_validity(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                               nrw_error *err)
{
    TRY(grow_bits(&b->validity, b->rows, n, err));
    if (v->validity)
        b->nulls += part_copy_bits(b->validity.data, (size_t)b->rows, v->validity, first, n);
    else
        part_set_bits(b->validity.data, (size_t)b->rows, n, true);
    return NRW_OK;
}

static nrw_status add_nulls(arrow_builder *b, uint32_t n, nrw_error *err)
{
    TRY(grow_bits(&b->validity, b->rows, n, err));
    b->nulls += n;
    return NRW_OK;
}

static nrw_status build_bits(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                             nrw_error *err)
{
    TRY(grow_bits(&b->fixed, b->rows, n, err));
    for (uint32_t i = 0; i < n; i++)
        if (v->data[first + i])
            bit_set(b->fixed.data, (size_t)b->rows + i);
    return NRW_OK;
}

/* ---- text ---- */

static nrw_status too_large(nrw_error *err)
{
    return err_set(err, NRW_E_UNSUPPORTED, "a record batch of more than 2 GiB of values");
}

static nrw_status put_offset(arrow_builder *b, uint64_t at, nrw_error *err)
{
    if (b->layout->offset_bytes == 4 && at > INT32_MAX)
        return too_large(err);
    return bytes_append(&b->fixed, &at, b->layout->offset_bytes, err);
}

enum { STRIDE = 16 }; /* what is copied at once; buffers can be read so far behind their end */

/* To where there is room for a stride more. */
static inline void copy_text(uint8_t *to, const view *w, const vector *v)
{
    if (w->len <= VIEW_INLINE)
        memcpy(to, w->inlined, VIEW_INLINE);
    else if (w->len <= 4 * STRIDE)
        for (int32_t i = 0; i < w->len; i += STRIDE)
            memcpy(to + i, v->heaps.at[w->heap]->data + w->offset + i, STRIDE);
    else
        memcpy(to, v->heaps.at[w->heap]->data + w->offset, (size_t)w->len);
}

static uint64_t text_bytes(const vector *v, uint32_t first, uint32_t n)
{
    const view *w = (const view *)(const void *)v->data;
    uint64_t all = 0;

    for (uint32_t i = first; i < first + n; i++)
        all += vector_is_valid(v, i) ? (uint64_t)w[i].len : 0;
    return all;
}

static nrw_status build_bytes(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                              nrw_error *err)
{
    const uint32_t each = b->layout->offset_bytes;
    const view *w = (const view *)(const void *)v->data;
    const uint64_t all = text_bytes(v, first, n);
    uint64_t at = b->more.len;

    if (b->rows == 0)
        TRY(put_offset(b, 0, err));
    if (each == 4 && at + all > INT32_MAX)
        return too_large(err);
    TRY(bytes_reserve(&b->fixed, (size_t)n * each, err));
    TRY(bytes_reserve(&b->more, (size_t)all + STRIDE, err));
    for (uint32_t i = first; i < first + n; i++, b->fixed.len += each) {
        if (vector_is_valid(v, i)) {
            copy_text(b->more.data + at, &w[i], v);
            at += (uint64_t)w[i].len;
        }
        memcpy(b->fixed.data + b->fixed.len, &at, each == 4 ? 4 : 8); /* little-endian */
    }
    b->more.len = (size_t)at;
    return NRW_OK;
}

static nrw_status build_views(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                              nrw_error *err)
{
    TRY(bytes_reserve(&b->fixed, n * sizeof(view), err));
    for (uint32_t i = first; i < first + n; i++) {
        span text = vector_is_valid(v, i) ? view_span(v, i) : (span){0};
        view w = {0};
        if (b->more.len + text.len > INT32_MAX)
            return too_large(err);
        if (text.len)
            w = view_make(text.data, (int32_t)text.len, 0, (int32_t)b->more.len);
        if (text.len > VIEW_INLINE)
            TRY(bytes_append(&b->more, text.data, text.len, err));
        TRY(bytes_append(&b->fixed, &w, sizeof w, err));
    }
    return NRW_OK;
}

/* ---- nested ---- */

/* n rows of nulls at the end of b. */
static nrw_status build_nothing(arrow_builder *b, uint32_t n, nrw_error *err)
{
    vector none;
    nrw_status st;

    TRY(vector_nulls(b->m, &b->f->type, n, &none, err));
    st = arrow_build(b, &none, 0, n, err);
    vector_release(&none);
    return st;
}

static nrw_status build_entries(arrow_builder *entries, const vector *v, uint32_t from, uint32_t n,
                                nrw_error *err)
{
    TRY(grow_bits(&entries->validity, entries->rows, n, err));
    part_set_bits(entries->validity.data, (size_t)entries->rows, n, true);
    for (uint32_t c = 0; c < 2; c++)
        TRY(arrow_build(&entries->children[c], &v->children[c], from, n, err));
    entries->rows += n;
    return NRW_OK;
}

static nrw_status build_elements(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                                 nrw_error *err)
{
    const uint32_t *at = vector_offsets(v);
    uint32_t from = at[first], count = at[first + n] - from;

    if (v->type.id == TYPE_MAP)
        return build_entries(&b->children[0], v, from, count, err);
    return arrow_build(&b->children[0], &v->children[0], from, count, err);
}

static nrw_status build_list(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                             nrw_error *err)
{
    const uint32_t *at = vector_offsets(v);
    const uint64_t base = b->children[0].rows;

    if (b->rows == 0)
        TRY(put_offset(b, 0, err));
    for (uint32_t i = first; i < first + n; i++)
        TRY(put_offset(b, base + at[i + 1] - at[first], err));
    return build_elements(b, v, first, n, err);
}

static nrw_status build_list_view(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                                  nrw_error *err)
{
    const uint32_t *at = vector_offsets(v);
    const uint64_t base = b->children[0].rows;

    for (uint32_t i = first; i < first + n; i++) {
        uint64_t size = at[i + 1] - at[i];
        TRY(put_offset(b, base + at[i] - at[first], err));
        TRY(bytes_append(&b->more, &size, b->layout->offset_bytes, err));
    }
    return build_elements(b, v, first, n, err);
}

static nrw_status build_fixed_list(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                                   nrw_error *err)
{
    const uint32_t *at = vector_offsets(v), size = (uint32_t)b->layout->list_size;

    for (uint32_t i = first; i < first + n; i++) {
        bool null = !vector_is_valid(v, i);
        if (!null && at[i + 1] - at[i] != size) {
            err_at_column(err, b->f->name);
            return err_set(err, NRW_E_VALUE, "a list of %u elements in a column of lists of %u",
                           at[i + 1] - at[i], size);
        }
        TRY(null ? build_nothing(&b->children[0], size, err)
                 : arrow_build(&b->children[0], &v->children[0], at[i], size, err));
    }
    return NRW_OK;
}

static nrw_status build_struct(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                               nrw_error *err)
{
    for (uint32_t c = 0; c < b->n_children; c++)
        TRY(arrow_build(&b->children[c], &v->children[c], first, n, err));
    return NRW_OK;
}

/* ---- any ---- */

static nrw_status build_fixed(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                              nrw_error *err)
{
    const uint32_t width = b->layout->width;

    if (width == v->type.width && b->layout->change <= CHANGE_WIDTH)
        return bytes_append(&b->fixed, v->data + (size_t)first * width, (size_t)n * width, err);
    return arrow_build_changed(b, v, first, n, err);
}

static nrw_status build_flat(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                             nrw_error *err)
{
    switch (b->layout->kind) {
    case LAID_BITS: return build_bits(b, v, first, n, err);
    case LAID_FIXED: return build_fixed(b, v, first, n, err);
    case LAID_BYTES: return build_bytes(b, v, first, n, err);
    case LAID_VIEWS: return build_views(b, v, first, n, err);
    case LAID_LIST: return build_list(b, v, first, n, err);
    case LAID_LIST_VIEW: return build_list_view(b, v, first, n, err);
    case LAID_FIXED_LIST: return build_fixed_list(b, v, first, n, err);
    case LAID_STRUCT: return build_struct(b, v, first, n, err);
    case LAID_NULL:
    case LAID_RUNS:
    case LAID_UNION: break;
    }
    return NRW_OK;
}

static bool index_fits(const arrow_layout *l, uint32_t index)
{
    uint32_t bits = 8u * l->index_bytes - l->index_signed;

    return bits >= 32 || index >> bits == 0;
}

static nrw_status build_indices(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                                nrw_error *err)
{
    enum { STEP = 1024 };
    uint32_t index[STEP];

    for (uint32_t at = 0, k; at < n; at += k) {
        k = n - at < STEP ? n - at : STEP;
        TRY(b->indexer->index(b->indexer, v, first + at, k, index, err));
        for (uint32_t i = 0; i < k; i++) {
            uint64_t wide = index[i];
            if (!index_fits(b->layout, index[i])) {
                err_at_column(err, b->f->name);
                err_next(err, "--no-dictionary writes the values themselves");
                return err_set(err, NRW_E_VALUE, "has more values than indices of %u bits count",
                               8u * b->layout->index_bytes);
            }
            TRY(bytes_append(&b->fixed, &wide, b->layout->index_bytes, err));
        }
    }
    return NRW_OK;
}

/* A dictionary's rows keep their form: entries are then looked up once. */
static nrw_status build_dictionary(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                                   nrw_error *err)
{
    vector part, flat = {0};
    nrw_status st;

    TRY(vector_slice(v, first, n, b->m, &part, err));
    st = vector_expand(&part, b->m, &flat, err);
    if (st >= 0)
        st = add_validity(b, &flat, 0, n, err);
    if (st >= 0)
        st = build_indices(b, &flat, 0, n, err);
    vector_release(&flat);
    vector_release(&part);
    return st;
}

/* The rows as a flat vector: v itself, or out, with *first then 0. */
static nrw_status flat_rows(const vector *v, uint32_t *first, uint32_t n, mem *m, vector *out,
                            const vector **flat, nrw_error *err)
{
    vector part;
    nrw_status st;

    *out = (vector){0};
    *flat = v;
    if (v->form == VECTOR_FLAT)
        return NRW_OK;
    TRY(vector_slice(v, *first, n, m, &part, err));
    st = vector_flatten(&part, m, out, err);
    vector_release(&part);
    *flat = out;
    *first = 0;
    return st;
}

nrw_status arrow_build(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                       nrw_error *err)
{
    const vector *flat;
    vector own = {0};
    nrw_status st;

    if (n == 0)
        return NRW_OK;
    if (b->layout->kind == LAID_NULL) {
        st = add_nulls(b, n, err);
    } else if (b->layout->dictionary) {
        st = build_dictionary(b, v, first, n, err);
    } else {
        TRY(flat_rows(v, &first, n, b->m, &own, &flat, err));
        st = add_validity(b, flat, first, n, err);
        if (st >= 0)
            st = build_flat(b, flat, first, n, err);
        vector_release(&own);
    }
    b->rows += n;
    return st;
}

/* ---- sizes ---- */

static void add_each(uint64_t *sizes, uint32_t n, uint64_t bytes)
{
    for (uint32_t i = 0; i < n; i++)
        sizes[i] += bytes;
}

static void text_sizes(const vector *v, uint32_t first, uint32_t n, uint64_t *sizes)
{
    const view *w = (const view *)(const void *)v->data + first;

    for (uint32_t i = 0; i < n; i++)
        sizes[i] += (uint64_t)w[i].len;
}

static nrw_status element_sizes(const arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                                uint64_t *sizes, nrw_error *err)
{
    const uint32_t *at = vector_offsets(v) + first;
    const uint32_t count = at[n] - at[0];
    const bool map = v->type.id == TYPE_MAP;
    const arrow_builder *children = map ? b->children[0].children : b->children;
    nrw_status st = NRW_OK;
    uint64_t *each;
    void *p;

    TRY(mem_zalloc(b->m, count * sizeof *each, &p, err));
    each = p;
    for (uint32_t c = 0; st >= 0 && c <= map; c++)
        st = arrow_build_sizes(&children[c], &v->children[c], at[0], count, each, err);
    for (uint32_t i = 0; st >= 0 && i < n; i++)
        for (uint32_t k = at[i] - at[0]; k < at[i + 1] - at[0]; k++)
            sizes[i] += each[k];
    mem_free(b->m, p, count * sizeof *each);
    return st;
}

static nrw_status flat_sizes(const arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                             uint64_t *sizes, nrw_error *err)
{
    const arrow_layout *l = b->layout;

    add_each(sizes, n, arrow_layout_own(l));
    if (l->kind == LAID_BYTES || l->kind == LAID_VIEWS)
        text_sizes(v, first, n, sizes);
    for (uint32_t c = 0; l->kind == LAID_STRUCT && c < b->n_children; c++)
        TRY(arrow_build_sizes(&b->children[c], &v->children[c], first, n, sizes, err));
    if (l->kind >= LAID_LIST && l->kind <= LAID_FIXED_LIST)
        TRY(element_sizes(b, v, first, n, sizes, err));
    return NRW_OK;
}

nrw_status arrow_build_sizes(const arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                             uint64_t *sizes, nrw_error *err)
{
    const vector *flat;
    vector own;
    nrw_status st;

    if (n == 0)
        return NRW_OK;
    if (b->layout->dictionary || b->layout->kind == LAID_NULL || b->layout->kind == LAID_FIXED ||
        b->layout->kind == LAID_BITS) {
        add_each(sizes, n, arrow_layout_own(b->layout));
        return NRW_OK;
    }
    TRY(flat_rows(v, &first, n, b->m, &own, &flat, err));
    st = flat_sizes(b, flat, first, n, sizes, err);
    vector_release(&own);
    return st;
}

/* ---- buffers ---- */

static span span_of_bytes(const bytes *b)
{
    return (span){b->data, b->len};
}

uint32_t arrow_builder_buffers(const arrow_builder *b, span out[ARROW_BUFFERS_MAX])
{
    const arrow_layout *l = b->layout;
    uint32_t n = 0;

    if (l->kind == LAID_NULL && !l->dictionary)
        return 0;
    out[n++] = b->nulls ? span_of_bytes(&b->validity) : (span){0};
    if (l->dictionary || l->kind <= LAID_LIST_VIEW)
        out[n++] = span_of_bytes(&b->fixed);
    if (!l->dictionary && (l->kind == LAID_BYTES || l->kind == LAID_LIST_VIEW ||
                           (l->kind == LAID_VIEWS && b->more.len)))
        out[n++] = span_of_bytes(&b->more);
    return n;
}
