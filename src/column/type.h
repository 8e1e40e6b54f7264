/* Types and schemas. A type says what a value means and how it lies in memory.
 *
 * Layout in vectors (Arrow's unless said): fixed-width little-endian values; booleans as one byte
 * 0 or 1 (packed to bits at the doors); decimals as two's complement integers of 4, 8, 16 or 32
 * bytes; text and binary as 16-byte views; lists and maps as offsets into vectors of elements, of
 * keys and of values; structs as one vector a field (vector.h). */
#ifndef COLUMN_TYPE_H
#define COLUMN_TYPE_H

#include "base/arena.h"
#include "base/span.h"

typedef enum type_id {
    TYPE_NULL,
    TYPE_BOOL,
    TYPE_INT8,
    TYPE_INT16,
    TYPE_INT32,
    TYPE_INT64,
    TYPE_INT128, /* two's complement; HUGEINT */
    TYPE_UINT8,
    TYPE_UINT16,
    TYPE_UINT32,
    TYPE_UINT64,
    TYPE_UINT128,
    TYPE_FLOAT16,
    TYPE_FLOAT32,
    TYPE_FLOAT64,
    TYPE_DECIMAL,   /* precision 1..76, scale; width 4, 8, 16 or 32 by precision 9, 18, 38, 76 */
    TYPE_DATE,      /* int32 days since 1970-01-01 */
    TYPE_TIME,      /* int64 since midnight in `unit`; utc: the zone flag of the file */
    TYPE_TIMESTAMP, /* int64 since the epoch in `unit`; utc: an instant, else local */
    TYPE_DURATION,  /* int64, a length of time in `unit` */
    TYPE_INTERVAL,  /* UNIT_US: 16 bytes: int32 months, int32 days, int64 microseconds; else 12
                       bytes:  uint32 months, days, milliseconds (Parquet INTERVAL) */
    TYPE_UTF8,
    TYPE_BINARY,
    TYPE_FIXED, /* `width` bytes */
    TYPE_UUID,  /* 16 bytes, big-endian as printed */
    TYPE_JSON,  /* text */
    TYPE_BSON,  /* binary */
    TYPE_ENUM,  /* text */
    TYPE_LIST,  /* one child: the element */
    TYPE_STRUCT,
    TYPE_MAP /* two children: key and value */
} type_id;

typedef enum time_unit { UNIT_NONE, UNIT_S, UNIT_MS, UNIT_US, UNIT_NS } time_unit;

typedef struct type {
    type_id id;
    time_unit unit;
    bool utc;
    uint8_t precision;
    int8_t scale;
    uint32_t width; /* bytes of one value in a vector; 16 for views, 4 for offsets; 0 for TYPE_NULL
                       and TYPE_STRUCT */
    uint32_t n_children;
    const struct field *children; /* of nested types; not owned: they lie in an arena */
} type;

typedef struct field {
    const char *name; /* UTF-8, in the schema's arena; names may come twice */
    type type;
    bool nullable;
    int32_t field_id;              /* -1: none */
    const struct field_note *note; /* what else a format said of it (note.h); NULL: nothing */
} field;

/* Behind the columns of a schema stand parts of its nested ones, which can be chosen like columns:
 * fields[n_fields + i] is the field that part_paths[i] ("user.address.city") leads to. */
typedef struct schema {
    uint32_t n_fields;
    field *fields;
    uint32_t n_parts;
    const char *const *part_paths;
} schema;

int64_t units_per_second(time_unit unit);

/* A type with its width filled in. */
type type_of(type_id id);
type type_decimal(int precision, int scale);
type type_timestamp(time_unit unit, bool utc);
type type_time(time_unit unit, bool utc);
type type_duration(time_unit unit);
/* UNIT_US: SQL's interval; else Parquet's. */
type type_interval(time_unit unit);
type type_fixed(uint32_t width);
/* TYPE_LIST over one child, TYPE_MAP over two, TYPE_STRUCT over any number. */
type type_nested(type_id id, const field *children, uint32_t n);

static inline bool type_is_view(const type *t)
{
    return t->id == TYPE_UTF8 || t->id == TYPE_BINARY || t->id == TYPE_JSON || t->id == TYPE_BSON ||
           t->id == TYPE_ENUM;
}
static inline bool type_is_nested(const type *t)
{
    return t->id >= TYPE_LIST;
}
/* Of nested types: all the way down; the names of a struct's fields count, those of elements, keys
 * and values do not. */
bool type_equal(const type *a, const type *b);
/* DuckDB's spelling: "BIGINT", "DECIMAL(12,2)", "TIMESTAMP WITH TIME ZONE", "BLOB", "INTEGER[]",
 * "STRUCT(a INTEGER, \"b c\" VARCHAR)", "MAP(VARCHAR, INTEGER)". Returns the length needed, as
 * snprintf. */
size_t type_print(const type *t, char *out, size_t cap);
/* Reads such a name, case ignored, with DuckDB's and Arrow's synonyms ("int64", "string",
 * "decimal(12,2)", "timestamp"). NRW_E_ARG names what is not understood. */
nrw_status type_parse(const char *text, type *out, nrw_error *err);

/* A copy of f with its name, note and children in `a`. */
nrw_status field_copy(arena *a, const field *f, field *out, nrw_error *err);
nrw_status schema_new(arena *a, uint32_t n_fields, schema *out, nrw_error *err);
/* A copy with all its parts in `a`. */
nrw_status schema_copy(arena *a, const schema *from, schema *out, nrw_error *err);
/* Exact match first, then without case where that is unambiguous; columns before parts by their
 * paths. -1: none, -2: ambiguous. */
int32_t schema_find(const schema *s, const char *name);
/* The same among the parts of nested columns alone. */
int32_t schema_find_part(const schema *s, const char *path);
/* The field whose name is nearest to `name`, for "did you mean"; NULL where none is near. */
const char *schema_nearest(const schema *s, const char *name);
bool schema_equal(const schema *a, const schema *b);

#endif
