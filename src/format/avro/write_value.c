#include "format/avro/write_value.h"

#include "base/text.h"
#include "base/varint.h"
#include "column/print.h"
#include "format/avro/write_schema.h"

size_t av_long(uint8_t *to, int64_t x)
{
    return varint_put(to, zigzag(x));
}

static inline nrw_status room(bytes *out, size_t n, nrw_error *err)
{
    return n <= out->cap - out->len ? NRW_OK : bytes_reserve(out, n, err);
}

nrw_status av_put_long(bytes *out, int64_t x, nrw_error *err)
{
    TRY(room(out, VARINT_MOST, err));
    out->len += av_long(out->data + out->len, x);
    return NRW_OK;
}

static inline nrw_status put_raw(bytes *out, const void *p, size_t n, nrw_error *err)
{
    TRY(room(out, n, err));
    memcpy(out->data + out->len, p, n);
    out->len += n;
    return NRW_OK;
}

static inline nrw_status put_text(bytes *out, span text, nrw_error *err)
{
    TRY(room(out, text.len + 10, err));
    out->len += av_long(out->data + out->len, (int64_t)text.len);
    if (text.len)
        memcpy(out->data + out->len, text.data, text.len);
    out->len += text.len;
    return NRW_OK;
}

/* ---- values of a fixed width ---- */

/* Little-endian two's complement as the fewest bytes, highest first. `sign` is what goes on. */
static nrw_status put_number(bytes *out, const uint8_t *p, uint32_t width, uint8_t sign,
                             nrw_error *err)
{
    uint8_t wide[33];
    uint32_t n = width;

    while (n > 0 && p[n - 1] == sign)
        n--;
    if (n == 0 || ((p[n - 1] ^ sign) & 0x80)) /* the sign needs a byte of its own */
        wide[0] = sign;
    else
        wide[0] = p[--n];
    for (uint32_t i = 0; i < n; i++)
        wide[i + 1] = p[n - 1 - i];
    return put_text(out, (span){wide, n + 1}, err);
}

static nrw_status put_decimal(bytes *out, const uint8_t *p, uint32_t width, nrw_error *err)
{
    return put_number(out, p, width, p[width - 1] & 0x80 ? 0xFF : 0, err);
}

static nrw_status put_seconds(bytes *out, int64_t x, nrw_error *err)
{
    if (__builtin_mul_overflow(x, 1000, &x))
        return err_set(err, NRW_E_VALUE, "a time in seconds is too large for milliseconds");
    return av_put_long(out, x, err);
}

/* SQL's interval; Parquet's goes as it is. */
static nrw_status put_interval(bytes *out, const uint8_t *p, nrw_error *err)
{
    int32_t parts[2];
    int64_t micros;
    uint8_t to[12];

    memcpy(parts, p, 8);
    memcpy(&micros, p + 8, 8);
    if (parts[0] < 0 || parts[1] < 0 || micros < 0 || micros % 1000 ||
        micros / 1000 > (int64_t)UINT32_MAX)
        return err_set(err, NRW_E_VALUE,
                       "an interval of %d months, %d days and %lld microseconds is no duration of "
                       "Avro, which has no signs and whole milliseconds",
                       parts[0], parts[1], (long long)micros);
    store_u32(to, (uint32_t)parts[0]);
    store_u32(to + 4, (uint32_t)parts[1]);
    store_u32(to + 8, (uint32_t)(micros / 1000));
    return put_raw(out, to, sizeof to, err);
}

static nrw_status put_uuid(bytes *out, const type *t, const uint8_t *p, nrw_error *err)
{
    char text[40];
    size_t n = print_fixed(t, p, text);

    return put_text(out, (span){(const uint8_t *)text, n}, err);
}

static nrw_status put_half(bytes *out, const uint8_t *p, nrw_error *err)
{
    const float x = print_half_to_float((uint16_t)(p[0] | p[1] << 8));

    return put_raw(out, &x, 4, err);
}

static inline int64_t narrow(const type *t, const uint8_t *p)
{
    switch (t->id) {
    case TYPE_INT8: return (int8_t)*p;
    case TYPE_UINT8: return *p;
    case TYPE_INT16: return (int16_t)(uint16_t)(p[0] | p[1] << 8);
    case TYPE_UINT16: return (uint16_t)(p[0] | p[1] << 8);
    case TYPE_UINT32: return load_u32(p);
    default: return (int32_t)load_u32(p);
    }
}

static nrw_status put_fixed(bytes *out, const type *t, const uint8_t *p, nrw_error *err)
{
    switch (t->id) {
    case TYPE_NULL: return NRW_OK;
    case TYPE_BOOL:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
    case TYPE_FIXED: return put_raw(out, p, t->width, err);
    case TYPE_FLOAT16: return put_half(out, p, err);
    case TYPE_INT64: return av_put_long(out, (int64_t)load_u64(p), err);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
        return t->unit == UNIT_S ? put_seconds(out, (int64_t)load_u64(p), err)
                                 : av_put_long(out, (int64_t)load_u64(p), err);
    case TYPE_UINT64:
    case TYPE_UINT128: return put_number(out, p, t->width, 0, err);
    case TYPE_INT128:
    case TYPE_DECIMAL: return put_decimal(out, p, t->width, err);
    case TYPE_UUID: return put_uuid(out, t, p, err);
    case TYPE_INTERVAL:
        return t->unit == UNIT_US ? put_interval(out, p, err) : put_raw(out, p, 12, err);
    default: return av_put_long(out, narrow(t, p), err);
    }
}

/* ---- nested values ---- */

/* "Arrays": one block of all items, then the end. */
static nrw_status put_items(bytes *out, const type *t, const vector *v, uint32_t row,
                            nrw_error *err)
{
    const uint32_t *offsets = vector_offsets(v), n = offsets[row + 1] - offsets[row];

    if (n > 0)
        TRY(av_put_long(out, n, err));
    for (uint32_t i = offsets[row]; i < offsets[row + 1]; i++)
        for (uint32_t c = 0; c < t->n_children; c++)
            TRY(av_put(out, &t->children[c], &v->children[c], i, err));
    return av_put_long(out, 0, err);
}

static nrw_status put_nested(bytes *out, const type *t, const vector *v, uint32_t row,
                             nrw_error *err)
{
    if (t->id != TYPE_STRUCT)
        return put_items(out, t, v, row, err);
    for (uint32_t c = 0; c < t->n_children; c++)
        TRY(av_put(out, &t->children[c], &v->children[c], row, err));
    return NRW_OK;
}

/* ---- a value ---- */

/* Where the value lies: *v becomes flat. False: it is null. */
static inline bool resolve(const vector **v, uint32_t *row)
{
    while ((*v)->form != VECTOR_FLAT) {
        if ((*v)->form == VECTOR_RUNS) {
            *row = vector_run_at(*v, *row);
            *v = (*v)->values;
            continue;
        }
        if (!vector_is_valid(*v, *row))
            return false;
        *row = ((const uint32_t *)(const void *)(*v)->data)[*row];
        *v = &(*v)->dict->values;
    }
    return vector_is_valid(*v, *row);
}

nrw_status av_put(bytes *out, const field *f, const vector *v, uint32_t row, nrw_error *err)
{
    const type *t = &f->type;
    bool there;

    if (t->id == TYPE_NULL)
        return NRW_OK;
    there = resolve(&v, &row);
    if (!there && !f->nullable)
        return err_set(err, NRW_E_VALUE, "a value is null where the schema has none");
    if (f->nullable) { /* which branch of the union of null and the type */
        TRY(room(out, 1, err));
        out->data[out->len++] = there ? 2 : 0;
        if (!there)
            return NRW_OK;
    }
    if (type_is_nested(t))
        return put_nested(out, t, v, row, err);
    if (type_is_view(t))
        return put_text(out, view_span(v, row), err);
    return put_fixed(out, t, v->data + (size_t)row * t->width, err);
}
