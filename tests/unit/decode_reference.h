/* A small, slow decoder of page bodies, written from the format's text alone, for tests of what the
 * writer makes. Every read is checked against the end. */
#ifndef DECODE_REFERENCE_H
#define DECODE_REFERENCE_H

#include "testing.h"

typedef struct ref_in {
    const uint8_t *at, *end;
} ref_in;

static inline uint8_t ref_byte(ref_in *in)
{
    assert_true(in->at < in->end);
    return *in->at++;
}

static inline const uint8_t *ref_take(ref_in *in, size_t n)
{
    const uint8_t *p = in->at;
    assert_true((size_t)(in->end - in->at) >= n);
    in->at += n;
    return p;
}

static inline uint64_t ref_varint(ref_in *in)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t b = ref_byte(in);
        assert_true(shift < 64);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
}

static inline int64_t ref_zigzag(ref_in *in)
{
    uint64_t v = ref_varint(in);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* `width` bits at bit `at`, bit by bit. */
static inline uint64_t ref_bits(const uint8_t *p, size_t at, unsigned width)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < width; i++)
        v |= (uint64_t)(p[(at + i) / 8] >> ((at + i) % 8) & 1) << i;
    return v;
}

/* n values of the hybrid; all of `in` must be used up. */
static inline void ref_rle(ref_in in, unsigned width, size_t n, uint32_t *out)
{
    size_t k = 0;
    while (k < n) {
        uint64_t head = ref_varint(&in);
        if (head & 1) {
            size_t count = (size_t)(head >> 1) * 8;
            const uint8_t *p = ref_take(&in, (size_t)(head >> 1) * width);
            assert_true(count > 0 && count < n - k + 8); /* at most one group is not full */
            for (size_t i = 0; i < count; i++) {
                uint32_t v = (uint32_t)ref_bits(p, i * width, width);
                if (k < n)
                    out[k++] = v;
                else
                    assert_int_equal(v, 0); /* filled up with zeros */
            }
        } else {
            size_t count = (size_t)(head >> 1), bytes = (width + 7) / 8;
            uint32_t v = 0;
            const uint8_t *p = ref_take(&in, bytes);
            memcpy(&v, p, bytes);
            assert_true(count > 0 && count <= n - k);
            while (count--)
                out[k++] = v;
        }
    }
    assert_true(in.at == in.end);
}

/* DELTA_BINARY_PACKED of exactly n values; differences wrap at `width` bytes. */
static inline void ref_delta(ref_in *in, unsigned width, size_t n, int64_t *out)
{
    uint64_t block = ref_varint(in), minis = ref_varint(in), total = ref_varint(in);
    int64_t last = ref_zigzag(in);
    size_t k = 0;

    assert_int_equal(total, n);
    assert_true(block % 128 == 0 && minis > 0 && (block / minis) % 32 == 0);
    if (n)
        out[k++] = last;
    while (k < n) {
        int64_t min = ref_zigzag(in);
        const uint8_t *widths = ref_take(in, minis);
        size_t per = block / minis;
        for (size_t m = 0; m < minis; m++) {
            if (k == n) {
                assert_int_equal(widths[m], 0);
                continue;
            }
            assert_true(widths[m] <= 8 * width);
            const uint8_t *p = ref_take(in, per / 8 * widths[m]);
            for (size_t i = 0; i < per && k < n; i++) {
                uint64_t v = (uint64_t)last + (uint64_t)min + ref_bits(p, i * widths[m], widths[m]);
                last = width == 4 ? (int32_t)v : (int64_t)v;
                out[k++] = last;
            }
        }
    }
}

#endif
