/* JSON to types. Named types are found again by their full names; a type is listed before its
 * fields are read, so that it may contain itself. */
#include "format/avro/schema.h"

#include "base/hash.h"
#include "format/avro/json_tree.h"

#include <stdio.h>

#define BUCKETS   1024
#define NAME_MAX_ 1000

typedef struct named {
    const char *name;
    av_type *type;
    struct named *next;
} named;

typedef struct parser {
    arena *a;
    named *buckets[BUCKETS];
} parser;

static const char *const kinds[] = {"null",   "boolean", "int",    "long",   "float",
                                    "double", "bytes",   "string", "record", "enum",
                                    "array",  "map",     "fixed",  "union"};

const char *av_kind_name(av_kind kind)
{
    return kinds[kind];
}

static nrw_status parse_type(parser *p, const json_node *j, const char *space, const av_type **out,
                             nrw_error *err);

static named **bucket(parser *p, const char *name)
{
    return &p->buckets[hash_bytes(name, strlen(name)) % BUCKETS];
}

static av_type *find(parser *p, const char *name)
{
    for (const named *n = *bucket(p, name); n; n = n->next)
        if (strcmp(n->name, name) == 0)
            return n->type;
    return NULL;
}

static nrw_status list(parser *p, av_type *t, nrw_error *err)
{
    named **b = bucket(p, t->name), *n;

    if (find(p, t->name))
        return err_set(err, NRW_E_CORRUPT, "the schema defines %.200s twice", t->name);
    TRY(arena_alloc(p->a, sizeof *n, (void **)&n, err));
    *n = (named){t->name, t, *b};
    *b = n;
    return NRW_OK;
}

static nrw_status join_names(parser *p, const char *space, const char *name, const char **out,
                             nrw_error *err)
{
    size_t n = strlen(space) + strlen(name) + 2;
    void *text;

    TRY(arena_alloc(p->a, n, &text, err));
    snprintf(text, n, "%s.%s", space, name);
    *out = text;
    return NRW_OK;
}

/* "Names": a dot makes a full name; else the namespace is put in front. */
static nrw_status full_name(parser *p, const json_node *j, const char *around, const char **name,
                            const char **space, nrw_error *err)
{
    const char *own = json_member_text(j, "name"), *dot;
    char *text;

    if (!own || !*own || strlen(own) > NAME_MAX_)
        return err_set(err, NRW_E_CORRUPT, "a %.40s of the schema has no name",
                       json_member_text(j, "type"));
    *name = own;
    dot = strrchr(own, '.');
    if (dot) {
        TRY(arena_strndup(p->a, own, (size_t)(dot - own), &text, err));
        *space = text;
        return NRW_OK;
    }
    *space = json_member_text(j, "namespace");
    if (!*space)
        *space = around;
    if (strlen(*space) > NAME_MAX_)
        return err_set(err, NRW_E_UNSUPPORTED, "the schema has a name of more than %d bytes",
                       NAME_MAX_);
    return **space ? join_names(p, *space, own, name, err) : NRW_OK;
}

static uint32_t count(const json_node *list)
{
    uint32_t n = 0;

    for (const json_node *c = list->first; c; c = c->next)
        n++;
    return n;
}

static nrw_status room(parser *p, av_type *t, uint32_t n, const char ***names,
                       const av_type ***types, nrw_error *err)
{
    t->n = n;
    if (names) {
        TRY(arena_alloc(p->a, n * sizeof **names + 1, (void **)names, err));
        t->names = *names;
    }
    if (types) {
        TRY(arena_alloc(p->a, n * sizeof **types + 1, (void **)types, err));
        t->types = *types;
    }
    return NRW_OK;
}

static nrw_status parse_record(parser *p, const json_node *j, const char *space, av_type *t,
                               nrw_error *err)
{
    const json_node *fields = json_member(j, "fields");
    const json_node **more;
    const av_type **types;
    const char **names;
    uint32_t i = 0;

    if (!fields || fields->kind != JSON_ARRAY)
        return err_set(err, NRW_E_CORRUPT, "record %.200s of the schema has no fields", t->name);
    TRY(room(p, t, count(fields), &names, &types, err));
    TRY(arena_alloc(p->a, 2 * t->n * sizeof *more + 1, (void **)&more, err));
    t->f_aliases = more;
    t->defaults = more + t->n;
    for (const json_node *f = fields->first; f; f = f->next, i++) {
        names[i] = json_member_text(f, "name");
        if (!names[i])
            return err_set(err, NRW_E_CORRUPT, "field %u of record %.200s has no name", i + 1,
                           t->name);
        if (!json_member(f, "type"))
            return err_set(err, NRW_E_CORRUPT, "field %.100s of record %.200s has no type",
                           names[i], t->name);
        more[i] = json_member(f, "aliases");
        more[t->n + i] = json_member(f, "default");
        TRY(parse_type(p, json_member(f, "type"), space, &types[i], err));
    }
    return NRW_OK;
}

static nrw_status parse_enum(parser *p, const json_node *j, av_type *t, nrw_error *err)
{
    const json_node *symbols = json_member(j, "symbols");
    const char **names;
    uint32_t i = 0;

    if (!symbols || symbols->kind != JSON_ARRAY || !symbols->first)
        return err_set(err, NRW_E_CORRUPT, "enum %.200s of the schema has no symbols", t->name);
    TRY(room(p, t, count(symbols), &names, NULL, err));
    for (const json_node *s = symbols->first; s; s = s->next) {
        if (s->kind != JSON_STRING)
            return err_set(err, NRW_E_CORRUPT, "a symbol of enum %.200s is not a string", t->name);
        names[i++] = s->text;
    }
    return NRW_OK;
}

static nrw_status parse_fixed(const json_node *j, av_type *t, nrw_error *err)
{
    int64_t size;

    if (!json_whole(json_member(j, "size"), &size) || size < 0)
        return err_set(err, NRW_E_CORRUPT, "fixed %.200s of the schema has no size", t->name);
    if (size == 0 || size > INT32_MAX / 2)
        return err_set(err, NRW_E_UNSUPPORTED, "fixed %.200s of %lld bytes cannot be read", t->name,
                       (long long)size);
    t->size = (uint32_t)size;
    return NRW_OK;
}

static nrw_status parse_named(parser *p, const json_node *j, const char *around, av_type *t,
                              nrw_error *err)
{
    const char *space = "";

    TRY(full_name(p, j, around, &t->name, &space, err));
    TRY(list(p, t, err));
    t->aliases = json_member(j, "aliases");
    t->symbol = t->kind == AV_ENUM ? json_member_text(j, "default") : NULL;
    switch (t->kind) {
    case AV_RECORD: return parse_record(p, j, space, t, err);
    case AV_ENUM: return parse_enum(p, j, t, err);
    default: return parse_fixed(j, t, err);
    }
}

static nrw_status parse_items(parser *p, const json_node *j, const char *space, av_type *t,
                              nrw_error *err)
{
    const char *key = t->kind == AV_ARRAY ? "items" : "values";
    const av_type **types;

    if (!json_member(j, key))
        return err_set(err, NRW_E_CORRUPT, "a%s of the schema does not say its %s",
                       t->kind == AV_ARRAY ? "n array" : " map", key);
    TRY(room(p, t, 1, NULL, &types, err));
    return parse_type(p, json_member(j, key), space, &types[0], err);
}

/* "Unions": no union directly inside, and no kind twice but the named ones. */
static nrw_status check_branches(const av_type *t, nrw_error *err)
{
    uint32_t seen = 0;

    if (t->n == 0)
        return err_set(err, NRW_E_CORRUPT, "the schema has a union without branches");
    for (uint32_t i = 0; i < t->n; i++) {
        const av_type *b = t->types[i];
        bool has_name = b->kind == AV_RECORD || b->kind == AV_ENUM || b->kind == AV_FIXED;
        if (b->kind == AV_UNION)
            return err_set(err, NRW_E_CORRUPT, "the schema has a union directly in a union");
        if (!has_name && seen >> b->kind & 1)
            return err_set(err, NRW_E_CORRUPT, "the schema has a union with %s twice",
                           kinds[b->kind]);
        if (!has_name)
            seen |= 1u << b->kind;
    }
    return NRW_OK;
}

static nrw_status new_type(parser *p, av_kind kind, av_type **out, nrw_error *err)
{
    TRY(arena_alloc(p->a, sizeof **out, (void **)out, err));
    (*out)->kind = kind;
    (*out)->name = kinds[kind];
    return NRW_OK;
}

static nrw_status parse_union(parser *p, const json_node *j, const char *space, const av_type **out,
                              nrw_error *err)
{
    const av_type **types;
    uint32_t i = 0;
    av_type *t;

    TRY(new_type(p, AV_UNION, &t, err));
    TRY(room(p, t, count(j), NULL, &types, err));
    for (const json_node *b = j->first; b; b = b->next)
        TRY(parse_type(p, b, space, &types[i++], err));
    *out = t;
    return check_branches(t, err);
}

/* ---- logical types ---- */

/* A precision that a fixed of `size` bytes may have: floor(log10(2^(8 n - 1) - 1)). */
static int fixed_digits(uint32_t size)
{
    return size > 40 ? 96 : (int)((8.0 * size - 1) * 0.30102999566398119521);
}

static bool set_decimal(const json_node *j, av_type *t)
{
    int64_t precision, scale = 0;

    if (t->kind != AV_BYTES && t->kind != AV_FIXED)
        return false;
    if (!json_whole(json_member(j, "precision"), &precision) || precision < 1 || precision > 76)
        return false;
    if (json_member(j, "scale") && !json_whole(json_member(j, "scale"), &scale))
        return false;
    if (scale < 0 || scale > precision ||
        (t->kind == AV_FIXED && precision > fixed_digits(t->size)))
        return false;
    t->precision = (uint8_t)precision;
    t->scale = (int8_t)scale;
    return true;
}

static const struct {
    const char *name;
    av_kind kind;
    av_logical logical;
    time_unit unit;
    bool utc;
} logicals[] = {
    {"big-decimal", AV_BYTES, AV_BIG_DECIMAL, UNIT_NONE, false},
    {"uuid", AV_STRING, AV_UUID, UNIT_NONE, false},
    {"uuid", AV_FIXED, AV_UUID, UNIT_NONE, false},
    {"date", AV_INT, AV_DATE, UNIT_NONE, false},
    {"time-millis", AV_INT, AV_TIME, UNIT_MS, false},
    {"time-micros", AV_LONG, AV_TIME, UNIT_US, false},
    {"timestamp-millis", AV_LONG, AV_TIMESTAMP, UNIT_MS, true},
    {"timestamp-micros", AV_LONG, AV_TIMESTAMP, UNIT_US, true},
    {"timestamp-nanos", AV_LONG, AV_TIMESTAMP, UNIT_NS, true},
    {"local-timestamp-millis", AV_LONG, AV_TIMESTAMP, UNIT_MS, false},
    {"local-timestamp-micros", AV_LONG, AV_TIMESTAMP, UNIT_US, false},
    {"local-timestamp-nanos", AV_LONG, AV_TIMESTAMP, UNIT_NS, false},
    {"map", AV_ARRAY, AV_ENTRIES, UNIT_NONE, false},
    {"duration", AV_FIXED, AV_DURATION, UNIT_NONE, false},
};

/* "Logical Types": what is not known, or does not go with its type, is not there. */
static void set_logical(const json_node *j, av_type *t)
{
    const char *name = json_member_text(j, "logicalType");

    if (!name)
        return;
    t->spelled = name;
    if (strcmp(name, "decimal") == 0 && set_decimal(j, t))
        t->logical = AV_DECIMAL;
    for (size_t i = 0; i < sizeof logicals / sizeof *logicals; i++) {
        if (strcmp(name, logicals[i].name) != 0 || logicals[i].kind != t->kind ||
            (t->kind == AV_FIXED && t->size != (logicals[i].logical == AV_UUID ? 16 : 12)))
            continue;
        t->logical = logicals[i].logical;
        t->unit = logicals[i].unit;
        t->utc = logicals[i].utc;
    }
}

/* ---- a type ---- */

static nrw_status parse_reference(parser *p, const char *name, const char *space,
                                  const av_type **out, nrw_error *err)
{
    const char *full = name;
    av_type *t = NULL;

    if (*space && !strchr(name, '.') && strlen(name) <= NAME_MAX_) {
        TRY(join_names(p, space, name, &full, err));
        t = find(p, full);
    }
    if (!t)
        t = find(p, name);
    *out = t;
    return t ? NRW_OK
             : err_set(err, NRW_E_CORRUPT, "the schema does not define the type %.200s", name);
}

static int kind_of(const char *name)
{
    for (int k = AV_NULL; k < AV_UNION; k++)
        if (strcmp(name, kinds[k]) == 0)
            return k;
    return strcmp(name, "error") == 0 ? AV_RECORD : -1;
}

static nrw_status parse_object(parser *p, const json_node *j, const char *space,
                               const av_type **out, nrw_error *err)
{
    const json_node *type = json_member(j, "type");
    av_type *t;
    int kind;

    if (!type)
        return err_set(err, NRW_E_CORRUPT, "a type of the schema does not say what it is");
    kind = type->kind == JSON_STRING ? kind_of(type->text) : -1;
    if (kind < 0)
        return parse_type(p, type, space, out, err);
    TRY(new_type(p, (av_kind)kind, &t, err));
    *out = t;
    if (kind == AV_RECORD || kind == AV_ENUM || kind == AV_FIXED)
        TRY(parse_named(p, j, space, t, err));
    else if (kind == AV_ARRAY || kind == AV_MAP)
        TRY(parse_items(p, j, space, t, err));
    set_logical(j, t);
    return NRW_OK;
}

static nrw_status parse_type(parser *p, const json_node *j, const char *space, const av_type **out,
                             nrw_error *err)
{
    av_type *t;
    int kind;

    *out = NULL;
    if (j->kind == JSON_ARRAY)
        return parse_union(p, j, space, out, err);
    if (j->kind == JSON_OBJECT)
        return parse_object(p, j, space, out, err);
    if (j->kind != JSON_STRING)
        return err_set(err, NRW_E_CORRUPT, "a type of the schema is neither name, list nor object");
    kind = kind_of(j->text);
    if (kind < 0 || kind > AV_STRING)
        return parse_reference(p, j->text, space, out, err);
    TRY(new_type(p, (av_kind)kind, &t, err));
    *out = t;
    return NRW_OK;
}

nrw_status av_schema_parse(arena *a, span text, const av_type **out, nrw_error *err)
{
    parser *p;
    const json_node *root;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *p, (void **)&p, err));
    p->a = a;
    TRY(json_tree_parse(a, text, &root, err));
    return parse_type(p, root, "", out, err);
}
