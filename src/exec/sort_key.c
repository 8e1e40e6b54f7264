#include "exec/sort_key.h"

#include "column/compare.h"
#include "exec/sort_key_word.h"

#include <math.h>

static inline uint64_t float_bits(uint64_t bits, uint32_t width, uint64_t infinity, uint64_t sign)
{
    uint64_t mask = width == 8 ? UINT64_MAX : ((uint64_t)1 << (8 * width)) - 1;

    if ((bits & ~sign & mask) > infinity)
        return mask; /* NaN: behind all */
    if ((bits & ~sign & mask) == 0)
        return sign; /* both zeros */
    return bits & sign ? ~bits & mask : bits | sign;
}

/* A number of up to eight bytes as one that is compared without a sign, in its upper bytes. */
static inline uint64_t word_of(const type *t, span value)
{
    const uint32_t bits = 8 * (uint32_t)value.len;
    uint64_t x = 0;

    switch (value.len) {
    case 8: memcpy(&x, value.data, 8); break;
    case 4: memcpy(&x, value.data, 4); break;
    default: memcpy(&x, value.data, value.len);
    }
    if (t->id == TYPE_FLOAT64)
        x = float_bits(x, 8, UINT64_C(0x7ff0000000000000), UINT64_C(1) << 63);
    else if (t->id == TYPE_FLOAT32)
        x = float_bits(x, 4, UINT64_C(0x7f800000), UINT64_C(1) << 31);
    else if (t->id == TYPE_FLOAT16)
        x = float_bits(x, 2, UINT64_C(0x7c00), UINT64_C(1) << 15);
    else if (key_is_signed(t))
        x ^= UINT64_C(1) << (bits - 1);
    return x << (64 - bits);
}

/* Where it ends; 8 bytes are written. */
static inline uint8_t *put_word(uint8_t *to, const type *t, span value, bool descending)
{
    const uint64_t x = word_of(t, value);

    store_u64(to, __builtin_bswap64(descending ? ~x : x));
    return to + value.len;
}

/* Two's complement, little-endian, of any width. */
static uint32_t put_integer(uint8_t *to, const vector *v, span value)
{
    uint32_t width = (uint32_t)value.len;

    for (uint32_t i = 0; i < width; i++)
        to[i] = value.data[width - 1 - i];
    if (key_is_signed(&v->type))
        to[0] ^= 0x80;
    return width;
}

static uint32_t put_fixed(uint8_t *to, const vector *v, span value)
{
    __int128 length;

    switch (v->type.id) {
    case TYPE_FIXED:
    case TYPE_UUID: memcpy(to, value.data, value.len); return (uint32_t)value.len;
    case TYPE_INTERVAL:
        length = value_interval(&v->type, value.data);
        return put_integer(to, v, (span){(const uint8_t *)&length, sizeof length});
    default: return put_integer(to, v, value);
    }
}

/* Text ends with two zero bytes; a zero byte inside is followed by 255. */
static nrw_status put_text(bytes *key, span s, nrw_error *err)
{
    const uint8_t end[2] = {0, 0}, zero[2] = {0, 255};

    for (size_t i = 0; i < s.len;) {
        const uint8_t *at = memchr(s.data + i, 0, s.len - i);
        size_t n = at ? (size_t)(at - s.data) - i : s.len - i;
        TRY(bytes_append(key, s.data + i, n, err));
        i += n;
        if (at) {
            TRY(bytes_append(key, zero, 2, err));
            i++;
        }
    }
    return bytes_append(key, end, 2, err);
}

static nrw_status put_value(bytes *key, const vector *v, uint32_t row, const sort_order *o,
                            nrw_error *err)
{
    bool null;
    span value = vector_value(v, row, &null);
    uint8_t mark = null ? (o->nulls_first ? 0 : 2) : 1;
    size_t from;

    TRY(bytes_reserve(key, 1 + 8, err));
    key->data[key->len++] = mark;
    if (null || v->type.id == TYPE_NULL)
        return NRW_OK;
    if (key_is_word(&v->type)) {
        key->len =
            (size_t)(put_word(key->data + key->len, &v->type, value, o->descending) - key->data);
        return NRW_OK;
    }
    from = key->len;
    if (type_is_view(&v->type)) {
        TRY(put_text(key, value, err));
    } else {
        TRY(bytes_reserve(key, value.len + 8, err));
        key->len += put_fixed(key->data + key->len, v, value);
    }
    for (size_t i = from; o->descending && i < key->len; i++)
        key->data[i] = (uint8_t)~key->data[i];
    return NRW_OK;
}

/* ---- keys of words alone ---- */

uint32_t sort_key_plain_bytes(const vector *const *columns, const sort_order *orders, uint32_t n)
{
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < n; i++) {
        const vector *v = columns[orders[i].column];
        if (v->form != VECTOR_FLAT || v->validity || !key_is_word(&v->type))
            return 0;
        bytes += 1 + v->type.width;
    }
    return bytes;
}

uint8_t *sort_key_put_plain(uint8_t *to, const vector *const *columns, const sort_order *orders,
                            uint32_t n, uint32_t row)
{
    for (uint32_t i = 0; i < n; i++) {
        const vector *v = columns[orders[i].column];
        const uint32_t width = v->type.width;
        *to++ = 1;
        to = put_word(to, &v->type, (span){v->data + (size_t)row * width, width},
                      orders[i].descending);
    }
    return to;
}

nrw_status sort_key_append(bytes *key, const vector *const *columns, const sort_order *orders,
                           uint32_t n, uint32_t row, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++)
        TRY(put_value(key, columns[orders[i].column], row, &orders[i], err));
    return NRW_OK;
}
