/* Rows [first, first + n) of a vector, which are one value's or its elements:
 *
 *   a byte, 1: some are null, a bit for each follows; not for a whole value, which is there
 *   fixed     the values
 *   text      n lengths (uint32), the bytes
 *   struct    the same rows of each field
 *   list, map n lengths (uint32), their elements
 *
 * Back they come in two walks: one counts what each vector holds, the other fills them. */
#include "column/nested_bytes.h"

#include "column/vector_part.h"

/* ---- to bytes ---- */

/* All vectors below it flat. */
static nrw_status flatten_all(const vector *v, mem *m, vector *out, nrw_error *err)
{
    nrw_status st;

    if (!type_is_nested(&v->type))
        return vector_flatten(v, m, out, err);
    st = vector_share(v, out, err);
    for (uint32_t c = 0; st >= 0 && c < v->n_children; c++) {
        vector child;
        st = flatten_all(&v->children[c], m, &child, err);
        if (st >= 0) {
            vector_release(&out->children[c]);
            out->children[c] = child;
        }
    }
    if (st < 0)
        vector_release(out);
    return st;
}

/* Of a vector below as many values as rows: a byte and a bitmap for each of them. */
static uint64_t most_of(const vector *v, uint64_t values)
{
    const uint64_t n = v->len;
    uint64_t sum = 2 * values + n / 8;

    if (type_is_view(&v->type))
        return sum + n * sizeof(uint32_t) + vector_text_bytes(v);
    if (v->type.id != TYPE_STRUCT)
        sum += n * v->type.width; /* or lengths */
    for (uint32_t c = 0; c < v->n_children; c++)
        sum += most_of(&v->children[c], values);
    return sum;
}

uint64_t nested_bytes_most(const vector *v)
{
    return most_of(v, v->len);
}

static uint8_t *put_rows(const vector *v, uint32_t first, uint32_t n, uint8_t *to);

static uint8_t *put_texts(const vector *v, uint32_t first, uint32_t n, uint8_t *to)
{
    const view *views = (const view *)(const void *)v->data + first;

    for (uint32_t i = 0; i < n; i++, to += sizeof(uint32_t))
        store_u32(to, (uint32_t)views[i].len);
    for (uint32_t i = 0; i < n; i++) {
        span s = view_span(v, first + i);
        memcpy(to, s.data, s.len);
        to += s.len;
    }
    return to;
}

static uint8_t *put_lists(const vector *v, uint32_t first, uint32_t n, uint8_t *to)
{
    const uint32_t *at = vector_offsets(v) + first;

    for (uint32_t i = 0; i < n; i++, to += sizeof *at)
        store_u32(to, at[i + 1] - at[i]);
    for (uint32_t c = 0; c < v->n_children; c++)
        to = put_rows(&v->children[c], at[0], at[n] - at[0], to);
    return to;
}

static uint8_t *put_values(const vector *v, uint32_t first, uint32_t n, uint8_t *to)
{
    const size_t width = v->type.width;

    if (type_is_view(&v->type))
        return put_texts(v, first, n, to);
    if (!type_is_nested(&v->type)) {
        if (n && width)
            memcpy(to, v->data + first * width, n * width);
        return to + n * width;
    }
    if (v->type.id != TYPE_STRUCT)
        return put_lists(v, first, n, to);
    for (uint32_t c = 0; c < v->n_children; c++)
        to = put_rows(&v->children[c], first, n, to);
    return to;
}

static uint8_t *put_rows(const vector *v, uint32_t first, uint32_t n, uint8_t *to)
{
    const size_t bits = ((size_t)n + 7) / 8;
    uint8_t *nulls = to++;

    *nulls = 0;
    if (v->validity && bits) {
        memset(to, 0, bits);
        *nulls = part_copy_bits(to, 0, v->validity, first, n) > 0;
        to += *nulls ? bits : 0;
    }
    return put_values(v, first, n, to);
}

/* Each row behind the one before, in b, where they have room; out has room for the views. */
static void put_all(const vector *flat, buffer *b, int32_t heap, vector *out)
{
    view *views = (view *)(void *)out->data;
    uint8_t *to = b->data, *from;

    for (uint32_t i = 0; i < flat->len; i++) {
        from = to;
        if (vector_is_valid(flat, i))
            to = put_values(flat, i, 1, to);
        else
            bit_clear(out->validity, i);
        views[i] = view_make(from, (int32_t)(to - from), heap, (int32_t)(from - b->data));
    }
    b->len = (size_t)(to - b->data);
    out->len = flat->len;
    out->null_count = flat->null_count;
}

static nrw_status flat_to_bytes(const vector *flat, mem *m, vector *out, nrw_error *err)
{
    const type binary = type_of(TYPE_BINARY);
    const uint64_t most = nested_bytes_most(flat);
    buffer *b = NULL;
    int32_t heap = 0;
    nrw_status st;

    if (most > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "nested values of 2 GiB in one batch");
    TRY(vector_flat(m, &binary, flat->len, out, err));
    st = buffer_new(m, most, &b, err);
    if (st >= 0)
        st = vector_add_heap(out, b, &heap, err);
    if (st >= 0 && flat->validity)
        st = vector_add_validity(out, err);
    if (st >= 0)
        put_all(flat, b, heap, out);
    else
        vector_release(out);
    buffer_unref(b);
    return st;
}

nrw_status nested_to_bytes(const vector *v, mem *m, vector *out, nrw_error *err)
{
    vector flat;
    nrw_status st;

    TRY(flatten_all(v, m, &flat, err));
    st = flat_to_bytes(&flat, m, out, err);
    vector_release(&flat);
    return st;
}

/* ---- and back ---- */

/* A vector that is made, and those below it. */
typedef struct cells {
    const type *t;
    bool nullable, nulls;
    uint64_t n, text; /* rows; bytes of texts that are not inlined */
    vector *v;
    buffer *heap;
    int32_t heap_at;
    size_t texts_at;
    struct cells *children;
} cells;

static uint32_t count_cells(const type *t)
{
    uint32_t n = 1;

    for (uint32_t c = 0; c < t->n_children; c++)
        n += count_cells(&t->children[c].type);
    return n;
}

/* Takes as many of those at *free as it has below it. */
static void lay_cells(cells *x, const type *t, bool nullable, cells **free)
{
    *x = (cells){.t = t, .nullable = nullable, .children = *free};
    *free += t->n_children;
    for (uint32_t c = 0; c < t->n_children; c++)
        lay_cells(&x->children[c], &t->children[c].type, t->children[c].nullable, free);
}

static uint64_t sum_of(const uint8_t *lengths, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += load_u32(lengths + i * sizeof(uint32_t));
    return sum;
}

static const uint8_t *count_rows(cells *x, const uint8_t *p, uint32_t n);

static const uint8_t *count_values(cells *x, const uint8_t *p, uint32_t n)
{
    const uint8_t *lengths = p;
    uint32_t each = n;

    x->n += n;
    if (type_is_view(x->t)) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t len = load_u32(p + i * sizeof len);
            x->text += len > VIEW_INLINE ? len : 0;
        }
        return p + n * sizeof(uint32_t) + sum_of(lengths, n);
    }
    if (!type_is_nested(x->t))
        return p + (size_t)n * x->t->width;
    if (x->t->id != TYPE_STRUCT) {
        each = (uint32_t)sum_of(lengths, n);
        p += n * sizeof(uint32_t);
    }
    for (uint32_t c = 0; c < x->t->n_children; c++)
        p = count_rows(&x->children[c], p, each);
    return p;
}

static const uint8_t *count_rows(cells *x, const uint8_t *p, uint32_t n)
{
    if (*p++) {
        x->nulls = true;
        p += ((size_t)n + 7) / 8;
    }
    return count_values(x, p, n);
}

static void count_null(cells *x)
{
    x->n++;
    x->nulls |= x->nullable;
    for (uint32_t c = 0; x->t->id == TYPE_STRUCT && c < x->t->n_children; c++)
        count_null(&x->children[c]);
}

/* Vectors with room for what was counted. */
static nrw_status make(cells *x, vector *v, mem *m, nrw_error *err)
{
    if (x->n > UINT32_MAX - 1 || x->text > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "too many nested values in one batch");
    TRY(vector_flat(m, x->t, (uint32_t)x->n, v, err));
    x->v = v;
    if (x->nulls)
        TRY(vector_add_validity(v, err));
    if (x->text) {
        TRY(buffer_new(m, x->text, &x->heap, err));
        x->heap->len = x->text;
        TRY(vector_add_heap(v, x->heap, &x->heap_at, err));
    }
    for (uint32_t c = 0; c < x->t->n_children; c++)
        TRY(make(&x->children[c], &v->children[c], m, err));
    return NRW_OK;
}

static const uint8_t *fill_texts(cells *x, const uint8_t *p, uint32_t n)
{
    view *views = (view *)(void *)x->v->data + x->v->len;
    const uint8_t *text = p + n * sizeof(uint32_t);

    for (uint32_t i = 0; i < n; i++, p += sizeof(uint32_t)) {
        const uint32_t len = load_u32(p);
        views[i] = view_make(text, (int32_t)len, x->heap_at, (int32_t)x->texts_at);
        if (len > VIEW_INLINE) {
            memcpy(x->heap->data + x->texts_at, text, len);
            x->texts_at += len;
        }
        text += len;
    }
    return text;
}

static uint32_t fill_offsets(cells *x, const uint8_t *lengths, uint32_t n)
{
    uint32_t *at = (uint32_t *)(void *)x->v->data + x->v->len;
    const uint32_t from = at[0];

    for (uint32_t i = 0; i < n; i++)
        at[i + 1] = at[i] + load_u32(lengths + i * sizeof *at);
    return at[n] - from;
}

static const uint8_t *fill_rows(cells *x, const uint8_t *p, uint32_t n);

static const uint8_t *fill_values(cells *x, const uint8_t *p, uint32_t n)
{
    const size_t width = x->t->width;
    uint32_t each = n;

    if (type_is_view(x->t)) {
        p = fill_texts(x, p, n);
    } else if (!type_is_nested(x->t)) {
        memcpy(x->v->data + x->v->len * width, p, n * width);
        p += n * width;
    } else if (x->t->id != TYPE_STRUCT) {
        each = fill_offsets(x, p, n);
        p += n * sizeof(uint32_t);
    }
    x->v->len += n;
    for (uint32_t c = 0; c < x->t->n_children; c++)
        p = fill_rows(&x->children[c], p, each);
    return p;
}

static const uint8_t *fill_rows(cells *x, const uint8_t *p, uint32_t n)
{
    if (*p++) {
        x->v->null_count += part_copy_bits(x->v->validity, x->v->len, p, 0, n);
        p += ((size_t)n + 7) / 8;
    }
    return fill_values(x, p, n);
}

static void fill_null(cells *x)
{
    const uint32_t at = x->v->len++, width = x->t->width;

    if (x->nullable) {
        bit_clear(x->v->validity, at);
        x->v->null_count++;
    }
    if (x->t->id == TYPE_LIST || x->t->id == TYPE_MAP)
        ((uint32_t *)(void *)x->v->data)[at + 1] = vector_offsets(x->v)[at];
    else if (x->t->id != TYPE_STRUCT)
        memset(x->v->data + (size_t)at * width, 0, width);
    else
        for (uint32_t c = 0; c < x->t->n_children; c++)
            fill_null(&x->children[c]);
}

static void count_all(cells *x, const vector *bytes)
{
    for (uint32_t i = 0; i < bytes->len; i++) {
        if (vector_is_valid(bytes, i))
            count_values(x, view_span(bytes, i).data, 1);
        else
            count_null(x);
    }
}

static void fill_all(cells *x, const vector *bytes)
{
    for (uint32_t i = 0; i < bytes->len; i++) {
        if (vector_is_valid(bytes, i))
            fill_values(x, view_span(bytes, i).data, 1);
        else
            fill_null(x);
    }
}

nrw_status nested_from_bytes(const type *t, const vector *bytes, mem *m, vector *out,
                             nrw_error *err)
{
    const uint32_t n = count_cells(t);
    cells *x, *free;
    nrw_status st;

    *out = (vector){0};
    TRY(mem_zalloc(m, n * sizeof *x, (void **)&x, err));
    free = x + 1;
    lay_cells(x, t, true, &free);
    count_all(x, bytes);
    st = make(x, out, m, err);
    if (st >= 0)
        fill_all(x, bytes);
    for (uint32_t c = 0; c < n; c++)
        buffer_unref(x[c].heap);
    mem_free(m, x, n * sizeof *x);
    if (st < 0)
        vector_release(out);
    return st;
}
