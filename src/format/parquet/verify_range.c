/* The extremes of a vector are found in the vector's own form, then turned into PLAIN bytes once a
 * vector, so that one comparison serves data and statistics. */
#include "format/parquet/verify_range.h"

typedef struct extremes {
    bool any;
    uint32_t min, max; /* entries */
} extremes;

/* Over the entries that idx names (NULL: 0, 1, 2 ...), nulls left out. */
typedef struct entries {
    const vector *values; /* flat */
    const uint32_t *idx;
    const uint8_t *validity; /* of the entry list, not of values; NULL: all are there */
    uint32_t n;
} entries;

/* NaN is in no order: a value that differs from itself is passed over. */
#define EXTREMES(name, T)                                                                          \
    static void name(const entries *e, extremes *x)                                                \
    {                                                                                              \
        const T *data = (const T *)e->values->data;                                                \
        for (uint32_t i = 0; i < e->n; i++) {                                                      \
            uint32_t k = e->idx ? e->idx[i] : i;                                                   \
            if ((e->validity && !bit_get(e->validity, i)) || data[k] != data[k])                   \
                continue;                                                                          \
            if (!x->any)                                                                           \
                *x = (extremes){true, k, k};                                                       \
            if (data[k] < data[x->min])                                                            \
                x->min = k;                                                                        \
            if (data[k] > data[x->max])                                                            \
                x->max = k;                                                                        \
        }                                                                                          \
    }

EXTREMES(extremes_i8, int8_t)
EXTREMES(extremes_i16, int16_t)
EXTREMES(extremes_i32, int32_t)
EXTREMES(extremes_i64, int64_t)
EXTREMES(extremes_u8, uint8_t)
EXTREMES(extremes_u16, uint16_t)
EXTREMES(extremes_u32, uint32_t)
EXTREMES(extremes_u64, uint64_t)
EXTREMES(extremes_f32, float)
EXTREMES(extremes_f64, double)

static bool is_nan16(const uint8_t *p)
{
    return ((p[0] | (unsigned)p[1] << 8) & 0x7fff) > 0x7c00;
}

/* Little-endian two's complement of a decimal wider than 64 bits, turned around. */
static span turned(const uint8_t *p, size_t width, uint8_t out[32])
{
    for (size_t i = 0; i < width; i++)
        out[i] = p[width - 1 - i];
    return (span){out, width};
}

/* A value as statistics hold it. Numbers that vectors hold narrower or wider than the file get
 * the file's width. */
static span plain(const pq_leaf *l, const vector *v, uint32_t i, uint8_t out[32])
{
    span s = flat_span(v, i);
    if (v->type.id == TYPE_DECIMAL && l->physical != PQ_INT32 && l->physical != PQ_INT64)
        return turned(s.data, s.len, out);
    size_t width = l->physical == PQ_INT32 ? 4 : l->physical == PQ_INT64 ? 8 : s.len;
    if (width == s.len)
        return s;
    bool is_signed = v->type.id != TYPE_UINT8 && v->type.id != TYPE_UINT16;
    uint8_t fill = is_signed && s.data[s.len - 1] & 0x80 ? 0xff : 0;
    memset(out, fill, 32);
    memcpy(out, s.data, size_min(s.len, width));
    return (span){out, width};
}

/* Text, bytes and what has no C type: compared as statistics are. */
static void extremes_plain(const pq_leaf *l, const entries *e, extremes *x)
{
    uint8_t a[32], b[32];
    for (uint32_t i = 0; i < e->n; i++) {
        uint32_t k = e->idx ? e->idx[i] : i;
        if (e->validity && !bit_get(e->validity, i))
            continue;
        span v = plain(l, e->values, k, a);
        if (e->values->type.id == TYPE_FLOAT16 && is_nan16(v.data))
            continue;
        if (!x->any)
            *x = (extremes){true, k, k};
        if (pq_value_compare(l, v, plain(l, e->values, x->min, b)) < 0)
            x->min = k;
        if (pq_value_compare(l, v, plain(l, e->values, x->max, b)) > 0)
            x->max = k;
    }
}

static void find_extremes(const pq_leaf *l, const entries *e, extremes *x)
{
    const type *t = &e->values->type;
    switch (t->id) {
    case TYPE_BOOL:
    case TYPE_UINT8: extremes_u8(e, x); return;
    case TYPE_INT8: extremes_i8(e, x); return;
    case TYPE_INT16: extremes_i16(e, x); return;
    case TYPE_UINT16: extremes_u16(e, x); return;
    case TYPE_INT32:
    case TYPE_DATE: extremes_i32(e, x); return;
    case TYPE_UINT32: extremes_u32(e, x); return;
    case TYPE_INT64:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: extremes_i64(e, x); return;
    case TYPE_UINT64: extremes_u64(e, x); return;
    case TYPE_FLOAT32: extremes_f32(e, x); return;
    case TYPE_FLOAT64: extremes_f64(e, x); return;
    case TYPE_DECIMAL:
        if (t->width == 4)
            extremes_i32(e, x);
        else if (t->width == 8)
            extremes_i64(e, x);
        else
            extremes_plain(l, e, x);
        return;
    default: extremes_plain(l, e, x);
    }
}

pq_range pq_range_init(mem *m)
{
    return (pq_range){.min = bytes_init(m, SIZE_MAX), .max = bytes_init(m, SIZE_MAX)};
}

void pq_range_clear(pq_range *r)
{
    r->any = false;
    r->rows = r->nulls = r->text = 0;
    bytes_clear(&r->min);
    bytes_clear(&r->max);
}

void pq_range_release(pq_range *r)
{
    bytes_release(&r->min);
    bytes_release(&r->max);
}

static nrw_status keep(bytes *to, span v, nrw_error *err)
{
    bytes_clear(to);
    return v.len ? bytes_append(to, v.data, v.len, err) : NRW_OK;
}

static nrw_status widen(pq_range *r, const pq_leaf *l, span min, span max, nrw_error *err)
{
    if (!r->any || pq_value_compare(l, min, (span){r->min.data, r->min.len}) < 0)
        TRY(keep(&r->min, min, err));
    if (!r->any || pq_value_compare(l, max, (span){r->max.data, r->max.len}) > 0)
        TRY(keep(&r->max, max, err));
    r->any = true;
    return NRW_OK;
}

static int64_t text_bytes(const vector *v)
{
    int64_t bytes = 0;
    bool null;

    for (uint32_t i = 0; type_is_view(&v->type) && i < v->len; i++)
        bytes += (int64_t)vector_value(v, i, &null).len;
    return bytes;
}

nrw_status pq_range_add(pq_range *r, const pq_leaf *l, const vector *v, nrw_error *err)
{
    r->rows += v->len;
    r->nulls += v->null_count;
    r->text += text_bytes(v);
    if (v->type.id == TYPE_NULL)
        return NRW_OK;
    if (v->form == VECTOR_RUNS)
        v = v->values;
    entries e = {.values = v, .validity = v->validity, .n = v->len};
    if (v->form == VECTOR_DICT) {
        e.values = &v->dict->values;
        e.idx = (const uint32_t *)v->data;
    }
    extremes x = {0};
    find_extremes(l, &e, &x);
    if (!x.any)
        return NRW_OK;
    uint8_t a[32], b[32];
    return widen(r, l, plain(l, e.values, x.min, a), plain(l, e.values, x.max, b), err);
}

nrw_status pq_range_join(pq_range *r, const pq_leaf *l, const pq_range *from, nrw_error *err)
{
    r->rows += from->rows;
    r->nulls += from->nulls;
    r->text += from->text;
    if (!from->any)
        return NRW_OK;
    return widen(r, l, (span){from->min.data, from->min.len}, (span){from->max.data, from->max.len},
                 err);
}
