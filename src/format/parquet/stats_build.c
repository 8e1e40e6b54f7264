#include "format/parquet/stats_build.h"
#include "kernel/kernel.h"

#define BLOCK 256

static bool is_number(pq_order o)
{
    return o != PQ_ORDER_BYTES && o != PQ_ORDER_DECIMAL;
}

span pq_bounds_min(const pq_bounds *b, uint32_t width)
{
    return is_number(b->order) ? (span){b->min_number, width} : b->min;
}

span pq_bounds_max(const pq_bounds *b, uint32_t width)
{
    return is_number(b->order) ? (span){b->max_number, width} : b->max;
}

/* ---- numbers ---- */

static void join_number(pq_bounds *b, const uint8_t *min, const uint8_t *max, size_t width)
{
    span low = {min, width}, high = {max, width};

    if (!b->any || pq_order_compare(b->order, low, (span){b->min_number, width}) < 0)
        memcpy(b->min_number, min, width);
    if (!b->any || pq_order_compare(b->order, high, (span){b->max_number, width}) > 0)
        memcpy(b->max_number, max, width);
    b->any = true;
}

/* Halves as integers that rise with their value. */
static int32_t half_key(const uint8_t *p)
{
    uint16_t bits = (uint16_t)(p[0] | p[1] << 8);

    return bits & 0x8000 ? -(int32_t)(bits & 0x7fff) : bits;
}

static bool half_is_nan(const uint8_t *p)
{
    return ((p[0] | p[1] << 8) & 0x7fff) > 0x7c00;
}

/* A least zero is -0, a greatest +0, whatever stood there. */
static bool minmax_half(const uint8_t *v, size_t n, uint8_t *min, uint8_t *max)
{
    int32_t low = INT32_MAX, high = INT32_MIN;
    uint16_t bits;

    for (size_t i = 0; i < n; i++) {
        int32_t key = half_key(v + 2 * i);
        if (half_is_nan(v + 2 * i))
            continue;
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    if (low > high)
        return false;
    bits = (uint16_t)(low > 0 ? low : 0x8000 | -low);
    memcpy(min, &bits, 2);
    bits = (uint16_t)(high >= 0 ? high : 0x8000 | -high);
    memcpy(max, &bits, 2);
    return true;
}

#define MINMAX(kernel, type)                                                                       \
    (kernels_get()->kernel((const type *)(const void *)v, n, (type *)(void *)min,                  \
                           (type *)(void *)max))

static bool minmax(pq_order order, const uint8_t *v, size_t width, size_t n, uint8_t *min,
                   uint8_t *max)
{
    switch (order) {
    case PQ_ORDER_BOOL: return MINMAX(minmax_u8, uint8_t);
    case PQ_ORDER_SIGNED:
        return width == 4 ? MINMAX(minmax_i32, int32_t) : MINMAX(minmax_i64, int64_t);
    case PQ_ORDER_UNSIGNED:
        return width == 4 ? MINMAX(minmax_u32, uint32_t) : MINMAX(minmax_u64, uint64_t);
    case PQ_ORDER_FLOAT: return MINMAX(minmax_f32, float);
    case PQ_ORDER_DOUBLE: return MINMAX(minmax_f64, double);
    case PQ_ORDER_FLOAT16: return minmax_half(v, n, min, max);
    case PQ_ORDER_DECIMAL:
    case PQ_ORDER_BYTES:
    case PQ_ORDER_NONE: break;
    }
    return false;
}

/* ---- byte strings ---- */

/* The first eight bytes as a number that compares as they do; short values are filled with 0. */
static inline uint64_t prefix_key(span s, uint64_t flip)
{
    uint64_t key = __builtin_bswap64(load_u64(s.data));
    unsigned drop = s.len < 8 ? 64 - 8 * (unsigned)s.len : 0;

    return (drop == 64 ? 0 : key >> drop << drop) ^ flip;
}

/* The sign bit flipped, two's complement compares like unsigned bytes. */
static uint64_t key_flip(const pq_bounds *b)
{
    return b->order == PQ_ORDER_DECIMAL ? (uint64_t)1 << 63 : 0;
}

static void join_span(pq_bounds *b, span s, uint64_t key)
{
    if (!b->any) {
        b->any = true;
        b->min = b->max = s;
        b->min_key = b->max_key = key;
        return;
    }
    if (key < b->min_key || (key == b->min_key && pq_order_compare(b->order, s, b->min) < 0)) {
        b->min = s;
        b->min_key = key;
    }
    if (key > b->max_key || (key == b->max_key && pq_order_compare(b->order, s, b->max) > 0)) {
        b->max = s;
        b->max_key = key;
    }
}

void pq_bounds_spans(pq_bounds *b, const span *values, size_t n)
{
    uint64_t flip = key_flip(b);

    if (b->order == PQ_ORDER_NONE || !n)
        return;
    if (!b->any)
        join_span(b, values[0], prefix_key(values[0], flip));
    uint64_t low = b->min_key, high = b->max_key;
    for (size_t i = 0; i < n; i++) {
        uint64_t key = prefix_key(values[i], flip);
        if (key > low && key < high)
            continue;
        join_span(b, values[i], key);
        low = b->min_key;
        high = b->max_key;
    }
}

void pq_bounds_fixed(pq_bounds *b, const uint8_t *values, size_t width, size_t n)
{
    union {
        uint8_t bytes[8];
        uint64_t align;
    } min, max;

    if (b->order == PQ_ORDER_NONE)
        return;
    if (!is_number(b->order))
        for (size_t i = 0; i < n; i++) {
            span s = {values + i * width, width};
            join_span(b, s, prefix_key(s, key_flip(b)));
        }
    else if (minmax(b->order, values, width, n, min.bytes, max.bytes))
        join_number(b, min.bytes, max.bytes, width);
}

/* ---- dictionaries ---- */

static void bounds_entries(pq_bounds *b, const pq_dict *d, const uint32_t *entry, size_t n)
{
    uint8_t values[8 * (BLOCK + 8)]; /* slack, as kernels ask */

    if (!is_number(b->order)) {
        for (size_t i = 0; i < n; i++) {
            span s = pq_dict_entry(d, entry[i]);
            join_span(b, s, prefix_key(s, key_flip(b)));
        }
        return;
    }
    if (d->width == 8)
        kernels_get()->gather_8(d->plain->data, entry, n, values);
    else if (d->width == 4)
        kernels_get()->gather_4(d->plain->data, entry, n, values);
    else
        kernels_get()->gather_any(d->plain->data, d->width, entry, n, values);
    pq_bounds_fixed(b, values, d->width, n);
}

void pq_bounds_marked(pq_bounds *b, const pq_dict *d, const uint8_t *marks, uint32_t n)
{
    uint32_t entry[BLOCK + 16], found = 0;

    if (b->order == PQ_ORDER_NONE)
        return;
    for (uint32_t i = 0; i < n; i += 8) {
        if (!load_u64(marks + i))
            continue;
        for (uint32_t e = i; e < i + 8 && e < n; e++) {
            entry[found] = e;
            found += marks[e] != 0;
        }
        if (found > BLOCK - 8) {
            bounds_entries(b, d, entry, found);
            found = 0;
        }
    }
    bounds_entries(b, d, entry, found);
}
