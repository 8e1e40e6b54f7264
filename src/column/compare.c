#include "column/compare.h"

#include "column/print.h"

#include <math.h>

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

#define BY_NUMBER(type_)                                                                           \
    do {                                                                                           \
        type_ x, y;                                                                                \
        memcpy(&x, a.data, sizeof x);                                                              \
        memcpy(&y, b.data, sizeof y);                                                              \
        return ORDER(x, y);                                                                        \
    } while (0)

static int compare_doubles(double x, double y)
{
    if (isnan(x) || isnan(y))
        return (isnan(x) != 0) - (isnan(y) != 0);
    return ORDER(x, y);
}

static int compare_floats(const type *t, span a, span b)
{
    double x, y;
    float f, g;
    if (t->id == TYPE_FLOAT64) {
        memcpy(&x, a.data, 8);
        memcpy(&y, b.data, 8);
        return compare_doubles(x, y);
    }
    if (t->id == TYPE_FLOAT32) {
        memcpy(&f, a.data, 4);
        memcpy(&g, b.data, 4);
        return compare_doubles(f, g);
    }
    uint16_t h, k;
    memcpy(&h, a.data, 2);
    memcpy(&k, b.data, 2);
    return compare_doubles(print_half_to_float(h), print_half_to_float(k));
}

/* Two's complement: the highest word with its sign, the others without. */
static int compare_wide(span a, span b)
{
    size_t words = a.len / 8;
    uint64_t x = load_u64(a.data + 8 * (words - 1)), y = load_u64(b.data + 8 * (words - 1));
    if (x != y)
        return ORDER((int64_t)x, (int64_t)y);
    for (size_t i = words - 1; i-- > 0;) {
        x = load_u64(a.data + 8 * i);
        y = load_u64(b.data + 8 * i);
        if (x != y)
            return ORDER(x, y);
    }
    return 0;
}

int value_compare(const type *t, span a, span b)
{
    switch (t->id) {
    case TYPE_NULL: return 0;
    case TYPE_BOOL:
    case TYPE_UINT8: BY_NUMBER(uint8_t);
    case TYPE_UINT16: BY_NUMBER(uint16_t);
    case TYPE_UINT32: BY_NUMBER(uint32_t);
    case TYPE_UINT64: BY_NUMBER(uint64_t);
    case TYPE_INT8: BY_NUMBER(int8_t);
    case TYPE_INT16: BY_NUMBER(int16_t);
    case TYPE_INT32:
    case TYPE_DATE: BY_NUMBER(int32_t);
    case TYPE_INT64:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: BY_NUMBER(int64_t);
    case TYPE_INT128: return compare_wide(a, b);
    case TYPE_UINT128: BY_NUMBER(unsigned __int128);
    case TYPE_FLOAT16:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64: return compare_floats(t, a, b);
    case TYPE_DECIMAL:
        if (t->width == 4)
            BY_NUMBER(int32_t);
        return compare_wide(a, b);
    case TYPE_INTERVAL: return ORDER(value_interval(t, a.data), value_interval(t, b.data));
    default: return span_compare(a, b);
    }
}
