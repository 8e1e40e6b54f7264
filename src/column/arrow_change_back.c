#include "column/arrow_build_own.h"

#define DAY_MILLIS ((int64_t)86400000)

static nrw_status too_wide(const arrow_builder *b, const char *what, nrw_error *err)
{
    err_at_column(err, b->f->name);
    return err_set(err, NRW_E_VALUE, "%s", what);
}

/* Little-endian, to another width; unsigned numbers of 128 bits stay what they are. */
static bool change_width(const uint8_t *from, const type *t, uint8_t *to, uint32_t width)
{
    uint32_t n = t->width, same = n < width ? n : width;
    uint8_t sign = t->id != TYPE_UINT128 && (from[n - 1] & 0x80) ? 0xff : 0;

    memcpy(to, from, same);
    memset(to + same, sign, width - same);
    for (uint32_t i = same; i < n; i++)
        if (from[i] != sign)
            return false;
    return n <= width || ((to[width - 1] ^ sign) & 0x80) == 0;
}

/* Months, days and microseconds (or Parquet's milliseconds) to nanoseconds. */
static bool interval_of(const uint8_t *from, const type *t, uint8_t *to)
{
    const bool sql = t->unit == UNIT_US;
    int64_t time = sql ? (int64_t)load_u64(from + 8) : (int64_t)load_u32(from + 8), nanos;

    memcpy(to, from, 8);
    if (__builtin_mul_overflow(time, sql ? 1000 : 1000000, &nanos))
        return false;
    store_u64(to + 8, (uint64_t)nanos);
    return sql || (load_u32(from) <= INT32_MAX && load_u32(from + 4) <= INT32_MAX);
}

static nrw_status change_one(const arrow_builder *b, const uint8_t *from, uint8_t *to,
                             nrw_error *err)
{
    const type *t = &b->f->type;

    if (b->layout->change == CHANGE_DATE_MILLIS) {
        store_u64(to, (uint64_t)((int64_t)(int32_t)load_u32(from) * DAY_MILLIS));
        return NRW_OK;
    }
    if (t->id == TYPE_INTERVAL)
        return interval_of(from, t, to)
                   ? NRW_OK
                   : too_wide(b, "an interval that Arrow has no room for", err);
    if (!change_width(from, t, to, b->layout->width))
        return too_wide(b, "a value that its Arrow type has no room for", err);
    return NRW_OK;
}

nrw_status arrow_build_changed(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                               nrw_error *err)
{
    const uint32_t width = b->layout->width;

    TRY(bytes_reserve(&b->fixed, (size_t)n * width, err));
    for (uint32_t i = first; i < first + n; i++) {
        uint8_t *to = b->fixed.data + b->fixed.len;
        if (vector_is_valid(v, i))
            TRY(change_one(b, v->data + (size_t)i * v->type.width, to, err));
        else
            memset(to, 0, width);
        b->fixed.len += width;
    }
    return NRW_OK;
}
