/* The schema's elements as columns: LogicalTypes.md, "Nested Types", with its rules of backward
 * compatibility for lists of two levels and of other shapes. Depth is bounded (meta_schema.c), so
 * the tree is walked by recursion. */
#include "column/note.h"
#include "format/parquet/meta_priv.h"

typedef struct maker {
    pq_meta *p;
    uint32_t at;   /* the next element */
    uint32_t leaf; /* and the next leaf */
} maker;

/* Levels outside of a node. */
typedef struct levels_at {
    uint8_t def, rep;
} levels_at;

/* `like` is the field as ARROW:schema has it; NULL: it says nothing. */
static nrw_status make(maker *k, const field *like, levels_at in, pq_node *out, nrw_error *err);
static nrw_status make_one(maker *k, const field *like, bool nullable, levels_at in, pq_node *out,
                           nrw_error *err);

/* Child i of `n`; names count where they are known to be the same in both. */
static const field *child_like(const field *like, type_id id, uint32_t n, uint32_t i,
                               const char *name)
{
    const field *child;
    if (!like || like->type.id != id || like->type.n_children != n)
        return NULL;
    child = &like->type.children[i];
    return name && strcmp(child->name, name) != 0 ? NULL : child;
}

static nrw_status new_children(maker *k, uint32_t n, pq_node **out, nrw_error *err)
{
    void *nodes;
    TRY(arena_alloc(k->p->a, n * sizeof(pq_node) + 1, &nodes, err));
    *out = nodes;
    return NRW_OK;
}

/* The children are made: the type follows from theirs. */
static nrw_status end_node(arena *a, pq_node *node, type_id id, pq_node *children, uint32_t n,
                           nrw_error *err)
{
    void *fields;
    TRY(arena_alloc(a, n * sizeof(field) + 1, &fields, err));
    node->children = children;
    node->n_children = n;
    for (uint32_t i = 0; i < n; i++) {
        ((field *)fields)[i] = children[i].field;
        node->no_leaf |= children[i].no_leaf;
        node->n_leaves += children[i].n_leaves;
    }
    if (n)
        node->first_leaf = children[0].first_leaf;
    node->field.type = type_nested(id, fields, n);
    return NRW_OK;
}

static nrw_status make_struct(maker *k, const pq_element *e, const field *like, levels_at in,
                              pq_node *out, nrw_error *err)
{
    uint32_t n = (uint32_t)e->n_children;
    pq_node *children;
    TRY(new_children(k, n, &children, err));
    out->no_leaf = n == 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *name = k->p->nodes[k->at].name;
        TRY(make(k, child_like(like, TYPE_STRUCT, n, i, name), in, &children[i], err));
    }
    return end_node(k->p->a, out, TYPE_STRUCT, children, n, err);
}

/* Whether the repeated element is what the list holds, not a wrapper around it. */
static bool is_element(const pq_element *list, const pq_element *repeated)
{
    size_t n = strlen(list->name);
    if (repeated->physical >= 0 || repeated->n_children != 1)
        return true;
    if (repeated[1].repetition == PQ_REPEATED || strcmp(repeated->name, "array") == 0)
        return true;
    return strncmp(repeated->name, list->name, n) == 0 && strcmp(repeated->name + n, "_tuple") == 0;
}

/* k->at is the repeated element; `wrapped`: its one child is what the list holds. */
static nrw_status make_list(maker *k, bool wrapped, const field *like, levels_at in, pq_node *out,
                            nrw_error *err)
{
    levels_at inner = {(uint8_t)(in.def + 1), (uint8_t)(in.rep + 1)};
    const field *like_element = child_like(like, TYPE_LIST, 1, 0, NULL);
    pq_node *element;
    TRY(new_children(k, 1, &element, err));
    out->item_def = inner.def;
    out->item_rep = inner.rep;
    if (wrapped) {
        k->at++;
        TRY(make(k, like_element, inner, element, err));
    } else {
        TRY(make_one(k, like_element, false, inner, element, err));
    }
    return end_node(k->p->a, out, TYPE_LIST, element, 1, err);
}

static nrw_status make_map(maker *k, const field *like, levels_at in, pq_node *out, nrw_error *err)
{
    levels_at inner = {(uint8_t)(in.def + 1), (uint8_t)(in.rep + 1)};
    pq_node *pair;
    TRY(new_children(k, 2, &pair, err));
    out->item_def = inner.def;
    out->item_rep = inner.rep;
    k->at++;
    TRY(make(k, child_like(like, TYPE_MAP, 2, 0, NULL), inner, &pair[0], err));
    TRY(make(k, child_like(like, TYPE_MAP, 2, 1, NULL), inner, &pair[1], err));
    return end_node(k->p->a, out, TYPE_MAP, pair, 2, err);
}

/* The group e: a list, a map, or a struct. */
static nrw_status make_group(maker *k, const pq_element *e, const field *like, levels_at in,
                             pq_node *out, nrw_error *err)
{
    bool repeats = e->n_children == 1 && e[1].repetition == PQ_REPEATED;
    if (repeats && e->logical == PQ_LOGICAL_LIST)
        return make_list(k, !is_element(e, &e[1]), like, in, out, err);
    if (repeats && e->logical == PQ_LOGICAL_MAP && e[1].physical < 0 && e[1].n_children == 2)
        return make_map(k, like, in, out, err);
    if (repeats && e->logical == PQ_LOGICAL_MAP && e[1].physical < 0 && e[1].n_children == 1)
        return make_list(k, true, like, in, out, err); /* keys without values: a set */
    return make_struct(k, e, like, in, out, err);
}

static note_meaning meaning_of(const pq_element *e)
{
    if (e->physical == PQ_BYTE_ARRAY && e->logical == PQ_LOGICAL_GEOMETRY)
        return MEANS_GEOMETRY;
    if (e->physical == PQ_BYTE_ARRAY && e->logical == PQ_LOGICAL_GEOGRAPHY)
        return MEANS_GEOGRAPHY;
    return e->physical < 0 && e->logical == PQ_LOGICAL_VARIANT ? MEANS_VARIANT : MEANS_NOTHING;
}

/* What the element and Arrow's field say beyond the type. */
static nrw_status annotate(maker *k, const pq_element *e, const field *like, pq_node *out,
                           nrw_error *err)
{
    const field_note note = {
        .meaning = meaning_of(e), .crs = e->crs, .edges = e->edges, .version = e->variant_version};
    if (note.meaning)
        TRY(note_copy(k->p->a, &note, &out->field.note, err));
    if (like)
        TRY(pq_arrow_apply(k->p->a, like, &out->field, err));
    return NRW_OK;
}

/* An element whose own repetition is seen to: in.def counts it. */
static nrw_status make_one(maker *k, const field *like, bool nullable, levels_at in, pq_node *out,
                           nrw_error *err)
{
    const pq_element *e = &k->p->nodes[k->at++];
    *out = (pq_node){.def = in.def, .first_leaf = k->leaf};
    out->field = (field){.name = e->name, .nullable = nullable, .field_id = e->field_id};
    if (e->physical < 0) {
        TRY(make_group(k, e, like, in, out, err));
        return annotate(k, e, like, out, err);
    }
    field *leaf = &k->p->leaves[k->leaf++].field;
    out->field.type = leaf->type;
    out->n_leaves = 1;
    TRY(annotate(k, e, like, out, err));
    leaf->type = out->field.type;
    leaf->note = out->field.note;
    return NRW_OK;
}

/* The next element; a repeated one that no list or map asked for is a list of its own. */
static nrw_status make(maker *k, const field *like, levels_at in, pq_node *out, nrw_error *err)
{
    const pq_element *e = &k->p->nodes[k->at];
    if (e->repetition != PQ_REPEATED) {
        bool optional = e->repetition == PQ_OPTIONAL;
        in.def = (uint8_t)(in.def + optional);
        return make_one(k, like, optional, in, out, err);
    }
    *out = (pq_node){.def = in.def, .first_leaf = k->leaf};
    out->field = (field){.name = e->name, .field_id = e->field_id};
    TRY(make_list(k, false, like, in, out, err));
    return like ? pq_arrow_apply(k->p->a, like, &out->field, err) : NRW_OK;
}

/* ---- parts of nested columns, by path ---- */

typedef struct parts {
    pq_meta *p;
    uint32_t n;        /* numbered so far */
    const char **path; /* NULL: they are only counted */
} parts;

/* A node and the lists around it; the innermost comes first. */
typedef struct around {
    const pq_node *list;
    const struct around *outer;
} around;

static bool is_listed(const pq_node *n)
{
    return n->field.type.id == TYPE_LIST || n->field.type.id == TYPE_MAP;
}

/* `target` as a column: the structs around it fall away, the lists stay. */
static nrw_status project(pq_meta *p, const pq_node *target, const around *lists, pq_node *out,
                          nrw_error *err)
{
    const char *name = target->field.name;
    *out = *target;
    out->field.nullable = target->def > (lists ? lists->list->item_def : 0);
    for (; lists; lists = lists->outer) {
        const pq_node *l = lists->list;
        void *inner;
        TRY(arena_alloc(p->a, sizeof(pq_node), &inner, err));
        *(pq_node *)inner = *out;
        *out = (pq_node){.def = l->def, .item_def = l->item_def, .item_rep = l->item_rep};
        out->field = (field){.name = name,
                             .nullable = l->def > (lists->outer ? lists->outer->list->item_def : 0),
                             .field_id = -1};
        TRY(end_node(p->a, out, TYPE_LIST, inner, 1, err));
    }
    return NRW_OK;
}

static nrw_status add_parts(parts *k, const char *path, const pq_node *node, const around *lists,
                            nrw_error *err);

static nrw_status add_part(parts *k, const char *path, const pq_node *child, const around *lists,
                           nrw_error *err)
{
    const char *name = child->field.name;
    void *full = NULL;
    uint32_t i = k->n++;
    if (k->path) {
        size_t n = strlen(path), m = strlen(name);
        TRY(arena_alloc(k->p->a, n + m + 2, &full, err));
        memcpy(full, path, n);
        ((char *)full)[n] = '.';
        memcpy((char *)full + n + 1, name, m);
        k->path[i] = full;
        TRY(project(k->p, child, lists, &k->p->columns[k->p->n_columns + i], err));
    }
    return add_parts(k, full, child, lists, err);
}

/* Elements of lists have no name of their own in a path. */
static nrw_status add_parts(parts *k, const char *path, const pq_node *node, const around *lists,
                            nrw_error *err)
{
    const around here = {node, lists};
    if (node->field.type.id == TYPE_LIST)
        return add_parts(k, path, &node->children[0], &here, err);
    for (uint32_t i = 0; i < node->n_children; i++)
        TRY(add_part(k, path, &node->children[i], is_listed(node) ? &here : lists, err));
    return NRW_OK;
}

static nrw_status all_parts(parts *k, const pq_node *top, nrw_error *err)
{
    k->n = 0;
    for (uint32_t i = 0; i < k->p->n_columns; i++)
        TRY(add_parts(k, top[i].field.name, &top[i], NULL, err));
    return NRW_OK;
}

/* Columns in the order of both schemas. One of another number of columns says nothing, as to
 * Arrow's own reader. */
static nrw_status make_columns(maker *k, const schema *arrow, pq_node *top, nrw_error *err)
{
    for (uint32_t i = 0; i < k->p->n_columns; i++) {
        const char *name = k->p->nodes[k->at].name;
        const field *like = arrow->n_fields == k->p->n_columns ? &arrow->fields[i] : NULL;
        like = like && strcmp(like->name, name) == 0 ? like : NULL;
        TRY(make(k, like, (levels_at){0}, &top[i], err));
    }
    return NRW_OK;
}

static nrw_status make_top(maker *k, pq_node **top, nrw_error *err)
{
    arena *a;
    schema arrow;
    TRY(new_children(k, k->p->n_columns, top, err));
    TRY(arena_new(arena_mem(k->p->a), &a, err));
    nrw_status st = pq_arrow_read(k->p, a, &arrow, err);
    if (st == NRW_OK)
        st = make_columns(k, &arrow, *top, err);
    arena_free(a);
    return st;
}

nrw_status pq_tree_make(pq_meta *p, nrw_error *err)
{
    maker k = {.p = p, .at = 1};
    parts of = {.p = p};
    pq_node *top;
    void *columns, *paths;
    p->n_columns = (uint32_t)p->nodes[0].n_children;
    TRY(make_top(&k, &top, err));
    TRY(all_parts(&of, top, err));
    TRY(arena_alloc(p->a, (p->n_columns + of.n) * sizeof(pq_node) + 1, &columns, err));
    TRY(arena_alloc(p->a, of.n * sizeof(char *) + 1, &paths, err));
    p->columns = columns;
    if (p->n_columns)
        memcpy(p->columns, top, p->n_columns * sizeof(pq_node));
    of.path = paths;
    TRY(all_parts(&of, top, err));
    TRY(schema_new(p->a, p->n_columns + of.n, &p->schema, err));
    for (uint32_t i = 0; i < p->n_columns + of.n; i++)
        p->schema.fields[i] = p->columns[i].field;
    p->schema.n_fields = p->n_columns;
    p->schema.n_parts = of.n;
    p->schema.part_paths = of.path;
    return NRW_OK;
}
