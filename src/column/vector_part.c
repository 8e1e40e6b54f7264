#include "column/vector_part.h"

/* One loop for each width that types have; the compiler turns the fixed memcpy into moves. */
#define GATHER(width_)                                                                             \
    case width_:                                                                                   \
        for (uint32_t i = 0; i < n; i++)                                                           \
            memcpy(dst + (size_t)i * (width_), src + (size_t)at[i] * (width_), (width_));          \
        break;

#define GATHER_BODY                                                                                \
    switch (width) {                                                                               \
        GATHER(0)                                                                                  \
        GATHER(1)                                                                                  \
        GATHER(2)                                                                                  \
        GATHER(4)                                                                                  \
        GATHER(8)                                                                                  \
        GATHER(12)                                                                                 \
        GATHER(16)                                                                                 \
        GATHER(32)                                                                                 \
    default:                                                                                       \
        for (uint32_t i = 0; i < n; i++)                                                           \
            memcpy(dst + (size_t)i * width, src + (size_t)at[i] * width, width);                   \
    }

void part_gather16(uint8_t *dst, const uint8_t *src, const uint16_t *at, uint32_t n, uint32_t width)
{
    GATHER_BODY
}

void part_gather32(uint8_t *dst, const uint8_t *src, const uint32_t *at, uint32_t n, uint32_t width)
{
    GATHER_BODY
}

#define FILL(width_)                                                                               \
    case width_: {                                                                                 \
        uint8_t value[width_];                                                                     \
        memcpy(value, src, (width_));                                                              \
        for (uint32_t i = 0; i < n; i++)                                                           \
            memcpy(dst + (size_t)i * (width_), value, (width_));                                   \
        break;                                                                                     \
    }

void part_fill(uint8_t *dst, const uint8_t *src, uint32_t n, uint32_t width)
{
    switch (width) {
    case 0: break;
    case 1:
        memset(dst, *src, n);
        break;
        FILL(2)
        FILL(4)
        FILL(8)
        FILL(16)
    default:
        for (uint32_t i = 0; i < n; i++)
            memcpy(dst + (size_t)i * width, src, width);
    }
}

void part_set_bits(uint8_t *bits, size_t at, size_t n, bool on)
{
    size_t end = at + n;
    for (; at < end && (at & 7); at++) {
        if (on)
            bit_set(bits, at);
        else
            bit_clear(bits, at);
    }
    size_t whole = (end - at) / 8;
    memset(bits + (at >> 3), on ? 0xff : 0, whole);
    for (at += whole * 8; at < end; at++) {
        if (on)
            bit_set(bits, at);
        else
            bit_clear(bits, at);
    }
}

/* Up to 56 bits of src from bit `from`; reads eight bytes, of which the slack behind a bitmap has
 * room. */
static uint64_t bits_at(const uint8_t *src, size_t from)
{
    return load_u64(src + (from >> 3)) >> (from & 7);
}

uint32_t part_copy_bits(uint8_t *dst, size_t at, const uint8_t *src, size_t from, size_t n)
{
    uint32_t ones = 0;
    size_t i = 0;
    for (; i < n && ((at + i) & 7); i++) {
        bool on = bit_get(src, from + i);
        ones += on;
        if (on)
            bit_set(dst, at + i);
        else
            bit_clear(dst, at + i);
    }
    for (; n - i >= 48; i += 48) {
        uint64_t word = bits_at(src, from + i) & (((uint64_t)1 << 48) - 1);
        ones += (uint32_t)__builtin_popcountll(word);
        memcpy(dst + ((at + i) >> 3), &word, 6);
    }
    for (; i < n; i++) {
        bool on = bit_get(src, from + i);
        ones += on;
        if (on)
            bit_set(dst, at + i);
        else
            bit_clear(dst, at + i);
    }
    return (uint32_t)n - ones;
}

nrw_status part_like(const vector *v, uint32_t rows, mem *m, vector *out, nrw_error *err)
{
    if (v->form == VECTOR_DICT)
        TRY(vector_dict(m, &v->type, v->dict, rows, out, err));
    else
        TRY(vector_flat(m, &v->type, rows, out, err));
    if (v->heaps.n)
        vector_share_heaps(v, out);
    if (!v->validity)
        return NRW_OK;
    nrw_status st = vector_add_validity(out, err);
    if (st < 0)
        vector_release(out);
    return st;
}

bool part_same(const vector *a, uint32_t i, const vector *b, uint32_t j)
{
    bool valid = vector_is_valid(a, i);
    if (valid != vector_is_valid(b, j))
        return false;
    if (!valid || a->type.id == TYPE_NULL)
        return true;
    if (a->form == VECTOR_DICT && b->form == VECTOR_DICT && a->dict == b->dict)
        return ((const uint32_t *)a->data)[i] == ((const uint32_t *)b->data)[j];
    if (a->form != VECTOR_FLAT || b->form != VECTOR_FLAT)
        return false;
    span x = flat_span(a, i), y = flat_span(b, j);
    return x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}

void part_trim_validity(vector *v)
{
    if (v->null_count || !v->validity)
        return;
    buffer_unref(v->validity_buf);
    v->validity_buf = NULL;
    v->validity = NULL;
}
