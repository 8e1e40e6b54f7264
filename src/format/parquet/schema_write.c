#include "format/parquet/schema_write.h"

/* ConvertedType; NO_CONVERTED: none says it */
enum {
    NO_CONVERTED = -1,
    CONVERTED_UTF8 = 0,
    CONVERTED_MAP = 1,
    CONVERTED_LIST = 3,
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
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
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
    LOGICAL_FLOAT16 = 15,
    LOGICAL_VARIANT = 16,
    LOGICAL_GEOMETRY = 17,
    LOGICAL_GEOGRAPHY = 18
};

enum { REQUIRED = 0, OPTIONAL = 1, REPEATED = 2 };

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

static annotation annotation_of(const field *f)
{
    const type *t = &f->type;
    switch (pq_meaning_written(f)) {
    case MEANS_GEOMETRY: return (annotation){NO_CONVERTED, LOGICAL_GEOMETRY};
    case MEANS_GEOGRAPHY: return (annotation){NO_CONVERTED, LOGICAL_GEOGRAPHY};
    case MEANS_VARIANT: return (annotation){NO_CONVERTED, LOGICAL_VARIANT};
    case MEANS_NOTHING: break;
    }
    switch (t->id) {
    case TYPE_NULL: return (annotation){NO_CONVERTED, LOGICAL_UNKNOWN};
    case TYPE_INT8: return of_integer(8, true);
    case TYPE_INT16: return of_integer(16, true);
    case TYPE_UINT8: return of_integer(8, false);
    case TYPE_UINT16: return of_integer(16, false);
    case TYPE_UINT32: return of_integer(32, false);
    case TYPE_UINT64: return of_integer(64, false);
    case TYPE_FLOAT16: return (annotation){NO_CONVERTED, LOGICAL_FLOAT16};
    case TYPE_INT128:
    case TYPE_UINT128:
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
    case TYPE_LIST: return (annotation){CONVERTED_LIST, LOGICAL_LIST};
    case TYPE_MAP: return (annotation){CONVERTED_MAP, LOGICAL_MAP};
    case TYPE_STRUCT:
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DURATION: /* ARROW:schema says it */
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
    case TYPE_BINARY:
    case TYPE_FIXED: break;
    }
    return (annotation){NO_CONVERTED, NO_LOGICAL};
}

/* Integers of 128 bits are decimals without a digit behind the point. */
static int32_t digits_of(const type *t)
{
    return t->id == TYPE_DECIMAL ? t->precision : PQ_WIDE_DIGITS;
}

/* TimeUnit: a union of empty structs MILLIS 1, MICROS 2, NANOS 3. */
static nrw_status write_unit(thrift_out *o, time_unit u, nrw_error *err)
{
    TRY(thrift_write_field_struct(o, 2, err));
    TRY(thrift_write_field_empty(o, u == UNIT_US ? 2 : u == UNIT_NS ? 3 : 1, err));
    return thrift_end(o, err);
}

static nrw_status write_place(thrift_out *o, const field_note *n, nrw_error *err)
{
    if (n->crs)
        TRY(thrift_write_field_string(o, 1, n->crs, err));
    if (n->meaning == MEANS_GEOGRAPHY && n->edges >= 0)
        TRY(thrift_write_field_i32(o, 2, n->edges, err));
    return NRW_OK;
}

static nrw_status write_logical(thrift_out *o, const field *f, const annotation *a, nrw_error *err)
{
    const type *t = &f->type;
    if (a->logical == NO_LOGICAL)
        return NRW_OK;
    TRY(thrift_write_field_struct(o, 10, err));
    TRY(thrift_write_field_struct(o, (int16_t)a->logical, err));
    if (a->logical == LOGICAL_DECIMAL) {
        TRY(thrift_write_field_i32(o, 1, t->scale, err));
        TRY(thrift_write_field_i32(o, 2, digits_of(t), err));
    } else if (a->logical == LOGICAL_TIME || a->logical == LOGICAL_TIMESTAMP) {
        TRY(thrift_write_field_bool(o, 1, t->utc, err));
        TRY(write_unit(o, t->unit, err));
    } else if (a->logical == LOGICAL_INTEGER) {
        TRY(thrift_write_field_i8(o, 1, (int8_t)a->bits, err));
        TRY(thrift_write_field_bool(o, 2, a->is_signed, err));
    } else if (a->logical == LOGICAL_GEOMETRY || a->logical == LOGICAL_GEOGRAPHY) {
        TRY(write_place(o, f->note, err));
    } else if (a->logical == LOGICAL_VARIANT && f->note->version >= 0) {
        TRY(thrift_write_field_i8(o, 1, (int8_t)f->note->version, err));
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

uint32_t pq_schema_elements(const type *t)
{
    if (!type_is_nested(t))
        return 1;
    uint32_t n = t->id == TYPE_STRUCT ? 1 : 2; /* with the repeated group */
    for (uint32_t i = 0; i < t->n_children; i++)
        n += pq_schema_elements(&t->children[i].type);
    return n;
}

/* How an element that is a group or a value stands in its parent. */
typedef struct element {
    const field *field;
    const char *name; /* may be another than the field's */
    bool nullable;
} element;

static nrw_status write_element(thrift_out *o, const element *e, nrw_error *err)
{
    const field *f = e->field;
    annotation a = annotation_of(f);
    TRY(thrift_begin(o, err));
    if (!type_is_nested(&f->type)) {
        pq_written_type w = pq_written_type_of(&f->type);
        TRY(thrift_write_field_i32(o, 1, w.physical, err));
        if (w.physical == PQ_FIXED_LEN_BYTE_ARRAY)
            TRY(thrift_write_field_i32(o, 2, (int32_t)w.length, err));
    }
    TRY(thrift_write_field_i32(o, 3, e->nullable ? OPTIONAL : REQUIRED, err));
    TRY(thrift_write_field_string(o, 4, e->name, err));
    if (type_is_nested(&f->type)) {
        uint32_t n = f->type.id == TYPE_STRUCT ? f->type.n_children : 1;
        TRY(thrift_write_field_i32(o, 5, (int32_t)n, err));
    }
    if (a.converted != NO_CONVERTED)
        TRY(thrift_write_field_i32(o, 6, a.converted, err));
    if (a.logical == LOGICAL_DECIMAL) {
        TRY(thrift_write_field_i32(o, 7, f->type.scale, err));
        TRY(thrift_write_field_i32(o, 8, digits_of(&f->type), err));
    }
    if (f->field_id >= 0)
        TRY(thrift_write_field_i32(o, 9, f->field_id, err));
    TRY(write_logical(o, f, &a, err));
    return thrift_end(o, err);
}

/* The group in the middle of a list or map. */
static nrw_status write_repeated(thrift_out *o, const char *name, uint32_t n, nrw_error *err)
{
    TRY(thrift_begin(o, err));
    TRY(thrift_write_field_i32(o, 3, REPEATED, err));
    TRY(thrift_write_field_string(o, 4, name, err));
    TRY(thrift_write_field_i32(o, 5, (int32_t)n, err));
    return thrift_end(o, err);
}

static nrw_status write_tree(thrift_out *o, const element *e, nrw_error *err)
{
    const field *child = e->field->type.children;
    TRY(write_element(o, e, err));
    if (e->field->type.id == TYPE_LIST) {
        TRY(write_repeated(o, PQ_LIST_NAME, 1, err));
        return write_tree(o, &(element){child, PQ_ELEMENT_NAME, child->nullable}, err);
    }
    if (e->field->type.id == TYPE_MAP) {
        TRY(write_repeated(o, PQ_ENTRY_NAME, 2, err));
        TRY(write_tree(o, &(element){child, PQ_KEY_NAME, false}, err));
        return write_tree(o, &(element){child + 1, PQ_VALUE_NAME, child[1].nullable}, err);
    }
    for (uint32_t i = 0; type_is_nested(&e->field->type) && i < e->field->type.n_children; i++)
        TRY(write_tree(o, &(element){child + i, child[i].name, child[i].nullable}, err));
    return NRW_OK;
}

nrw_status pq_schema_field(thrift_out *o, const field *f, nrw_error *err)
{
    return write_tree(o, &(element){f, f->name, f->nullable}, err);
}
