/* DELTA_BYTE_ARRAY: parquet-format, Encodings.md. The lengths of prefixes shared with the value
 * before, those of suffixes, both delta-packed, then the suffixes. */
#include "format/parquet/enc_copy.h"
#include "format/parquet/enc_page.h"

size_t enc_delta_bytes_bound(size_t n, size_t len)
{
    return 2 * enc_delta_bound(n, 4) + len;
}

static size_t shared_prefix(span a, span b)
{
    size_t most = size_min(a.len, b.len), n = 0;

    while (n + 8 <= most) {
        uint64_t differ = load_u64(a.data + n) ^ load_u64(b.data + n);
        if (differ)
            return n + (size_t)__builtin_ctzll(differ) / 8;
        n += 8;
    }
    while (n < most && a.data[n] == b.data[n])
        n++;
    return n;
}

/* The value at *v, which is moved on. */
static span next_value(const uint8_t **v, uint32_t fixed)
{
    size_t head = fixed ? 0 : 4;
    span s = {*v + head, fixed ? fixed : load_u32(*v)};

    *v += head + s.len;
    return s;
}

size_t enc_delta_bytes(const uint8_t *values, size_t n, uint32_t fixed, uint32_t *scratch,
                       uint8_t *dst)
{
    uint32_t *prefix = scratch, *suffix = scratch + n;
    const uint8_t *v = values;
    span last = {values, 0};
    uint8_t *p;

    for (size_t i = 0; i < n; i++) {
        span s = next_value(&v, fixed);
        prefix[i] = (uint32_t)shared_prefix(last, s);
        suffix[i] = (uint32_t)s.len - prefix[i];
        last = s;
    }
    p = dst + enc_delta_i32((const uint8_t *)prefix, n, dst);
    p += enc_delta_i32((const uint8_t *)suffix, n, p);
    v = values;
    for (size_t i = 0; i < n; i++) {
        span s = next_value(&v, fixed);
        p = enc_copy(p, s.data + prefix[i], suffix[i]);
    }
    return (size_t)(p - dst);
}
