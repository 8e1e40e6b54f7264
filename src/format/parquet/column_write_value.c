#include "format/parquet/column_write_value.h"
#include "kernel/kernel.h"

enum convert {
    AS_IS,
    WIDEN_I8,
    WIDEN_I16,
    WIDEN_U8,
    WIDEN_U16,
    SCALE,          /* times factor, 64 bits */
    SCALE_TO_INT32, /* times factor, then 32 bits */
    BIG_ENDIAN,
    WIDE_INTEGER, /* 128 bits to a decimal of 17 bytes */
    INTERVAL_MS   /* SQL's interval to Parquet's */
};

static uint8_t convert_of(const type *t, const pq_written_type *w)
{
    switch (t->id) {
    case TYPE_INT8: return WIDEN_I8;
    case TYPE_INT16: return WIDEN_I16;
    case TYPE_UINT8: return WIDEN_U8;
    case TYPE_UINT16: return WIDEN_U16;
    case TYPE_TIME: return w->physical == PQ_INT32 ? SCALE_TO_INT32 : AS_IS;
    case TYPE_TIMESTAMP: return w->factor != 1 ? SCALE : AS_IS;
    case TYPE_DECIMAL: return w->physical == PQ_FIXED_LEN_BYTE_ARRAY ? BIG_ENDIAN : AS_IS;
    case TYPE_INT128:
    case TYPE_UINT128: return WIDE_INTEGER;
    case TYPE_INTERVAL: return t->unit == UNIT_US ? INTERVAL_MS : AS_IS;
    default: return AS_IS;
    }
}

static void set_class(pq_value_type *v)
{
    switch (v->written.physical) {
    case PQ_BOOLEAN:
        v->class = PQ_VALUES_BOOL;
        v->width = 1;
        break;
    case PQ_INT32:
    case PQ_FLOAT:
        v->class = v->type.id == TYPE_NULL ? PQ_VALUES_NONE : PQ_VALUES_NUMBERS;
        v->width = 4;
        break;
    case PQ_INT64:
    case PQ_DOUBLE:
        v->class = PQ_VALUES_NUMBERS;
        v->width = 8;
        break;
    case PQ_INT96:
    case PQ_BYTE_ARRAY:
    case PQ_FIXED_LEN_BYTE_ARRAY:
        v->class = PQ_VALUES_BYTES;
        v->width = v->written.length;
        break;
    }
}

nrw_status pq_value_type_of(const field *f, pq_value_type *out, nrw_error *err)
{
    pq_value_type v = {.type = f->type, .written = pq_written_type_of(&f->type)};

    *out = (pq_value_type){0};
    if (v.written.physical == PQ_FIXED_LEN_BYTE_ARRAY && !v.written.length) {
        err_at_column(err, f->name);
        return err_set(err, NRW_E_UNSUPPORTED, "values of 0 bytes have no form in Parquet");
    }
    v.order = pq_meaning_written(f) ? PQ_ORDER_NONE : pq_order_of(&f->type);
    v.convert = convert_of(&f->type, &v.written);
    set_class(&v);
    /* texts of a block, and their copy, shall stay in the first cache */
    v.block_rows = v.class == PQ_VALUES_BYTES ? PQ_BLOCK_ROWS / 4 : PQ_BLOCK_ROWS;
    if (v.convert == BIG_ENDIAN || v.convert == WIDE_INTEGER || v.convert == INTERVAL_MS)
        v.block_rows = PQ_BLOCK_BYTES / 32;
    *out = v;
    return NRW_OK;
}

uint32_t pq_rows_there(const vector *v, uint32_t first, uint32_t n)
{
    return v->validity ? (uint32_t)kernels_get()->popcount_bits(v->validity, first, n) : n;
}

uint32_t pq_row_of_value(const vector *v, uint32_t first, uint32_t n, uint32_t k)
{
    if (!v->validity)
        return k < n ? k : n;
    for (uint32_t i = 0; i < n; i++)
        if (bit_get(v->validity, first + i) && k-- == 0)
            return i;
    return n;
}

const uint32_t *pq_block_indices(const vector *v, uint32_t first, uint32_t n, uint32_t there,
                                 pq_block *b)
{
    const uint32_t *index = (const uint32_t *)v->data + first;

    if (there == n)
        return index;
    kernels_get()->compress_4(index, v->validity, first, n, b->index);
    return b->index;
}

/* ---- from vectors ---- */

/* Values that are not null, dense but not converted. */
static const uint8_t *flat_raw(const vector *v, uint32_t first, uint32_t n, uint32_t there,
                               pq_block *b)
{
    const kernels *k = kernels_get();
    size_t width = v->type.width, at = 0;
    const uint8_t *src = v->data + first * width;

    if (there == n)
        return src;
    switch (width) {
    case 1: k->compress_1(src, v->validity, first, n, b->raw); break;
    case 2: k->compress_2(src, v->validity, first, n, b->raw); break;
    case 4: k->compress_4(src, v->validity, first, n, b->raw); break;
    case 8: k->compress_8(src, v->validity, first, n, b->raw); break;
    case 16: k->compress_16(src, v->validity, first, n, b->raw); break;
    default:
        for (uint32_t i = 0; i < n; i++)
            if (bit_get(v->validity, first + i)) {
                memcpy(b->raw + at, src + i * width, width);
                at += width;
            }
    }
    return b->raw;
}

static const uint8_t *dict_raw(const vector *v, uint32_t first, uint32_t n, uint32_t there,
                               pq_block *b)
{
    const kernels *k = kernels_get();
    const uint32_t *index = pq_block_indices(v, first, n, there, b);
    const uint8_t *values = v->dict->values.data;

    switch (v->type.width) {
    case 4: k->gather_4(values, index, there, b->raw); break;
    case 8: k->gather_8(values, index, there, b->raw); break;
    case 16: k->gather_16(values, index, there, b->raw); break;
    default: k->gather_any(values, v->type.width, index, there, b->raw);
    }
    return b->raw;
}

/* Texts of a vector with one heap at most: long and short ones mixed cost no branch. */
static void view_spans(const vector *v, uint32_t first, uint32_t n, span *out)
{
    const view *w = (const view *)v->data + first;
    uintptr_t heap = v->heaps.n ? (uintptr_t)v->heaps.at[0]->data : 0;

    for (uint32_t i = 0; i < n; i++) {
        uintptr_t in = (uintptr_t)w[i].inlined, far = heap + (uintptr_t)w[i].offset;
        out[i] = (span){(const uint8_t *)(w[i].len <= VIEW_INLINE ? in : far), (size_t)w[i].len};
    }
}

static void flat_spans(const vector *v, uint32_t first, uint32_t n, bool all, span *out)
{
    uint32_t k = 0, width = v->type.width;

    if (type_is_view(&v->type)) {
        if (all && v->heaps.n <= 1)
            view_spans(v, first, n, out);
        else if (all)
            for (uint32_t i = 0; i < n; i++)
                out[i] = view_span(v, first + i);
        else
            for (uint32_t i = 0; i < n; i++)
                if (bit_get(v->validity, first + i))
                    out[k++] = view_span(v, first + i);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (all || bit_get(v->validity, first + i))
            out[k++] = (span){v->data + (size_t)(first + i) * width, width};
}

static void load_spans(const vector *v, uint32_t first, uint32_t n, uint32_t there, pq_block *b)
{
    if (v->form == VECTOR_FLAT) {
        if (there == n && !type_is_view(&v->type))
            b->values = v->data + (size_t)first * v->type.width;
        flat_spans(v, first, n, there == n, b->spans);
        return;
    }
    const uint32_t *index = pq_block_indices(v, first, n, there, b);
    for (uint32_t i = 0; i < there; i++)
        b->spans[i] = flat_span(&v->dict->values, index[i]);
}

/* ---- conversions ---- */

static nrw_status scale(const pq_value_type *t, const uint8_t *src, size_t n, uint8_t *dst,
                        nrw_error *err)
{
    if (!kernels_get()->mul_i64((const int64_t *)(const void *)src, n, t->written.factor,
                                (int64_t *)(void *)dst))
        return err_set(err, NRW_E_VALUE,
                       "a time in seconds does not fit in 64 bits as milliseconds");
    return NRW_OK;
}

static nrw_status scale_to_int32(const pq_value_type *t, const uint8_t *src, size_t n, uint8_t *dst,
                                 nrw_error *err)
{
    TRY(scale(t, src, n, dst, err));
    for (size_t i = 0; i < n; i++) {
        int64_t v = (int64_t)load_u64(dst + 8 * i);
        if (v != (int32_t)v)
            return err_set(err, NRW_E_VALUE, "time %lld does not fit in 32 bits as milliseconds",
                           (long long)v);
        store_u32(dst + 4 * i, (uint32_t)v);
    }
    return NRW_OK;
}

static nrw_status big_endian(const pq_value_type *t, const uint8_t *src, size_t n, pq_block *b,
                             nrw_error *err)
{
    if (!kernels_get()->le_to_be(src, t->type.width, n, t->width, b->stored))
        return err_set(err, NRW_E_VALUE, "a value does not fit in decimal(%d,%d)",
                       t->type.precision, t->type.scale);
    for (size_t i = 0; i < n; i++)
        b->spans[i] = (span){b->stored + i * t->width, t->width};
    return NRW_OK;
}

/* Big-endian, a byte of sign in front. */
static void wide_integers(const pq_value_type *t, const uint8_t *src, size_t n, pq_block *b)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *dst = b->stored + i * t->width;
        const uint8_t *x = src + i * t->type.width;
        dst[0] = t->type.id == TYPE_INT128 && x[15] & 0x80 ? 0xff : 0;
        for (size_t k = 0; k < 16; k++)
            dst[1 + k] = x[15 - k];
        b->spans[i] = (span){dst, t->width};
    }
}

static nrw_status intervals(const pq_value_type *t, const uint8_t *src, size_t n, pq_block *b,
                            nrw_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *x = src + i * t->type.width;
        uint8_t *dst = b->stored + i * t->width;
        int32_t months = (int32_t)load_u32(x), days = (int32_t)load_u32(x + 4);
        int64_t us = (int64_t)load_u64(x + 8);
        if (months < 0 || days < 0 || us < 0 || us % 1000 || us / 1000 > UINT32_MAX)
            return err_set(err, NRW_E_VALUE,
                           "an interval that Parquet does not hold: its months, days and "
                           "milliseconds are whole and not below 0");
        store_u32(dst, (uint32_t)months);
        store_u32(dst + 4, (uint32_t)days);
        store_u32(dst + 8, (uint32_t)(us / 1000));
        b->spans[i] = (span){dst, t->width};
    }
    return NRW_OK;
}

static nrw_status convert(const pq_value_type *t, const uint8_t *raw, pq_block *b, nrw_error *err)
{
    const kernels *k = kernels_get();
    int32_t *dst = (int32_t *)(void *)b->stored;
    size_t n = b->n;

    b->values = b->stored;
    switch ((enum convert)t->convert) {
    case AS_IS: b->values = raw; return NRW_OK;
    case WIDEN_I8: k->widen_i8_i32((const int8_t *)raw, n, dst); return NRW_OK;
    case WIDEN_I16: k->widen_i16_i32((const int16_t *)(const void *)raw, n, dst); return NRW_OK;
    case WIDEN_U8: k->widen_u8_i32(raw, n, dst); return NRW_OK;
    case WIDEN_U16: k->widen_u16_i32((const uint16_t *)(const void *)raw, n, dst); return NRW_OK;
    case SCALE: return scale(t, raw, n, b->stored, err);
    case SCALE_TO_INT32: return scale_to_int32(t, raw, n, b->stored, err);
    case BIG_ENDIAN: return big_endian(t, raw, n, b, err);
    case WIDE_INTEGER: wide_integers(t, raw, n, b); return NRW_OK;
    case INTERVAL_MS: return intervals(t, raw, n, b, err);
    }
    return NRW_OK;
}

nrw_status pq_block_load(const pq_value_type *t, const vector *v, uint32_t first, uint32_t n,
                         uint32_t there, pq_block *b, nrw_error *err)
{
    const uint8_t *raw;

    b->n = there;
    b->values = NULL;
    if (!there || t->class == PQ_VALUES_NONE)
        return NRW_OK;
    if (t->class == PQ_VALUES_BYTES && t->convert == AS_IS) {
        load_spans(v, first, n, there, b);
        return NRW_OK;
    }
    raw =
        v->form == VECTOR_FLAT ? flat_raw(v, first, n, there, b) : dict_raw(v, first, n, there, b);
    return convert(t, raw, b, err);
}
