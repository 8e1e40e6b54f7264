#include "format/parquet/written_type.h"

/* Bytes of the shortest two's complement that holds every decimal of p digits: 8 n - 1 bits must
 * hold p log2(10) of them. 3.3219281 is log2(10) rounded up. */
static uint32_t decimal_bytes(uint8_t p)
{
    uint64_t bits = ((uint64_t)p * 33219281 + 9999999) / 10000000 + 1;
    return (uint32_t)((bits + 7) / 8);
}

static pq_written_type decimal_type(uint8_t precision)
{
    if (precision <= 9)
        return (pq_written_type){PQ_INT32, 0, 1};
    if (precision <= 18)
        return (pq_written_type){PQ_INT64, 0, 1};
    return (pq_written_type){PQ_FIXED_LEN_BYTE_ARRAY, decimal_bytes(precision), 1};
}

pq_written_type pq_written_type_of(const type *t)
{
    switch (t->id) {
    case TYPE_BOOL: return (pq_written_type){PQ_BOOLEAN, 0, 1};
    case TYPE_NULL:
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_DATE: return (pq_written_type){PQ_INT32, 0, 1};
    case TYPE_INT64:
    case TYPE_DURATION:
    case TYPE_UINT64: return (pq_written_type){PQ_INT64, 0, 1};
    case TYPE_FLOAT16: return (pq_written_type){PQ_FIXED_LEN_BYTE_ARRAY, 2, 1};
    case TYPE_FLOAT32: return (pq_written_type){PQ_FLOAT, 0, 1};
    case TYPE_FLOAT64: return (pq_written_type){PQ_DOUBLE, 0, 1};
    case TYPE_INT128:
    case TYPE_UINT128: return decimal_type(PQ_WIDE_DIGITS);
    case TYPE_DECIMAL: return decimal_type(t->precision);
    case TYPE_TIME:
        if (t->unit == UNIT_S)
            return (pq_written_type){PQ_INT32, 0, 1000};
        return (pq_written_type){t->unit == UNIT_MS ? PQ_INT32 : PQ_INT64, 0, 1};
    case TYPE_TIMESTAMP: return (pq_written_type){PQ_INT64, 0, t->unit == UNIT_S ? 1000 : 1};
    case TYPE_INTERVAL: return (pq_written_type){PQ_FIXED_LEN_BYTE_ARRAY, 12, 1};
    case TYPE_FIXED: return (pq_written_type){PQ_FIXED_LEN_BYTE_ARRAY, t->width, 1};
    case TYPE_UUID: return (pq_written_type){PQ_FIXED_LEN_BYTE_ARRAY, 16, 1};
    case TYPE_UTF8:
    case TYPE_BINARY:
    case TYPE_JSON:
    case TYPE_BSON:
    case TYPE_ENUM:
    case TYPE_LIST: /* no values of their own */
    case TYPE_STRUCT:
    case TYPE_MAP: break;
    }
    return (pq_written_type){PQ_BYTE_ARRAY, 0, 1};
}

note_meaning pq_meaning_written(const field *f)
{
    note_meaning m = field_meaning(f);
    type_id id = m == MEANS_VARIANT ? TYPE_STRUCT : TYPE_BINARY;
    return f->type.id == id ? m : MEANS_NOTHING;
}

bool pq_encoding_fits(int32_t encoding, const type *t)
{
    pq_physical p = pq_written_type_of(t).physical;
    bool integer = p == PQ_INT32 || p == PQ_INT64, fixed = p == PQ_FIXED_LEN_BYTE_ARRAY;

    switch (encoding) {
    case PQ_PLAIN: return true;
    case PQ_RLE: return p == PQ_BOOLEAN;
    case -1:
    case PQ_PLAIN_DICTIONARY:
    case PQ_RLE_DICTIONARY: return p != PQ_BOOLEAN;
    case PQ_DELTA_BINARY_PACKED: return integer;
    case PQ_DELTA_LENGTH_BYTE_ARRAY: return p == PQ_BYTE_ARRAY;
    case PQ_DELTA_BYTE_ARRAY: return p == PQ_BYTE_ARRAY || fixed;
    case PQ_BYTE_STREAM_SPLIT: return integer || fixed || p == PQ_FLOAT || p == PQ_DOUBLE;
    default: return false;
    }
}

pq_order pq_order_of(const type *t)
{
    switch (t->id) {
    case TYPE_NULL:
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP:
    case TYPE_INTERVAL: return PQ_ORDER_NONE;
    case TYPE_BOOL: return PQ_ORDER_BOOL;
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64: return PQ_ORDER_UNSIGNED;
    case TYPE_FLOAT16: return PQ_ORDER_FLOAT16;
    case TYPE_FLOAT32: return PQ_ORDER_FLOAT;
    case TYPE_FLOAT64: return PQ_ORDER_DOUBLE;
    case TYPE_INT128:
    case TYPE_UINT128: return PQ_ORDER_DECIMAL;
    case TYPE_DECIMAL: return t->precision <= 18 ? PQ_ORDER_SIGNED : PQ_ORDER_DECIMAL;
    case TYPE_UTF8:
    case TYPE_BINARY:
    case TYPE_FIXED:
    case TYPE_UUID:
    case TYPE_JSON:
    case TYPE_BSON:
    case TYPE_ENUM: return PQ_ORDER_BYTES;
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: break;
    }
    return PQ_ORDER_SIGNED;
}

/* The sign bit flipped, two's complement orders like unsigned bytes. */
static int compare_decimal(span a, span b)
{
    uint8_t x = a.len ? a.data[0] ^ 0x80 : 0, y = b.len ? b.data[0] ^ 0x80 : 0;
    return x != y ? (x > y) - (x < y) : span_compare(a, b);
}

static uint64_t load_le(span s)
{
    uint64_t v = 0;
    memcpy(&v, s.data, size_min(s.len, sizeof v));
    return v;
}

static int compare_integers(bool is_signed, span a, span b)
{
    uint64_t x = load_le(a), y = load_le(b);
    if (!is_signed)
        return (x > y) - (x < y);
    int64_t i = a.len == 4 ? (int32_t)x : (int64_t)x, j = b.len == 4 ? (int32_t)y : (int64_t)y;
    return (i > j) - (i < j);
}

/* Sign and magnitude to an integer of the same order; -0 and +0 fall together. */
static int64_t half_order(span s)
{
    uint64_t v = load_le(s);
    int64_t magnitude = (int64_t)(v & 0x7fff);
    return v & 0x8000 ? -magnitude : magnitude;
}

int pq_order_compare(pq_order o, span a, span b)
{
    switch (o) {
    case PQ_ORDER_SIGNED:
    case PQ_ORDER_UNSIGNED: return compare_integers(o == PQ_ORDER_SIGNED, a, b);
    case PQ_ORDER_FLOAT16: {
        int64_t x = half_order(a), y = half_order(b);
        return (x > y) - (x < y);
    }
    case PQ_ORDER_FLOAT: {
        float x = 0, y = 0;
        memcpy(&x, a.data, size_min(a.len, sizeof x));
        memcpy(&y, b.data, size_min(b.len, sizeof y));
        return (x > y) - (x < y);
    }
    case PQ_ORDER_DOUBLE: {
        double x = 0, y = 0;
        memcpy(&x, a.data, size_min(a.len, sizeof x));
        memcpy(&y, b.data, size_min(b.len, sizeof y));
        return (x > y) - (x < y);
    }
    case PQ_ORDER_DECIMAL: return compare_decimal(a, b);
    case PQ_ORDER_BOOL:
    case PQ_ORDER_BYTES:
    case PQ_ORDER_NONE: break;
    }
    return span_compare(a, b);
}
