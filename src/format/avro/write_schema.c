/* Types to JSON. What a type becomes is said once here, and once in write_value.c as bytes. */
#include "format/avro/write_schema.h"

#include <stdio.h>
#include <string.h>

typedef struct namer {
    mem *m;
    bytes *out;
    bytes names;        /* of types given so far: a name and its number of bytes 0 each */
    const char *column; /* being described, for messages */
    uint32_t depth;
    nrw_error *err;
} namer;

#define DEPTH_MAX 64

static nrw_status refuse(namer *n, const char *what, const char *next)
{
    err_at_column(n->err, n->column);
    err_next(n->err, "%s", next);
    return err_set(n->err, NRW_E_UNSUPPORTED, "Avro has no type for %s", what);
}

/* "Names": a letter or _, then letters, digits and _. */
static bool is_name(const char *s)
{
    for (const char *p = s; *p; p++)
        if (!(*p == '_' || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
              (p > s && *p >= '0' && *p <= '9')))
            return false;
    return *s != 0;
}

static bool is_taken(const bytes *names, const char *name)
{
    const char *p = (const char *)names->data, *end = names->len ? p + names->len : p;

    for (; p < end; p += strlen(p) + 1)
        if (strcmp(p, name) == 0)
            return true;
    return false;
}

/* Names that fixed types will have. */
static bool is_kept(const char *name)
{
    return strncmp(name, "fixed_", 6) == 0 || strcmp(name, "duration") == 0;
}

static nrw_status put_type_name(namer *n, const char *name)
{
    TRY(bytes_append(&n->names, name, strlen(name) + 1, n->err));
    return bytes_printf(n->out, n->err, "\"name\":\"%s\"", name);
}

/* A name that no type has yet: that of the field, with a number where it is taken. */
static nrw_status put_record_name(namer *n, const char *field)
{
    char name[128];

    snprintf(name, sizeof name, "%.100s%s", field, is_kept(field) ? "_record" : "");
    for (uint32_t i = 2; is_taken(&n->names, name); i++)
        snprintf(name, sizeof name, "%.100s_%u", is_kept(field) ? "record" : field, i);
    return put_type_name(n, name);
}

static nrw_status put_type(namer *n, const char *name, const type *t);

static nrw_status put_field_type(namer *n, const char *name, const field *f)
{
    if (!f->nullable || f->type.id == TYPE_NULL)
        return put_type(n, name, &f->type);
    TRY(bytes_printf(n->out, n->err, "[\"null\","));
    TRY(put_type(n, name, &f->type));
    return bytes_printf(n->out, n->err, "]");
}

static nrw_status put_record(namer *n, const char *name, const field *fields, uint32_t count)
{
    TRY(bytes_printf(n->out, n->err, "{\"type\":\"record\","));
    TRY(put_record_name(n, name));
    TRY(bytes_printf(n->out, n->err, ",\"fields\":["));
    for (uint32_t i = 0; i < count; i++) {
        const field *f = &fields[i];
        if (n->depth == 1)
            n->column = f->name;
        if (!is_name(f->name)) {
            err_at_column(n->err, n->column);
            err_next(n->err, "give it another one: SELECT \"%.100s\" AS name", f->name);
            return err_set(n->err, NRW_E_UNSUPPORTED,
                           "%.100s is no name in Avro, which takes letters, digits and _", f->name);
        }
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(fields[k].name, f->name) == 0) {
                err_next(n->err, "give one of them another name: SELECT x AS name");
                return err_set(n->err, NRW_E_UNSUPPORTED, "two fields are called %.100s", f->name);
            }
        TRY(bytes_printf(n->out, n->err, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", f->name));
        TRY(put_field_type(n, f->name, f));
        TRY(bytes_printf(n->out, n->err, "%s}",
                         f->nullable || f->type.id == TYPE_NULL ? ",\"default\":null" : ""));
    }
    return bytes_printf(n->out, n->err, "]}");
}

static nrw_status put_fixed(namer *n, uint32_t size, const char *logical)
{
    char name[32];

    snprintf(name, sizeof name, logical ? "duration" : "fixed_%u", size);
    if (is_taken(&n->names, name)) /* the same type once more */
        return bytes_printf(n->out, n->err, "\"%s\"", name);
    TRY(bytes_printf(n->out, n->err, "{\"type\":\"fixed\","));
    TRY(put_type_name(n, name));
    TRY(bytes_printf(n->out, n->err, ",\"size\":%u", size));
    if (logical)
        TRY(bytes_printf(n->out, n->err, ",\"logicalType\":\"%s\"", logical));
    return bytes_printf(n->out, n->err, "}");
}

static nrw_status put_logical(namer *n, const char *kind, const char *logical)
{
    return bytes_printf(n->out, n->err, "{\"type\":\"%s\",\"logicalType\":\"%s\"}", kind, logical);
}

static nrw_status put_decimal(namer *n, int precision, int scale)
{
    return bytes_printf(n->out, n->err,
                        "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":%d,"
                        "\"scale\":%d}",
                        precision, scale);
}

static nrw_status put_timestamp(namer *n, const type *t)
{
    static const char *const names[] = {
        [UNIT_S] = "millis", [UNIT_MS] = "millis", [UNIT_US] = "micros", [UNIT_NS] = "nanos"};
    char logical[32];

    snprintf(logical, sizeof logical, "%stimestamp-%s", t->utc ? "" : "local-", names[t->unit]);
    return put_logical(n, "long", logical);
}

static nrw_status put_time(namer *n, const type *t)
{
    if (t->unit == UNIT_NS)
        return refuse(n, "times in nanoseconds", "CAST it to TIME, which has microseconds");
    return t->unit == UNIT_US ? put_logical(n, "long", "time-micros")
                              : put_logical(n, "int", "time-millis");
}

bool av_is_map(const type *t)
{
    const type_id key = t->children[0].type.id;

    return key == TYPE_UTF8 || key == TYPE_ENUM || key == TYPE_JSON;
}

static nrw_status put_map(namer *n, const char *name, const type *t)
{
    field pair[2] = {t->children[0], t->children[1]};
    char record[128];

    if (av_is_map(t)) {
        TRY(bytes_printf(n->out, n->err, "{\"type\":\"map\",\"values\":"));
        TRY(put_field_type(n, name, &t->children[1]));
        return bytes_printf(n->out, n->err, "}");
    }
    pair[0].name = "key";
    pair[1].name = "value";
    snprintf(record, sizeof record, "%.100s_entry", name);
    TRY(bytes_printf(n->out, n->err, "{\"type\":\"array\",\"logicalType\":\"map\",\"items\":"));
    TRY(put_record(n, record, pair, 2));
    return bytes_printf(n->out, n->err, "}");
}

static nrw_status put_list(namer *n, const char *name, const type *t)
{
    TRY(bytes_printf(n->out, n->err, "{\"type\":\"array\",\"items\":"));
    TRY(put_field_type(n, name, &t->children[0]));
    return bytes_printf(n->out, n->err, "}");
}

static nrw_status put_nested(namer *n, const char *name, const type *t)
{
    nrw_status st;

    if (n->depth == DEPTH_MAX)
        return err_set(n->err, NRW_E_UNSUPPORTED, "types are nested more than %d deep", DEPTH_MAX);
    n->depth++;
    st = t->id == TYPE_LIST  ? put_list(n, name, t)
         : t->id == TYPE_MAP ? put_map(n, name, t)
                             : put_record(n, name, t->children, t->n_children);
    n->depth--;
    return st;
}

static nrw_status put_type(namer *n, const char *name, const type *t)
{
    static const char *const plain[] = {
        [TYPE_NULL] = "null",     [TYPE_BOOL] = "boolean",  [TYPE_INT8] = "int",
        [TYPE_INT16] = "int",     [TYPE_INT32] = "int",     [TYPE_INT64] = "long",
        [TYPE_UINT8] = "int",     [TYPE_UINT16] = "int",    [TYPE_UINT32] = "long",
        [TYPE_FLOAT16] = "float", [TYPE_FLOAT32] = "float", [TYPE_FLOAT64] = "double",
        [TYPE_UTF8] = "string",   [TYPE_JSON] = "string",   [TYPE_ENUM] = "string",
        [TYPE_BINARY] = "bytes",  [TYPE_BSON] = "bytes",    [TYPE_MAP] = NULL};

    switch (t->id) {
    case TYPE_UINT64: return put_decimal(n, 20, 0);
    case TYPE_INT128:
    case TYPE_UINT128: return put_decimal(n, 39, 0);
    case TYPE_DECIMAL: return put_decimal(n, t->precision, t->scale);
    case TYPE_DATE: return put_logical(n, "int", "date");
    case TYPE_TIME: return put_time(n, t);
    case TYPE_TIMESTAMP: return put_timestamp(n, t);
    case TYPE_UUID: return put_logical(n, "string", "uuid");
    case TYPE_FIXED: return put_fixed(n, t->width, NULL);
    case TYPE_INTERVAL: return put_fixed(n, 12, "duration");
    case TYPE_DURATION:
        return refuse(n, "lengths of time", "CAST it to BIGINT, which counts its units");
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP: return put_nested(n, name, t);
    default: return bytes_printf(n->out, n->err, "\"%s\"", plain[t->id]);
    }
}

nrw_status av_schema_write(mem *m, const schema *s, bytes *out, nrw_error *err)
{
    namer n = {.m = m, .out = out, .names = bytes_init(m, INT32_MAX), .depth = 1, .err = err};
    nrw_status st = put_record(&n, "row", s->fields, s->n_fields);

    bytes_release(&n.names);
    return st;
}
