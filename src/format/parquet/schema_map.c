/* Physical and logical types to types of vectors: parquet-format, LogicalTypes.md. */
#include "format/parquet/schema_map.h"

#include <stdio.h>

/* ConvertedType of parquet.thrift; each has a logical twin but the last. */
typedef struct converted_row {
    const char *name;
    uint8_t logical, unit, bits;
    bool is_signed;
} converted_row;

static const converted_row converted_types[] = {
    {"UTF8", PQ_LOGICAL_STRING, 0, 0, 0},
    {"MAP", PQ_LOGICAL_MAP, 0, 0, 0},
    {"MAP_KEY_VALUE", PQ_LOGICAL_MAP, 0, 0, 0},
    {"LIST", PQ_LOGICAL_LIST, 0, 0, 0},
    {"ENUM", PQ_LOGICAL_ENUM, 0, 0, 0},
    {"DECIMAL", PQ_LOGICAL_DECIMAL, 0, 0, 0},
    {"DATE", PQ_LOGICAL_DATE, 0, 0, 0},
    {"TIME_MILLIS", PQ_LOGICAL_TIME, UNIT_MS, 0, 0},
    {"TIME_MICROS", PQ_LOGICAL_TIME, UNIT_US, 0, 0},
    {"TIMESTAMP_MILLIS", PQ_LOGICAL_TIMESTAMP, UNIT_MS, 0, 0},
    {"TIMESTAMP_MICROS", PQ_LOGICAL_TIMESTAMP, UNIT_US, 0, 0},
    {"UINT_8", PQ_LOGICAL_INTEGER, 0, 8, false},
    {"UINT_16", PQ_LOGICAL_INTEGER, 0, 16, false},
    {"UINT_32", PQ_LOGICAL_INTEGER, 0, 32, false},
    {"UINT_64", PQ_LOGICAL_INTEGER, 0, 64, false},
    {"INT_8", PQ_LOGICAL_INTEGER, 0, 8, true},
    {"INT_16", PQ_LOGICAL_INTEGER, 0, 16, true},
    {"INT_32", PQ_LOGICAL_INTEGER, 0, 32, true},
    {"INT_64", PQ_LOGICAL_INTEGER, 0, 64, true},
    {"JSON", PQ_LOGICAL_JSON, 0, 0, 0},
    {"BSON", PQ_LOGICAL_BSON, 0, 0, 0},
    {"INTERVAL", PQ_LOGICAL_INTERVAL, 0, 0, 0},
};

static const converted_row *converted_row_of(const pq_element *e)
{
    size_t n = sizeof converted_types / sizeof converted_types[0];
    return e->converted >= 0 && (size_t)e->converted < n ? &converted_types[e->converted] : NULL;
}

static bool is_known(int16_t logical)
{
    return logical >= PQ_LOGICAL_STRING && logical <= PQ_LOGICAL_GEOGRAPHY && logical != 9;
}

void pq_element_convert(pq_element *e)
{
    const converted_row *row = converted_row_of(e);
    if (!row || is_known(e->logical))
        return;
    e->converted_only = true;
    e->logical = row->logical;
    e->unit = row->unit;
    e->bits = row->bits;
    e->is_signed = row->is_signed;
    /* The converted time types count from UTC (LogicalTypes.md, compatibility of each). */
    e->utc = row->unit != 0;
}

static type physical_type(const pq_element *e, bool int96_us)
{
    switch (e->physical) {
    case PQ_BOOLEAN: return type_of(TYPE_BOOL);
    case PQ_INT32: return type_of(TYPE_INT32);
    case PQ_INT64: return type_of(TYPE_INT64);
    case PQ_INT96: return type_timestamp(int96_us ? UNIT_US : UNIT_NS, false);
    case PQ_FLOAT: return type_of(TYPE_FLOAT32);
    case PQ_DOUBLE: return type_of(TYPE_FLOAT64);
    case PQ_FIXED_LEN_BYTE_ARRAY: return type_fixed((uint32_t)e->type_length);
    default: return type_of(TYPE_BINARY);
    }
}

/* The most digits that fit: floor(log10(2^(8 n - 1) - 1)). */
static int most_digits(const pq_element *e)
{
    switch (e->physical) {
    case PQ_INT32: return 9;
    case PQ_INT64: return 18;
    case PQ_BYTE_ARRAY: return 76;
    case PQ_FIXED_LEN_BYTE_ARRAY:
        return e->type_length >= 32 ? 76 : (8 * e->type_length - 1) * 30103 / 100000;
    default: return 0;
    }
}

static bool map_decimal(const pq_element *e, type *t)
{
    if (e->precision < 1 || e->precision > most_digits(e) || e->scale < 0 ||
        e->scale > e->precision)
        return false;
    *t = type_decimal(e->precision, e->scale);
    return true;
}

static bool map_integer(const pq_element *e, type *t)
{
    if (e->physical != (e->bits == 64 ? PQ_INT64 : PQ_INT32))
        return false;
    switch (e->bits) {
    case 8: *t = type_of(e->is_signed ? TYPE_INT8 : TYPE_UINT8); return true;
    case 16: *t = type_of(e->is_signed ? TYPE_INT16 : TYPE_UINT16); return true;
    case 32: *t = type_of(e->is_signed ? TYPE_INT32 : TYPE_UINT32); return true;
    case 64: *t = type_of(e->is_signed ? TYPE_INT64 : TYPE_UINT64); return true;
    default: return false;
    }
}

static bool map_text(const pq_element *e, type_id id, type *t)
{
    if (e->physical != PQ_BYTE_ARRAY)
        return false;
    *t = type_of(id);
    return true;
}

static bool map_fixed(const pq_element *e, int32_t length, type_id id, type *t)
{
    if (e->physical != PQ_FIXED_LEN_BYTE_ARRAY || e->type_length != length)
        return false;
    *t = type_of(id);
    return true;
}

static bool map_time(const pq_element *e, type *t)
{
    if (e->unit == UNIT_NONE || e->physical != (e->unit == UNIT_MS ? PQ_INT32 : PQ_INT64))
        return false;
    *t = type_time((time_unit)e->unit, e->utc);
    return true;
}

static bool map_timestamp(const pq_element *e, type *t)
{
    if (e->unit == UNIT_NONE || e->physical != PQ_INT64)
        return false;
    *t = type_timestamp((time_unit)e->unit, e->utc);
    return true;
}

static bool map_logical(const pq_element *e, type *t)
{
    switch (e->logical) {
    case PQ_LOGICAL_STRING: return map_text(e, TYPE_UTF8, t);
    case PQ_LOGICAL_ENUM: return map_text(e, TYPE_ENUM, t);
    case PQ_LOGICAL_JSON: return map_text(e, TYPE_JSON, t);
    case PQ_LOGICAL_BSON: return map_text(e, TYPE_BSON, t);
    case PQ_LOGICAL_DECIMAL: return map_decimal(e, t);
    case PQ_LOGICAL_TIME: return map_time(e, t);
    case PQ_LOGICAL_TIMESTAMP: return map_timestamp(e, t);
    case PQ_LOGICAL_INTEGER: return map_integer(e, t);
    case PQ_LOGICAL_UUID: return map_fixed(e, 16, TYPE_UUID, t);
    case PQ_LOGICAL_FLOAT16: return map_fixed(e, 2, TYPE_FLOAT16, t);
    case PQ_LOGICAL_INTERVAL: return map_fixed(e, 12, TYPE_INTERVAL, t);
    case PQ_LOGICAL_DATE:
        if (e->physical != PQ_INT32)
            return false;
        *t = type_of(TYPE_DATE);
        return true;
    case PQ_LOGICAL_NULL:
        /* All values are null, which a required column cannot mean. */
        if (e->repetition == PQ_REQUIRED)
            return false;
        *t = type_of(TYPE_NULL);
        return true;
    default: return false;
    }
}

type pq_element_type(const pq_element *e, bool int96_us, bool *known)
{
    type t = physical_type(e, int96_us);
    *known = e->logical == PQ_LOGICAL_NONE || map_logical(e, &t);
    return t;
}

bool pq_element_wrong(const pq_element *e)
{
    type t = {0};

    switch (e->logical) {
    case PQ_LOGICAL_STRING:
    case PQ_LOGICAL_ENUM:
    case PQ_LOGICAL_JSON:
    case PQ_LOGICAL_BSON:
    case PQ_LOGICAL_DATE:
    case PQ_LOGICAL_TIME:
    case PQ_LOGICAL_TIMESTAMP:
    case PQ_LOGICAL_INTEGER: return !map_logical(e, &t);
    default: return false;
    }
}

pq_order pq_element_order(const pq_element *e, const type *t, bool known)
{
    /* Bounds were made in the annotation's order, which nobody knows. */
    if (!known || e->physical == PQ_INT96)
        return PQ_ORDER_NONE;
    switch (t->id) {
    case TYPE_NULL:
    case TYPE_INTERVAL: return PQ_ORDER_NONE;
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_UTF8:
    case TYPE_BINARY:
    case TYPE_FIXED:
    case TYPE_UUID:
    case TYPE_JSON:
    case TYPE_BSON:
    case TYPE_ENUM: return PQ_ORDER_UNSIGNED;
    default: return PQ_ORDER_SIGNED;
    }
}

static const char *const logical_names[] = {
    "",        "STRING", "MAP",  "LIST", "ENUM", "DECIMAL", "DATE",    "TIME",     "TIMESTAMP", "",
    "INTEGER", "NULL",   "JSON", "BSON", "UUID", "FLOAT16", "VARIANT", "GEOMETRY", "GEOGRAPHY",
};

size_t pq_logical_print(const pq_element *e, char *out, size_t cap)
{
    static const char *const units[] = {"?", "SECONDS", "MILLIS", "MICROS", "NANOS"};
    const converted_row *row = converted_row_of(e);
    int n;
    if (e->logical == PQ_LOGICAL_NONE)
        n = snprintf(out, cap, "%s", "");
    else if (e->logical == PQ_LOGICAL_DECIMAL)
        n = snprintf(out, cap, "DECIMAL(%d,%d)", e->precision, e->scale);
    else if (e->converted_only && row)
        n = snprintf(out, cap, "%s", row->name);
    else if (e->logical == PQ_LOGICAL_TIME || e->logical == PQ_LOGICAL_TIMESTAMP)
        n = snprintf(out, cap, "%s(%s,%s)", logical_names[e->logical], units[e->unit],
                     e->utc ? "utc" : "local");
    else if (e->logical == PQ_LOGICAL_INTEGER)
        n = snprintf(out, cap, "%s(%d)", e->is_signed ? "INT" : "UINT", e->bits);
    else if (is_known(e->logical))
        n = snprintf(out, cap, "%s", logical_names[e->logical]);
    else
        n = snprintf(out, cap, "logical type %d", e->logical);
    return n < 0 ? 0 : (size_t)n;
}
