/* Values as they nearly all are, taken from whole words into their slots, which have room: behind
 * them, or NULL where one is not as usual, and the slot is as before. AV_AHEAD bytes at p can be
 * read. Internal to the Avro folder. */
#ifndef AVRO_ORDINARY_VALUE_H
#define AVRO_ORDINARY_VALUE_H

#include "base/utf8.h"
#include "base/varint.h"
#include "format/avro/program.h"
#include "format/avro/word.h"

static inline const uint8_t *av_whole_number(const uint8_t *p, av_op op, av_slot *s)
{
    uint64_t x;
    int64_t value;
    int32_t narrow;

    p = av_number(p, &x);
    if (!p)
        return NULL;
    value = unzigzag(x);
    narrow = (int32_t)value;
    if (op != AV_OP_LONG && value != narrow)
        return NULL;
    if (op == AV_OP_INT)
        memcpy(av_slot_place(s, 4), &narrow, 4);
    else
        memcpy(av_slot_place(s, 8), &value, 8);
    return p;
}

static inline const uint8_t *av_copied(const uint8_t *p, const uint8_t *end, uint32_t n, av_slot *s)
{
    if (n > (size_t)(end - p))
        return NULL;
    if (n == 8)
        memcpy(av_slot_place(s, 8), p, 8);
    else if (n == 4)
        memcpy(av_slot_place(s, 4), p, 4);
    else
        memcpy(av_slot_place(s, n), p, n);
    return p + n;
}

/* A view as two words: put together in memory it would be read back before it has arrived there. */
static inline void av_put_view(av_slot *s, uint64_t low, uint64_t high)
{
    uint8_t *to = av_slot_place(s, sizeof(view));

    store_u64(to, low);
    store_u64(to + 8, high);
}

/* Text of up to twelve bytes at p, sixteen of which can be read. */
static inline bool av_put_short(av_slot *s, const uint8_t *p, size_t len, bool utf8)
{
    const bool ascii = short_view(p, len, s->data + (size_t)s->len * sizeof(view));

    if (utf8 && !ascii && !utf8_valid(p, len))
        return false;
    s->len++;
    return true;
}

/* Of more than twelve bytes. Lengths differ from row to row, so that up to 64 bytes are looked at
 * without asking how many there are. */
static inline bool av_long_is_ascii(const uint8_t *p, const uint8_t *end, size_t len)
{
    uint64_t high;

    if (len <= 64 && end - p >= 64)
        return high_bits_64(p) << (64 - len) == 0;
    high = load_u64(p + len - 8);
    for (size_t i = 0; i + 8 < len; i += 8)
        high |= load_u64(p + i);
    return (high & AV_HIGH_BITS) == 0;
}

/* Text of more than twelve bytes at p. */
static inline bool av_put_long(av_slot *s, const av_run *r, const uint8_t *p, size_t len, bool utf8)
{
    if (utf8 && !av_long_is_ascii(p, r->end, len) && !utf8_valid(p, len))
        return false;
    av_put_view(s, len | (uint64_t)load_u32(p) << 32, (uint64_t)(p - r->base) << 32);
    s->views = true;
    return true;
}

static inline __attribute__((always_inline)) const uint8_t *
av_text(const uint8_t *p, const av_run *r, bool utf8, av_slot *s)
{
    size_t len;
    bool put;

    p = av_length(p, r->end, &len);
    if (!p)
        return NULL;
    put = len > VIEW_INLINE ? av_put_long(s, r, p, len, utf8) : av_put_short(s, p, len, utf8);
    return put ? p + len : NULL;
}

/* A big-endian number of up to eight bytes, which are there: AV_AHEAD is more than its length and
 * they have. */
static inline const uint8_t *av_small_decimal(const uint8_t *p, const av_step *step, av_slot *s)
{
    const uint32_t width = s->width;
    uint64_t len = step->n;
    int64_t value[2];
    uint8_t *to;

    if (step->op == AV_OP_DECIMAL) {
        p = av_number(p, &len);
        len = av_unsigned(len);
    }
    if (!p || len - 1 >= 8 || len > width || width > 16)
        return NULL;
    value[0] = (int64_t)__builtin_bswap64(load_u64(p)) >> (64 - 8 * len);
    value[1] = value[0] >> 63;
    to = av_slot_place(s, width);
    if (width == 8)
        memcpy(to, value, 8);
    else if (width == 16)
        memcpy(to, value, 16);
    else
        memcpy(to, value, 4);
    return p + len;
}

static inline const uint8_t *av_symbol(const uint8_t *p, const av_step *step, av_slot *s)
{
    const uint8_t b = *p;

    if (b > 127 || (b & 1) || b / 2u >= step->n)
        return NULL;
    store_u32(av_slot_place(s, 4), b / 2u);
    return p + 1;
}

static inline const uint8_t *av_truth(const uint8_t *p, av_slot *s)
{
    if (*p > 1)
        return NULL;
    *(uint8_t *)av_slot_place(s, 1) = *p;
    return p + 1;
}

#endif
