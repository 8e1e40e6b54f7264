/* Values that lie otherwise in Arrow: exactly, or an error. */
#include "column/arrow_arrays_own.h"

#define DAY_MILLIS ((int64_t)86400000)

static nrw_status no_room(const rows *r, uint32_t i, const char *what, nrw_error *err)
{
    err_at_row(err, (int64_t)(r->first + i));
    return err_set(err, NRW_E_VALUE, "%s", what);
}

/* Little-endian two's complement of another width; false: it does not fit. */
static bool change_width(const uint8_t *from, uint32_t n, uint8_t *to, uint32_t width)
{
    uint32_t same = n < width ? n : width;
    uint8_t sign;

    memcpy(to, from, same);
    sign = to[same - 1] & 0x80 ? 0xff : 0;
    memset(to + same, sign, width - same);
    for (uint32_t i = same; i < n; i++)
        if (from[i] != sign)
            return false;
    return true;
}

static bool date_of(const uint8_t *from, uint8_t *to)
{
    int64_t millis = (int64_t)load_u64(from), days = millis / DAY_MILLIS;

    store_u32(to, (uint32_t)days);
    return millis % DAY_MILLIS == 0 && days >= INT32_MIN && days <= INT32_MAX;
}

static void put_interval(uint8_t *to, uint32_t months, uint32_t days, int64_t micros)
{
    store_u32(to, months);
    store_u32(to + 4, days);
    store_u64(to + 8, (uint64_t)micros);
}

static bool interval_of(const uint8_t *from, uint8_t *to)
{
    int64_t nanos = (int64_t)load_u64(from + 8);

    put_interval(to, load_u32(from), load_u32(from + 4), nanos / 1000);
    return nanos % 1000 == 0;
}

static nrw_status change_one(const rows *r, const uint8_t *from, uint8_t *to, uint32_t i,
                             nrw_error *err)
{
    switch (r->l->change) {
    case CHANGE_WIDTH:
        if (!change_width(from, r->l->width, to, r->l->f->type.width))
            return no_room(r, i, "a decimal has more digits than its type", err);
        return NRW_OK;
    case CHANGE_DATE_MILLIS:
        if (!date_of(from, to))
            return no_room(r, i, "a date in milliseconds is no whole day", err);
        return NRW_OK;
    case CHANGE_MONTHS: put_interval(to, load_u32(from), 0, 0); return NRW_OK;
    case CHANGE_DAYS_MILLIS:
        put_interval(to, 0, load_u32(from), (int64_t)(int32_t)load_u32(from + 4) * 1000);
        return NRW_OK;
    case CHANGE_MONTHS_NANOS:
        if (!interval_of(from, to))
            return no_room(r, i, "an interval of nanoseconds is no whole microsecond", err);
        return NRW_OK;
    case CHANGE_NONE:
    case CHANGE_NO_TYPE: break;
    }
    return NRW_OK;
}

nrw_status arrow_change_values(const rows *r, const uint8_t *from, vector *out, nrw_error *err)
{
    const uint32_t width = out->type.width;

    for (uint32_t i = 0; i < r->n; i++) {
        if (vector_is_valid(out, i))
            TRY(change_one(r, from + (size_t)i * r->l->width, out->data + (size_t)i * width, i,
                           err));
        else
            memset(out->data + (size_t)i * width, 0, width);
    }
    return NRW_OK;
}
