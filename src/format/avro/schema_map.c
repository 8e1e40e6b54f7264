/* Types to columns. A named type is spelled out wherever it is used, so the tree may be much larger
 * than the schema: its nodes are counted. */
#include "format/avro/schema.h"

#include <stdio.h>

#define MOST_NODES 65536
#define MOST_DEEP  64

/* The types that the node at hand lies in. */
typedef struct around {
    const av_type *type;
    const struct around *outer;
} around;

typedef struct mapper {
    arena *a;
    uint32_t nodes, parts;
} mapper;

static nrw_status map_type(mapper *m, const char *name, const av_type *t, const around *in,
                           av_node *out, nrw_error *err);

static nrw_status new_children(mapper *m, uint32_t n, av_node *out, nrw_error *err)
{
    void *p;

    if (n > MOST_NODES - m->nodes)
        return err_set(err, NRW_E_UNSUPPORTED,
                       "the schema has more than %d fields where its types are spelled out",
                       MOST_NODES);
    TRY(arena_alloc(m->a, n * sizeof(av_node) + 1, &p, err));
    out->children = p;
    out->n = n;
    for (uint32_t i = 0; i < n; i++)
        out->children[i].id = m->nodes++;
    return NRW_OK;
}

/* The type of a nested node once its children are there. */
static nrw_status set_nested(mapper *m, type_id id, av_node *out, nrw_error *err)
{
    field *fields;

    TRY(arena_alloc(m->a, out->n * sizeof *fields + 1, (void **)&fields, err));
    for (uint32_t i = 0; i < out->n; i++)
        fields[i] = out->children[i].field;
    out->field.type = type_nested(id, fields, out->n);
    return NRW_OK;
}

static nrw_status map_record(mapper *m, const av_type *t, const around *in, av_node *out,
                             nrw_error *err)
{
    TRY(new_children(m, t->n, out, err));
    for (uint32_t i = 0; i < t->n; i++)
        TRY(map_type(m, t->names[i], t->types[i], in, &out->children[i], err));
    return set_nested(m, TYPE_STRUCT, out, err);
}

/* The record of an array that is a map. Avro's own maps have text as keys; others are written so by
 * convention. */
static const av_type *entry_of(const av_type *t, const around *in)
{
    const av_type *entry = t->types[0];

    if (t->logical != AV_ENTRIES || entry->kind != AV_RECORD || entry->n != 2 ||
        strcmp(entry->names[0], "key") != 0 || strcmp(entry->names[1], "value") != 0 ||
        entry->types[0]->kind == AV_UNION || entry->types[0]->kind == AV_NULL)
        return NULL;
    for (const around *a = in; a; a = a->outer)
        if (a->type == entry)
            return NULL;
    return entry;
}

static nrw_status map_list(mapper *m, const av_type *t, const around *in, av_node *out,
                           nrw_error *err)
{
    const av_type *entry = entry_of(t, in);
    const around level = {entry, in};

    if (entry) {
        TRY(new_children(m, 2, out, err));
        for (int i = 0; i < 2; i++)
            TRY(map_type(m, entry->names[i], entry->types[i], &level, &out->children[i], err));
        return set_nested(m, TYPE_MAP, out, err);
    }
    TRY(new_children(m, 1, out, err));
    TRY(map_type(m, "element", t->types[0], in, &out->children[0], err));
    return set_nested(m, TYPE_LIST, out, err);
}

static nrw_status map_map(mapper *m, const av_type *t, const around *in, av_node *out,
                          nrw_error *err)
{
    static const av_type key = {.kind = AV_STRING, .name = "string"};

    TRY(new_children(m, 2, out, err));
    TRY(map_type(m, "key", &key, in, &out->children[0], err));
    TRY(map_type(m, "value", t->types[0], in, &out->children[1], err));
    return set_nested(m, TYPE_MAP, out, err);
}

type av_leaf_type(const av_type *t)
{
    switch (t->logical) {
    case AV_PLAIN:
    case AV_ENTRIES: break;
    case AV_DECIMAL: return type_decimal(t->precision, t->scale);
    case AV_BIG_DECIMAL: return type_of(TYPE_UTF8);
    case AV_UUID: return type_of(TYPE_UUID);
    case AV_DATE: return type_of(TYPE_DATE);
    case AV_TIME: return type_time(t->unit, false);
    case AV_TIMESTAMP: return type_timestamp(t->unit, t->utc);
    case AV_DURATION: return type_of(TYPE_INTERVAL);
    }
    switch (t->kind) {
    case AV_BOOLEAN: return type_of(TYPE_BOOL);
    case AV_INT: return type_of(TYPE_INT32);
    case AV_LONG: return type_of(TYPE_INT64);
    case AV_FLOAT: return type_of(TYPE_FLOAT32);
    case AV_DOUBLE: return type_of(TYPE_FLOAT64);
    case AV_BYTES: return type_of(TYPE_BINARY);
    case AV_STRING: return type_of(TYPE_UTF8);
    case AV_ENUM: return type_of(TYPE_ENUM);
    case AV_FIXED: return type_fixed(t->size);
    default: return type_of(TYPE_NULL);
    }
}

/* ---- unions ---- */

static uint32_t null_of(const av_type *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (t->types[i]->kind == AV_NULL)
            return i;
    return UINT32_MAX;
}

const char *av_last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot + 1 : name;
}

/* A branch is called by its type: the last part of the name, where that is one branch's alone. */
static const char *branch_name(const av_type *t, uint32_t i)
{
    const char *name = av_last_part(t->types[i]->name);

    for (uint32_t k = 0; k < t->n; k++)
        if (k != i && strcmp(av_last_part(t->types[k]->name), name) == 0)
            return t->types[i]->name;
    return name;
}

static nrw_status map_branches(mapper *m, const av_type *t, const around *in, av_node *out,
                               nrw_error *err)
{
    uint32_t null = null_of(t), n = 0;

    out->null_in = null;
    out->field.nullable = null != UINT32_MAX;
    TRY(new_children(m, t->n - (null != UINT32_MAX), out, err));
    for (uint32_t i = 0; i < t->n; i++) {
        if (i == null)
            continue;
        TRY(map_type(m, branch_name(t, i), t->types[i], in, &out->children[n], err));
        out->children[n++].field.nullable = true;
    }
    return set_nested(m, TYPE_STRUCT, out, err);
}

/* Null and one other, or one alone: that one. */
static const av_type *unwrap(const av_type *t, av_node *out)
{
    uint32_t null;

    out->null_branch = UINT32_MAX;
    if (t->kind != AV_UNION)
        return t;
    null = null_of(t);
    if (t->n - (null != UINT32_MAX) > 1)
        return t;
    out->outer = t;
    if (t->n == 1)
        return t->types[0];
    out->null_branch = null;
    out->field.nullable = true;
    return t->types[1 - null];
}

static nrw_status map_type(mapper *m, const char *name, const av_type *t, const around *in,
                           av_node *out, nrw_error *err)
{
    const around here = {NULL, in};
    around level = here;
    uint32_t depth = 0;

    out->field = (field){.name = name, .field_id = -1};
    out->place = UINT32_MAX;
    t = out->type = unwrap(t, out);
    for (const around *a = in; a; a = a->outer, depth++)
        out->repeats |= a->type == t;
    if (depth > MOST_DEEP)
        return err_set(err, NRW_E_UNSUPPORTED, "the schema nests values more than %d deep",
                       MOST_DEEP);
    level.type = t;
    if (out->repeats) {
        out->field.type = type_of(TYPE_JSON);
        return NRW_OK;
    }
    switch (t->kind) {
    case AV_RECORD: return map_record(m, t, &level, out, err);
    case AV_ARRAY: return map_list(m, t, &level, out, err);
    case AV_MAP: return map_map(m, t, &level, out, err);
    case AV_UNION: return map_branches(m, t, &level, out, err);
    default: break;
    }
    out->field.type = av_leaf_type(t);
    if (out->field.type.id == TYPE_NULL)
        out->field.nullable = true;
    return NRW_OK;
}

/* ---- parts ---- */

static uint32_t count_parts(const av_node *n)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; n->field.type.id == TYPE_STRUCT && i < n->n; i++)
        sum += 1 + count_parts(&n->children[i]);
    return sum;
}

typedef struct parts {
    arena *a;
    av_columns *to;
    const char **paths;
    uint32_t n;
} parts;

static nrw_status add_parts(parts *p, const char *path, bool nullable, av_node *n, nrw_error *err)
{
    if (n->field.type.id != TYPE_STRUCT)
        return NRW_OK;
    for (uint32_t i = 0; i < n->n; i++) {
        av_node *child = &n->children[i];
        size_t len = strlen(path) + strlen(child->field.name) + 2;
        uint32_t at = p->to->schema.n_fields + p->n;
        void *text;
        TRY(arena_alloc(p->a, len, &text, err));
        snprintf(text, len, "%s.%s", path, child->field.name);
        p->paths[p->n++] = text;
        p->to->nodes[at] = child;
        child->place = at;
        p->to->schema.fields[at] = child->field;
        p->to->schema.fields[at].nullable |= nullable;
        TRY(add_parts(p, text, nullable || child->field.nullable, child, err));
    }
    return NRW_OK;
}

nrw_status av_columns_make(arena *a, const av_type *t, av_columns *out, nrw_error *err)
{
    mapper m = {.a = a};
    av_node top = {0};
    uint32_t n_parts = 0;
    parts p = {.a = a, .to = out};
    schema s;

    *out = (av_columns){.record = t->kind == AV_RECORD, .type = t};
    TRY(new_children(&m, out->record ? t->n : 1, &top, err));
    for (uint32_t i = 0; i < top.n; i++) {
        const around in = {t, NULL};
        TRY(map_type(&m, out->record ? t->names[i] : "value", out->record ? t->types[i] : t,
                     out->record ? &in : NULL, &top.children[i], err));
        n_parts += count_parts(&top.children[i]);
    }
    out->tops = top.children;
    out->n_nodes = m.nodes;
    TRY(schema_new(a, top.n + n_parts, &s, err));
    s.n_fields = top.n;
    s.n_parts = n_parts;
    TRY(arena_alloc(a, n_parts * sizeof *p.paths + 1, (void **)&p.paths, err));
    s.part_paths = p.paths;
    out->schema = s;
    TRY(arena_alloc(a, (top.n + n_parts) * sizeof *out->nodes + 1, (void **)&out->nodes, err));
    for (uint32_t i = 0; i < top.n; i++) {
        out->nodes[i] = &top.children[i];
        top.children[i].place = i;
        out->schema.fields[i] = top.children[i].field;
    }
    for (uint32_t i = 0; i < top.n; i++)
        TRY(add_parts(&p, top.children[i].field.name, top.children[i].field.nullable,
                      &top.children[i], err));
    return NRW_OK;
}

/* ---- sizes ---- */

static uint32_t least_of_kind(const av_node *n)
{
    uint64_t sum = 0;

    switch (n->type->kind) {
    case AV_NULL: return 0;
    case AV_FLOAT: return 4;
    case AV_DOUBLE: return 8;
    case AV_FIXED: return n->type->size;
    case AV_RECORD:
        for (uint32_t i = 0; !n->repeats && i < n->n; i++)
            sum += av_least_bytes(&n->children[i]);
        return sum > 1u << 30 ? 1u << 30 : (uint32_t)sum;
    default: return 1;
    }
}

uint32_t av_least_bytes(const av_node *n)
{
    if (n->outer)
        return n->null_branch != UINT32_MAX ? 1 : 1 + least_of_kind(n);
    return least_of_kind(n);
}
