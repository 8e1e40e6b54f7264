/* The writer's schema: its JSON as types (Avro specification 1.12, "Schema Declaration"), and these
 * as columns. Internal to the Avro folder.
 *
 * Everything lies in the arena given and never changes afterwards: shared by all threads. */
#ifndef AVRO_SCHEMA_H
#define AVRO_SCHEMA_H

#include "base/arena.h"
#include "base/buffer.h"
#include "column/type.h"
#include "format/avro/json_tree.h"

typedef enum av_kind {
    AV_NULL,
    AV_BOOLEAN,
    AV_INT,
    AV_LONG,
    AV_FLOAT,
    AV_DOUBLE,
    AV_BYTES,
    AV_STRING,
    AV_RECORD,
    AV_ENUM,
    AV_ARRAY,
    AV_MAP,
    AV_FIXED,
    AV_UNION
} av_kind;

/* Logical types that change what a value is read as; all others fall back to the kind. */
typedef enum av_logical {
    AV_PLAIN,
    AV_DECIMAL, /* of bytes and fixed */
    AV_BIG_DECIMAL,
    AV_UUID, /* of string and fixed(16) */
    AV_DATE,
    AV_TIME,      /* `unit` */
    AV_TIMESTAMP, /* `unit`, `utc` */
    AV_DURATION,
    AV_ENTRIES /* of an array of records of key and value: a map with keys of any type */
} av_logical;

typedef struct av_type av_type;

struct av_type {
    av_kind kind;
    av_logical logical;
    time_unit unit;
    bool utc;
    uint8_t precision;
    int8_t scale;
    const char *name;         /* full name of record, enum and fixed; of others that of the kind */
    uint32_t n;               /* fields, branches, symbols; 1 of array and map */
    const char *const *names; /* of fields, symbols */
    const av_type *const *types; /* of fields, branches; the items, the map's values */
    uint32_t size;               /* fixed */
    const char *spelled;         /* the logical type as the schema has it, also one not known */

    /* of a schema that files are read by */
    const json_node *aliases;          /* of the type: a list; NULL: none */
    const json_node *const *f_aliases; /* of each field */
    const json_node *const *defaults;  /* of each field; NULL: none */
    const char *symbol;                /* of an enum: for symbols that it has not; NULL: none */
};

/* A column, or a level of a nested one: what is read, and what it becomes. */
typedef struct av_node av_node;
struct av_node {
    field field;
    const av_type *type;  /* without the union that makes it nullable */
    const av_type *outer; /* the union around `type` that has one other branch, null; or none */
    uint32_t null_branch; /* of `outer`; UINT32_MAX: it has no null */
    uint32_t null_in;     /* of a union that becomes a struct: the branch that is null */
    bool repeats;         /* a value inside of a value of the same type: JSON text */
    uint32_t id;          /* unique in the av_columns, below its n_nodes */
    uint32_t place;       /* among columns and parts; UINT32_MAX: it is none */
    uint32_t n;           /* as field.type.n_children */
    av_node *children;
};

/* The text of avro.schema. NRW_E_CORRUPT: against the rules; NRW_E_UNSUPPORTED: too large. */
nrw_status av_schema_parse(arena *a, span text, const av_type **out, nrw_error *err) NRW_CHECKED;

/* Columns of the schema: the fields of a record, or one column `value`. nodes[i] belongs to
 * out->fields[i]; behind the columns come fields of structs as parts. A value that contains values
 * of its own type becomes JSON text where it repeats.
 *
 * Unions: null and one other is that, nullable; several others are a struct with a nullable field
 * for each. */
typedef struct av_columns {
    schema schema;
    uint32_t n_nodes;
    const av_type *type;
    const struct av_columns *written; /* of the file, where these are of a schema that it is read
                                         by; NULL: they are the file's own */
    bool record;     /* of a record's fields; else the one column is the value itself */
    av_node *tops;   /* a column each */
    av_node **nodes; /* of columns, then of parts */
} av_columns;
nrw_status av_columns_make(arena *a, const av_type *t, av_columns *out, nrw_error *err) NRW_CHECKED;

/* The part of a name behind its last dot. */
const char *av_last_part(const char *name);

/* Fewest bytes of an encoded value, at most 2^30. */
uint32_t av_least_bytes(const av_node *n);

/* What a value that is neither nested nor a union becomes in a vector. */
type av_leaf_type(const av_type *t);
/* "int", "record": for messages. */
const char *av_kind_name(av_kind kind);

#endif
