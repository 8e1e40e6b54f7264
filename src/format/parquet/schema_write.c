#include "format/parquet/schema_write.h"

/* ConvertedType; NO_CONVERTED: none says it */
enum {
    NO_CONVERTED = -1,
    CONVERTED_UTF8 = 0,
    CONVERTED_ENUM = 4,
    CONVERTED_DECIMAL = 5,
    CONVERTED_DATE = 6,
    CONVERTED_TIME_MILLIS = 7,
    CONVERTED_TIME_MICROS = 8,
    CONVERTED_TIMESTAMP_MILLIS = 9,
    CONVERTED_TIMESTAMP_MICROS = 10,
    CONVERTED_UINT_8 = 11,
    CONVERTED_INT_8 = 15,
    CONVERTED_JSON = 19,
    CONVERTED_INTERVAL = 21
};

/* fields of the union LogicalType; NO_LOGICAL: none */
enum {
    NO_LOGICAL = 0,
    LOGICAL_STRING = 1,
    LOGICAL_ENUM = 4,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN = 11,
    LOGICAL_JSON = 12,
    LOGICAL_BSON = 13,
    LOGICAL_UUID = 14,
    LOGICAL_FLOAT16 = 15
};

typedef struct annotation {
    int converted, logical;
    int bits; /* INTEGER */
    bool is_signed;
} annotation;

/* The converted types of times know instants alone, and no nanoseconds. */
static annotation of_time(const type *t)
{
    bool stamp = t->id == TYPE_TIMESTAMP;
    annotation a = {NO_CONVERTED, stamp ? LOGICAL_TIMESTAMP : LOGICAL_TIME};
    if (t->utc && (t->unit == UNIT_S || t->unit == UNIT_MS))
        a.converted = stamp ? CONVERTED_TIMESTAMP_MILLIS : CONVERTED_TIME_MILLIS;
    else if (t->utc && t->unit == UNIT_US)
        a.converted = stamp ? CONVERTED_TIMESTAMP_MICROS : CONVERTED_TIME_MICROS;
    return a;
}

/* UINT_8 ... UINT_64 and INT_8 ... INT_64 stand in a row. */
static annotation of_integer(int bits, bool is_signed)
{
    int step = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;
    int converted = (is_signed ? CONVERTED_INT_8 : CONVERTED_UINT_8) + step;
    return (annotation){converted, LOGICAL_INTEGER, bits, is_signed};
}

static annotation annotation_of(const type *t)
{
    switch (t->id) {
    case TYPE_NULL: return (annotation){NO_CONVERTED, LOGICAL_UNKNOWN};
    case TYPE_INT8: return of_integer(8, true);
    case TYPE_INT16: return of_integer(16, true);
    case TYPE_UINT8: return of_integer(8, false);
    case TYPE_UINT16: return of_integer(16, false);
    case TYPE_UINT32: return of_integer(32, false);
    case TYPE_UINT64: return of_integer(64, false);
    case TYPE_FLOAT16: return (annotation){NO_CONVERTED, LOGICAL_FLOAT16};
    case TYPE_DECIMAL: return (annotation){CONVERTED_DECIMAL, LOGICAL_DECIMAL};
    case TYPE_DATE: return (annotation){CONVERTED_DATE, LOGICAL_DATE};
    case TYPE_TIME:
    case TYPE_TIMESTAMP: return of_time(t);
    case TYPE_INTERVAL: return (annotation){CONVERTED_INTERVAL, NO_LOGICAL};
    case TYPE_UTF8: return (annotation){CONVERTED_UTF8, LOGICAL_STRING};
    case TYPE_UUID: return (annotation){NO_CONVERTED, LOGICAL_UUID};
    case TYPE_JSON: return (annotation){CONVERTED_JSON, LOGICAL_JSON};
    /* DuckDB refuses files that say BSON in the old way, whichever column is asked for. */
    case TYPE_BSON: return (annotation){NO_CONVERTED, LOGICAL_BSON};
    case TYPE_ENUM: return (annotation){CONVERTED_ENUM, LOGICAL_ENUM};
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
    case TYPE_BINARY:
    case TYPE_FIXED:
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP: break;
    }
    return (annotation){NO_CONVERTED, NO_LOGICAL};
}

/* TimeUnit: a union of empty structs MILLIS 1, MICROS 2, NANOS 3. */
static nrw_status write_unit(thrift_out *o, time_unit u, nrw_error *err)
{
    TRY(thrift_write_field_struct(o, 2, err));
    TRY(thrift_write_field_empty(o, u == UNIT_US ? 2 : u == UNIT_NS ? 3 : 1, err));
    return thrift_end(o, err);
}

static nrw_status write_logical(thrift_out *o, const type *t, const annotation *a, nrw_error *err)
{
    if (a->logical == NO_LOGICAL)
        return NRW_OK;
    TRY(thrift_write_field_struct(o, 10, err));
    TRY(thrift_write_field_struct(o, (int16_t)a->logical, err));
    if (a->logical == LOGICAL_DECIMAL) {
        TRY(thrift_write_field_i32(o, 1, t->scale, err));
        TRY(thrift_write_field_i32(o, 2, t->precision, err));
    } else if (a->logical == LOGICAL_TIME || a->logical == LOGICAL_TIMESTAMP) {
        TRY(thrift_write_field_bool(o, 1, t->utc, err));
        TRY(write_unit(o, t->unit, err));
    } else if (a->logical == LOGICAL_INTEGER) {
        TRY(thrift_write_field_i8(o, 1, (int8_t)a->bits, err));
        TRY(thrift_write_field_bool(o, 2, a->is_signed, err));
    }
    TRY(thrift_end(o, err));
    return thrift_end(o, err);
}

nrw_status pq_schema_root(thrift_out *o, uint32_t n_children, nrw_error *err)
{
    TRY(thrift_begin(o, err));
    TRY(thrift_write_field_string(o, 4, "schema", err));
    TRY(thrift_write_field_i32(o, 5, (int32_t)n_children, err));
    return thrift_end(o, err);
}

nrw_status pq_schema_element(thrift_out *o, const field *f, nrw_error *err)
{
    pq_written_type w = pq_written_type_of(&f->type);
    annotation a = annotation_of(&f->type);
    TRY(thrift_begin(o, err));
    TRY(thrift_write_field_i32(o, 1, w.physical, err));
    if (w.physical == PQ_FIXED_LEN_BYTE_ARRAY)
        TRY(thrift_write_field_i32(o, 2, (int32_t)w.length, err));
    TRY(thrift_write_field_i32(o, 3, f->nullable ? 1 : 0, err));
    TRY(thrift_write_field_string(o, 4, f->name, err));
    if (a.converted != NO_CONVERTED)
        TRY(thrift_write_field_i32(o, 6, a.converted, err));
    if (f->type.id == TYPE_DECIMAL) {
        TRY(thrift_write_field_i32(o, 7, f->type.scale, err));
        TRY(thrift_write_field_i32(o, 8, f->type.precision, err));
    }
    if (f->field_id >= 0)
        TRY(thrift_write_field_i32(o, 9, f->field_id, err));
    TRY(write_logical(o, &f->type, &a, err));
    return thrift_end(o, err);
}
