#include "column/type.h"

#include <ctype.h>
#include <stdio.h>

int64_t units_per_second(time_unit unit)
{
    switch (unit) {
    case UNIT_S: return 1;
    case UNIT_MS: return 1000;
    case UNIT_NS: return 1000000000;
    default: return 1000000;
    }
}

type type_of(type_id id)
{
    static const uint8_t widths[] = {
        [TYPE_NULL] = 0,      [TYPE_BOOL] = 1,    [TYPE_INT8] = 1,      [TYPE_INT16] = 2,
        [TYPE_INT32] = 4,     [TYPE_INT64] = 8,   [TYPE_UINT8] = 1,     [TYPE_UINT16] = 2,
        [TYPE_UINT32] = 4,    [TYPE_UINT64] = 8,  [TYPE_INT128] = 16,   [TYPE_UINT128] = 16,
        [TYPE_FLOAT16] = 2,   [TYPE_FLOAT32] = 4, [TYPE_FLOAT64] = 8,   [TYPE_DECIMAL] = 8,
        [TYPE_DATE] = 4,      [TYPE_TIME] = 8,    [TYPE_TIMESTAMP] = 8, [TYPE_DURATION] = 8,
        [TYPE_INTERVAL] = 12, [TYPE_UTF8] = 16,   [TYPE_BINARY] = 16,   [TYPE_FIXED] = 1,
        [TYPE_UUID] = 16,     [TYPE_JSON] = 16,   [TYPE_BSON] = 16,     [TYPE_ENUM] = 16,
        [TYPE_LIST] = 4,      [TYPE_STRUCT] = 0,  [TYPE_MAP] = 4,
    };
    type t = {.id = id, .width = widths[id]};
    if (id == TYPE_DECIMAL) {
        t.precision = 18;
        t.scale = 3;
    }
    if (id == TYPE_TIME || id == TYPE_TIMESTAMP || id == TYPE_DURATION)
        t.unit = UNIT_US;
    return t;
}

type type_decimal(int precision, int scale)
{
    uint32_t width = precision <= 9 ? 4 : precision <= 18 ? 8 : precision <= 38 ? 16 : 32;
    return (type){.id = TYPE_DECIMAL,
                  .precision = (uint8_t)precision,
                  .scale = (int8_t)scale,
                  .width = width};
}

type type_timestamp(time_unit unit, bool utc)
{
    return (type){.id = TYPE_TIMESTAMP, .unit = unit, .utc = utc, .width = 8};
}

type type_time(time_unit unit, bool utc)
{
    return (type){.id = TYPE_TIME, .unit = unit, .utc = utc, .width = 8};
}

type type_duration(time_unit unit)
{
    return (type){.id = TYPE_DURATION, .unit = unit, .width = 8};
}

type type_interval(time_unit unit)
{
    return (type){.id = TYPE_INTERVAL, .unit = unit, .width = unit == UNIT_US ? 16 : 12};
}

type type_fixed(uint32_t width)
{
    return (type){.id = TYPE_FIXED, .width = width};
}

type type_nested(type_id id, const field *children, uint32_t n)
{
    type t = type_of(id);
    t.children = children;
    t.n_children = n;
    return t;
}

static bool children_equal(const type *a, const type *b)
{
    for (uint32_t i = 0; i < a->n_children; i++) {
        const field *x = &a->children[i], *y = &b->children[i];
        if (a->id == TYPE_STRUCT && strcmp(x->name, y->name) != 0)
            return false;
        if (!type_equal(&x->type, &y->type))
            return false;
    }
    return true;
}

bool type_equal(const type *a, const type *b)
{
    if (a->id != b->id || a->width != b->width || a->n_children != b->n_children)
        return false;
    if (a->n_children)
        return children_equal(a, b);
    switch (a->id) {
    case TYPE_DECIMAL: return a->precision == b->precision && a->scale == b->scale;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: return a->unit == b->unit && a->utc == b->utc;
    default: return true;
    }
}

/* ---- names ---- */

static const char *const names[] = {
    [TYPE_NULL] = "NULL",
    [TYPE_BOOL] = "BOOLEAN",
    [TYPE_INT8] = "TINYINT",
    [TYPE_INT16] = "SMALLINT",
    [TYPE_INT32] = "INTEGER",
    [TYPE_INT64] = "BIGINT",
    [TYPE_UINT8] = "UTINYINT",
    [TYPE_UINT16] = "USMALLINT",
    [TYPE_UINT32] = "UINTEGER",
    [TYPE_UINT64] = "UBIGINT",
    [TYPE_INT128] = "HUGEINT",
    [TYPE_UINT128] = "UHUGEINT",
    [TYPE_FLOAT16] = "FLOAT16",
    [TYPE_FLOAT32] = "FLOAT",
    [TYPE_FLOAT64] = "DOUBLE",
    [TYPE_DECIMAL] = "DECIMAL",
    [TYPE_DATE] = "DATE",
    [TYPE_TIME] = "TIME",
    [TYPE_TIMESTAMP] = "TIMESTAMP",
    [TYPE_DURATION] = "DURATION",
    [TYPE_INTERVAL] = "INTERVAL",
    [TYPE_UTF8] = "VARCHAR",
    [TYPE_BINARY] = "BLOB",
    [TYPE_FIXED] = "FIXED",
    [TYPE_UUID] = "UUID",
    [TYPE_JSON] = "JSON",
    [TYPE_BSON] = "BSON",
    [TYPE_ENUM] = "ENUM",
    [TYPE_LIST] = "LIST",
    [TYPE_STRUCT] = "STRUCT",
    [TYPE_MAP] = "MAP",
};

/* Microseconds are DuckDB's plain TIME and TIMESTAMP. */
static const char *unit_suffix(time_unit unit)
{
    switch (unit) {
    case UNIT_S: return "_S";
    case UNIT_MS: return "_MS";
    case UNIT_NS: return "_NS";
    default: return "";
    }
}

/* Text that may be cut: `len` counts all of it. */
typedef struct cut_text {
    char *out;
    size_t cap, len;
} cut_text;

static void put_char(cut_text *c, char x)
{
    if (c->len + 1 < c->cap) {
        c->out[c->len] = x;
        c->out[c->len + 1] = 0;
    }
    c->len++;
}

static void put(cut_text *c, const char *s)
{
    while (*s)
        put_char(c, *s++);
}

static bool is_plain_name(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    while (isalnum((unsigned char)*s) || *s == '_')
        s++;
    return *s == 0;
}

static void put_name(cut_text *c, const char *s)
{
    if (is_plain_name(s)) {
        put(c, s);
        return;
    }
    put_char(c, '"');
    for (; *s; s++) {
        if (*s == '"')
            put_char(c, '"');
        put_char(c, *s);
    }
    put_char(c, '"');
}

static void put_type(cut_text *c, const type *t)
{
    char flat[64];
    if (!type_is_nested(t)) {
        type_print(t, flat, sizeof flat);
        put(c, flat);
        return;
    }
    if (t->id == TYPE_LIST) {
        put_type(c, &t->children[0].type);
        put(c, "[]");
        return;
    }
    put(c, t->id == TYPE_MAP ? "MAP(" : "STRUCT(");
    for (uint32_t i = 0; i < t->n_children; i++) {
        put(c, i ? ", " : "");
        if (t->id == TYPE_STRUCT) {
            put_name(c, t->children[i].name);
            put_char(c, ' ');
        }
        put_type(c, &t->children[i].type);
    }
    put_char(c, ')');
}

size_t type_print(const type *t, char *out, size_t cap)
{
    int n;
    if (type_is_nested(t)) {
        cut_text c = {.out = out, .cap = cap};
        if (cap)
            out[0] = 0;
        put_type(&c, t);
        return c.len;
    }
    switch (t->id) {
    case TYPE_DECIMAL: n = snprintf(out, cap, "DECIMAL(%d,%d)", t->precision, t->scale); break;
    case TYPE_FIXED: n = snprintf(out, cap, "FIXED(%u)", t->width); break;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
        n = snprintf(out, cap, "%s%s%s", names[t->id], unit_suffix(t->unit),
                     t->utc ? " WITH TIME ZONE" : "");
        break;
    default: n = snprintf(out, cap, "%s", names[t->id]); break;
    }
    return n < 0 ? 0 : (size_t)n;
}

typedef struct synonym {
    const char *name;
    type type;
} synonym;

static const synonym synonyms[] = {
    {"null", {.id = TYPE_NULL}},
    {"boolean", {.id = TYPE_BOOL}},
    {"bool", {.id = TYPE_BOOL}},
    {"logical", {.id = TYPE_BOOL}},
    {"tinyint", {.id = TYPE_INT8}},
    {"int8", {.id = TYPE_INT8}},
    {"int1", {.id = TYPE_INT8}},
    {"smallint", {.id = TYPE_INT16}},
    {"int16", {.id = TYPE_INT16}},
    {"int2", {.id = TYPE_INT16}},
    {"short", {.id = TYPE_INT16}},
    {"integer", {.id = TYPE_INT32}},
    {"int", {.id = TYPE_INT32}},
    {"int32", {.id = TYPE_INT32}},
    {"int4", {.id = TYPE_INT32}},
    {"signed", {.id = TYPE_INT32}},
    {"bigint", {.id = TYPE_INT64}},
    {"int64", {.id = TYPE_INT64}},
    {"long", {.id = TYPE_INT64}},
    {"utinyint", {.id = TYPE_UINT8}},
    {"uint8", {.id = TYPE_UINT8}},
    {"usmallint", {.id = TYPE_UINT16}},
    {"uint16", {.id = TYPE_UINT16}},
    {"uinteger", {.id = TYPE_UINT32}},
    {"uint32", {.id = TYPE_UINT32}},
    {"ubigint", {.id = TYPE_UINT64}},
    {"uint64", {.id = TYPE_UINT64}},
    {"hugeint", {.id = TYPE_INT128}},
    {"int128", {.id = TYPE_INT128}},
    {"uhugeint", {.id = TYPE_UINT128}},
    {"uint128", {.id = TYPE_UINT128}},
    {"float16", {.id = TYPE_FLOAT16}},
    {"halffloat", {.id = TYPE_FLOAT16}},
    {"half", {.id = TYPE_FLOAT16}},
    {"float", {.id = TYPE_FLOAT32}},
    {"float4", {.id = TYPE_FLOAT32}},
    {"float32", {.id = TYPE_FLOAT32}},
    {"real", {.id = TYPE_FLOAT32}},
    {"double", {.id = TYPE_FLOAT64}},
    {"float8", {.id = TYPE_FLOAT64}},
    {"float64", {.id = TYPE_FLOAT64}},
    {"double precision", {.id = TYPE_FLOAT64}},
    {"decimal", {.id = TYPE_DECIMAL}},
    {"numeric", {.id = TYPE_DECIMAL}},
    {"dec", {.id = TYPE_DECIMAL}},
    {"date", {.id = TYPE_DATE}},
    {"date32", {.id = TYPE_DATE}},
    {"date32[day]", {.id = TYPE_DATE}},
    {"time", {.id = TYPE_TIME, .unit = UNIT_US}},
    {"time_ms", {.id = TYPE_TIME, .unit = UNIT_MS}},
    {"time_ns", {.id = TYPE_TIME, .unit = UNIT_NS}},
    {"time32[s]", {.id = TYPE_TIME, .unit = UNIT_S}},
    {"time_s", {.id = TYPE_TIME, .unit = UNIT_S}},
    {"time32[ms]", {.id = TYPE_TIME, .unit = UNIT_MS}},
    {"time64[us]", {.id = TYPE_TIME, .unit = UNIT_US}},
    {"time64[ns]", {.id = TYPE_TIME, .unit = UNIT_NS}},
    {"timetz", {.id = TYPE_TIME, .unit = UNIT_US, .utc = true}},
    {"timestamp", {.id = TYPE_TIMESTAMP, .unit = UNIT_US}},
    {"datetime", {.id = TYPE_TIMESTAMP, .unit = UNIT_US}},
    {"timestamp_us", {.id = TYPE_TIMESTAMP, .unit = UNIT_US}},
    {"timestamp_s", {.id = TYPE_TIMESTAMP, .unit = UNIT_S}},
    {"timestamp_ms", {.id = TYPE_TIMESTAMP, .unit = UNIT_MS}},
    {"timestamp_ns", {.id = TYPE_TIMESTAMP, .unit = UNIT_NS}},
    {"timestamp[s]", {.id = TYPE_TIMESTAMP, .unit = UNIT_S}},
    {"timestamp[ms]", {.id = TYPE_TIMESTAMP, .unit = UNIT_MS}},
    {"timestamp[us]", {.id = TYPE_TIMESTAMP, .unit = UNIT_US}},
    {"timestamp[ns]", {.id = TYPE_TIMESTAMP, .unit = UNIT_NS}},
    {"timestamptz", {.id = TYPE_TIMESTAMP, .unit = UNIT_US, .utc = true}},
    {"timestamp[s,tz=utc]", {.id = TYPE_TIMESTAMP, .unit = UNIT_S, .utc = true}},
    {"timestamp[ms,tz=utc]", {.id = TYPE_TIMESTAMP, .unit = UNIT_MS, .utc = true}},
    {"timestamp[us,tz=utc]", {.id = TYPE_TIMESTAMP, .unit = UNIT_US, .utc = true}},
    {"timestamp[ns,tz=utc]", {.id = TYPE_TIMESTAMP, .unit = UNIT_NS, .utc = true}},
    {"duration", {.id = TYPE_DURATION, .unit = UNIT_US}},
    {"duration_s", {.id = TYPE_DURATION, .unit = UNIT_S}},
    {"duration_ms", {.id = TYPE_DURATION, .unit = UNIT_MS}},
    {"duration_ns", {.id = TYPE_DURATION, .unit = UNIT_NS}},
    {"duration[s]", {.id = TYPE_DURATION, .unit = UNIT_S}},
    {"duration[ms]", {.id = TYPE_DURATION, .unit = UNIT_MS}},
    {"duration[us]", {.id = TYPE_DURATION, .unit = UNIT_US}},
    {"duration[ns]", {.id = TYPE_DURATION, .unit = UNIT_NS}},
    {"interval", {.id = TYPE_INTERVAL}},
    {"varchar", {.id = TYPE_UTF8}},
    {"string", {.id = TYPE_UTF8}},
    {"text", {.id = TYPE_UTF8}},
    {"char", {.id = TYPE_UTF8}},
    {"bpchar", {.id = TYPE_UTF8}},
    {"utf8", {.id = TYPE_UTF8}},
    {"large_string", {.id = TYPE_UTF8}},
    {"string_view", {.id = TYPE_UTF8}},
    {"blob", {.id = TYPE_BINARY}},
    {"bytea", {.id = TYPE_BINARY}},
    {"binary", {.id = TYPE_BINARY}},
    {"varbinary", {.id = TYPE_BINARY}},
    {"large_binary", {.id = TYPE_BINARY}},
    {"binary_view", {.id = TYPE_BINARY}},
    {"uuid", {.id = TYPE_UUID}},
    {"guid", {.id = TYPE_UUID}},
    {"json", {.id = TYPE_JSON}},
    {"bson", {.id = TYPE_BSON}},
    {"enum", {.id = TYPE_ENUM}},
};

#define NAME_MAX_LEN 63

/* Lower case, runs of blanks as one, none beside brackets and commas. False: too long. */
static bool normalise(const char *text, char out[NAME_MAX_LEN + 1])
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        char c = (char)tolower((unsigned char)*p);
        if (isspace((unsigned char)c)) {
            char next = p[1];
            if (n == 0 || strchr(" ([,", out[n - 1]) || !next || strchr(" \t\n\r()[],", next))
                continue;
            c = ' ';
        }
        if (n == NAME_MAX_LEN)
            return false;
        out[n++] = c;
    }
    out[n] = 0;
    return true;
}

/* "(a)", "(a,b)" or the same in square brackets; returns how many numbers, -1 where malformed. */
static int arguments(const char *p, int *a, int *b)
{
    char close = *p == '(' ? ')' : *p == '[' ? ']' : 0;
    int used = 0;
    if (!close)
        return -1;
    if (sscanf(p + 1, "%9d%n", a, &used) != 1)
        return -1;
    p += 1 + used;
    int n = 1;
    if (*p == ',') {
        if (sscanf(p + 1, "%9d%n", b, &used) != 1)
            return -1;
        p += 1 + used;
        n = 2;
    }
    return *p == close && p[1] == 0 ? n : -1;
}

static nrw_status parse_decimal(const char *text, const char *args, type *out, nrw_error *err)
{
    int precision = 18, scale = 0;
    if (arguments(args, &precision, &scale) < 0)
        return err_set(err, NRW_E_ARG, "%s is not understood as a type", text);
    if (precision < 1 || precision > 76)
        return err_set(err, NRW_E_ARG, "%s: a precision is 1 to 76", text);
    if (scale < 0 || scale > precision)
        return err_set(err, NRW_E_ARG, "%s: a scale is 0 to the precision", text);
    *out = type_decimal(precision, scale);
    return NRW_OK;
}

static bool has_prefix(const char *s, const char *prefix, const char **rest)
{
    size_t n = strlen(prefix);
    if (strncmp(s, prefix, n) != 0)
        return false;
    *rest = s + n;
    return **rest == '(' || **rest == '[';
}

nrw_status type_parse(const char *text, type *out, nrw_error *err)
{
    char name[NAME_MAX_LEN + 1];
    const char *rest;
    int a = 0, b = 0;
    bool zone = false;

    *out = (type){0};
    if (!normalise(text, name))
        return err_set(err, NRW_E_ARG, "%.64s... is not understood as a type", text);
    static const char *const decimals[] = {"decimal",   "numeric",    "dec",       "decimal32",
                                           "decimal64", "decimal128", "decimal256"};
    for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++)
        if (has_prefix(name, decimals[i], &rest))
            return parse_decimal(text, rest, out, err);
    if ((has_prefix(name, "fixed", &rest) || has_prefix(name, "fixed_size_binary", &rest)) &&
        arguments(rest, &a, &b) == 1 && a > 0) {
        *out = type_fixed((uint32_t)a);
        return NRW_OK;
    }
    /* A length of text means nothing, as in DuckDB. */
    if ((has_prefix(name, "varchar", &rest) || has_prefix(name, "char", &rest)) &&
        arguments(rest, &a, &b) == 1) {
        *out = type_of(TYPE_UTF8);
        return NRW_OK;
    }
    char *suffix = strstr(name, " with time zone");
    if (suffix && strncmp(name, "time", 4) == 0 && !suffix[15]) {
        *suffix = 0;
        zone = true;
    }
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (strcmp(name, synonyms[i].name) != 0)
            continue;
        type t = type_of(synonyms[i].type.id);
        if (t.unit)
            t.unit = synonyms[i].type.unit;
        t.utc = synonyms[i].type.utc || zone;
        *out = t;
        return NRW_OK;
    }
    return err_set(err, NRW_E_ARG, "%s is not understood as a type", text);
}
