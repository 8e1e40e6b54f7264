/* The schema: a list of elements in depth-first order, each group saying how many children follow
 * (parquet.thrift, SchemaElement). Counts are checked while the tree is walked with a stack of its
 * own, so neither depth nor counts that lie can do harm. */
#include "format/parquet/meta_priv.h"

enum { NAME_LIMIT = 1 << 16, PATH_LIMIT = 4096 };

/* ---- elements ---- */
static nrw_status read_unit(thrift_in *in, pq_element *e, nrw_error *err)
{
    static const uint8_t units[] = {UNIT_NONE, UNIT_MS, UNIT_US, UNIT_NS};
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_STOP)
            return NRW_OK;
        if (f.id >= 1 && f.id <= 3)
            e->unit = units[f.id];
        TRY(thrift_skip(in, f.type, err));
    }
}

static nrw_status read_byte(thrift_in *in, thrift_field f, uint8_t *out, bool *has, nrw_error *err)
{
    *has = f.type == THRIFT_I8;
    return *has ? thrift_read_raw(in, out, 1, err) : thrift_skip(in, f.type, err);
}

static nrw_status read_version(thrift_in *in, thrift_field f, pq_element *e, nrw_error *err)
{
    uint8_t version = 0;
    bool has;
    TRY(read_byte(in, f, &version, &has, err));
    e->variant_version = has ? (int8_t)version : -1;
    return NRW_OK;
}

static nrw_status read_crs(thrift_in *in, thrift_field f, arena *a, pq_element *e, nrw_error *err)
{
    char *crs = NULL;
    size_t len;
    TRY(thrift_get_binary(in, f, a, &crs, &len, NULL, err));
    e->crs = crs;
    return NRW_OK;
}

/* One parameter of a logical type. */
static nrw_status read_parameter(thrift_in *in, thrift_field f, arena *a, pq_element *e,
                                 nrw_error *err)
{
    bool has, globe = e->logical == PQ_LOGICAL_GEOGRAPHY;
    bool time = e->logical == PQ_LOGICAL_TIME || e->logical == PQ_LOGICAL_TIMESTAMP;
    if (e->logical == PQ_LOGICAL_DECIMAL && f.id == 1)
        return thrift_get_i32(in, f, &e->scale, NULL, err);
    if (e->logical == PQ_LOGICAL_DECIMAL && f.id == 2)
        return thrift_get_i32(in, f, &e->precision, NULL, err);
    if (time && f.id == 1)
        return thrift_get_bool(in, f, &e->utc, NULL, err);
    if (time && f.id == 2 && f.type == THRIFT_STRUCT)
        return read_unit(in, e, err);
    if (e->logical == PQ_LOGICAL_INTEGER && f.id == 1)
        return read_byte(in, f, &e->bits, &has, err);
    if (e->logical == PQ_LOGICAL_INTEGER && f.id == 2)
        return thrift_get_bool(in, f, &e->is_signed, NULL, err);
    if ((globe || e->logical == PQ_LOGICAL_GEOMETRY) && f.id == 1)
        return read_crs(in, f, a, e, err);
    if (globe && f.id == 2)
        return thrift_get_i32(in, f, &e->edges, NULL, err);
    if (e->logical == PQ_LOGICAL_VARIANT && f.id == 1)
        return read_version(in, f, e, err);
    return thrift_skip(in, f.type, err);
}

/* The union LogicalType: one field, a struct of its parameters. */
static nrw_status read_logical(thrift_in *in, arena *a, pq_element *e, nrw_error *err)
{
    int16_t last, inner;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_STOP)
            return NRW_OK;
        if (f.type != THRIFT_STRUCT) {
            TRY(thrift_skip(in, f.type, err));
            continue;
        }
        e->logical = f.id;
        TRY(thrift_enter(in, &inner, err));
        for (;;) {
            TRY(thrift_read_field(in, &inner, &f, err));
            if (f.type == THRIFT_STOP)
                break;
            TRY(read_parameter(in, f, a, e, err));
        }
    }
}

static nrw_status read_name(thrift_in *in, thrift_field f, arena *a, pq_element *e, nrw_error *err)
{
    char *name = NULL;
    size_t len;
    TRY(thrift_get_binary(in, f, a, &name, &len, NULL, err));
    if (name && len > NAME_LIMIT)
        return thrift_corrupt(in, err, "column name of %zu bytes", len);
    e->name = name;
    return NRW_OK;
}

static nrw_status read_element(thrift_in *in, arena *a, pq_element *e, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    *e = (pq_element){
        .physical = -1, .converted = -1, .field_id = -1, .edges = -1, .variant_version = -1};
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 1: TRY(thrift_get_i32(in, f, &e->physical, NULL, err)); continue;
        case 2: TRY(thrift_get_i32(in, f, &e->type_length, NULL, err)); continue;
        case 3: TRY(thrift_get_i32(in, f, &e->repetition, NULL, err)); continue;
        case 4: TRY(read_name(in, f, a, e, err)); continue;
        case 5: TRY(thrift_get_i32(in, f, &e->n_children, NULL, err)); continue;
        case 6: TRY(thrift_get_i32(in, f, &e->converted, NULL, err)); continue;
        case 7: TRY(thrift_get_i32(in, f, &e->scale, NULL, err)); continue;
        case 8: TRY(thrift_get_i32(in, f, &e->precision, NULL, err)); continue;
        case 9: TRY(thrift_get_i32(in, f, &e->field_id, NULL, err)); continue;
        case 10:
            if (f.type == THRIFT_STRUCT) {
                TRY(read_logical(in, a, e, err));
                continue;
            }
            TRY(thrift_skip(in, f.type, err));
            continue;
        default: TRY(thrift_skip(in, f.type, err)); continue;
        }
        break;
    }
    if (!e->name)
        return thrift_corrupt(in, err, "schema element lacks a name");
    if (e->n_children < 0)
        return thrift_corrupt(in, err, "schema element %.64s has %d children", e->name,
                              e->n_children);
    if (e->repetition < PQ_REQUIRED || e->repetition > PQ_REPEATED)
        return thrift_corrupt(in, err, "schema element %.64s has repetition %d", e->name,
                              e->repetition);
    if (e->n_children > 0)
        e->physical = -1;
    else if (e->physical < -1 || e->physical > PQ_FIXED_LEN_BYTE_ARRAY)
        return thrift_corrupt(in, err, "column %.64s has physical type %d", e->name, e->physical);
    if (e->physical == PQ_FIXED_LEN_BYTE_ARRAY && e->type_length <= 0)
        return thrift_corrupt(in, err, "column %.64s has fixed length %d", e->name, e->type_length);
    pq_element_convert(e);
    return NRW_OK;
}

/* The list's count is a claim: room grows with the elements that are there. */
static nrw_status read_elements(pq_meta *p, thrift_in *in, nrw_error *err)
{
    uint8_t elem;
    uint32_t n, cap = 0;
    void *list = NULL;
    nrw_status st = NRW_OK;
    TRY(thrift_read_list(in, &elem, &n, err));
    if (n == 0 || elem != THRIFT_STRUCT)
        return thrift_corrupt(in, err, "the schema is empty");
    for (uint32_t i = 0; i < n; i++) {
        if (i == cap) {
            uint32_t more = cap ? (cap > n / 2 ? n : cap * 2) : (n < 64 ? n : 64);
            TRY_OUT(
                mem_realloc(p->m, &list, cap * sizeof(pq_element), more * sizeof(pq_element), err));
            cap = more;
        }
        TRY_OUT(read_element(in, p->a, (pq_element *)list + i, err));
    }
    void *kept;
    TRY_OUT(arena_alloc(p->a, n * sizeof(pq_element), &kept, err));
    memcpy(kept, list, n * sizeof(pq_element));
    p->nodes = kept;
    p->n_nodes = n;
out:
    mem_free(p->m, list, cap * sizeof(pq_element));
    return st;
}

/* ---- the tree ---- */
typedef struct level {
    int32_t children; /* still to come */
    uint8_t def, rep;
    size_t path; /* bytes of the path of the group, with its dot */
} level;

typedef struct tree {
    pq_meta *p;
    level stack[PQ_SCHEMA_DEPTH];
    int depth;
    char path[PATH_LIMIT];
} tree;

static nrw_status leaf_names(pq_meta *p, const tree *t, const pq_element *e, pq_leaf *l,
                             nrw_error *err)
{
    char logical[64];
    size_t len = pq_logical_print(e, logical, sizeof logical), prefix = t->stack[t->depth].path;
    char *copy;
    if (len) {
        TRY(arena_strndup(p->a, logical, size_min(len, sizeof logical - 1), &copy, err));
        l->logical = copy;
    } else {
        l->logical = "";
    }
    l->path = e->name;
    if (prefix) {
        size_t name = strlen(e->name);
        void *path;
        TRY(arena_alloc(p->a, prefix + name + 1, &path, err));
        memcpy(path, t->path, prefix);
        memcpy((char *)path + prefix, e->name, name);
        l->path = path;
    }
    l->field.name = l->path;
    return NRW_OK;
}

static nrw_status add_leaf(pq_meta *p, const tree *t, const pq_element *e, level in, nrw_error *err)
{
    bool known;
    char logical[64];
    if (pq_element_wrong(e)) {
        pq_logical_print(e, logical, sizeof logical);
        err_at_column(err, e->name);
        return err_set(err, NRW_E_CORRUPT, "%s cannot annotate %s", logical,
                       pq_physical_name((pq_physical)e->physical));
    }
    uint32_t i = p->n_leaves++;
    pq_leaf *l = &p->leaves[i];
    *l = (pq_leaf){.physical = (pq_physical)e->physical,
                   .type_length =
                       e->physical == PQ_FIXED_LEN_BYTE_ARRAY ? (uint32_t)e->type_length : 0,
                   .max_def = in.def,
                   .max_rep = in.rep,
                   .int96_us = p->int96_us,
                   .nested = t->depth > 0 || in.rep > 0};
    l->field = (field){.type = pq_element_type(e, p->int96_us, &known),
                       .nullable = e->repetition == PQ_OPTIONAL,
                       .field_id = e->field_id};
    l->unknown = !known && e->logical != PQ_LOGICAL_GEOMETRY && e->logical != PQ_LOGICAL_GEOGRAPHY;
    p->order[i] = (uint8_t)pq_element_order(e, &l->field.type, known);
    if (l->nested && p->first_nested == UINT32_MAX)
        p->first_nested = i;
    return leaf_names(p, t, e, l, err);
}

static nrw_status open_group(tree *t, const pq_element *e, level in, nrw_error *err)
{
    if (t->depth + 1 >= PQ_SCHEMA_DEPTH)
        return err_set(err, NRW_E_UNSUPPORTED, "the schema is nested more than %d deep",
                       PQ_SCHEMA_DEPTH);
    size_t from = t->stack[t->depth].path, name = strlen(e->name);
    if (name + 1 > PATH_LIMIT - from)
        return err_set(err, NRW_E_UNSUPPORTED, "names of nested groups of more than %d bytes",
                       PATH_LIMIT);
    memcpy(t->path + from, e->name, name);
    t->path[from + name] = '.';
    in.path = from + name + 1;
    in.children = e->n_children;
    t->stack[++t->depth] = in;
    return NRW_OK;
}

static nrw_status walk_tree(pq_meta *p, tree *t, nrw_error *err)
{
    uint32_t i = 1;
    t->depth = 0;
    t->stack[0] = (level){.children = p->nodes[0].n_children};
    for (;;) {
        while (t->depth >= 0 && t->stack[t->depth].children == 0)
            t->depth--;
        if (t->depth < 0)
            break;
        if (i == p->n_nodes)
            return err_set(err, NRW_E_CORRUPT,
                           "the schema has %u elements, fewer than its groups say", p->n_nodes);
        level *parent = &t->stack[t->depth];
        const pq_element *e = &p->nodes[i++];
        parent->children--;
        level in = {.def = (uint8_t)(parent->def + (e->repetition != PQ_REQUIRED)),
                    .rep = (uint8_t)(parent->rep + (e->repetition == PQ_REPEATED))};
        TRY(e->physical < 0 ? open_group(t, e, in, err) : add_leaf(p, t, e, in, err));
    }
    if (i != p->n_nodes)
        return err_set(err, NRW_E_CORRUPT, "the schema has %u elements, its groups hold %u",
                       p->n_nodes, i);
    return NRW_OK;
}

nrw_status pq_schema_read(pq_meta *p, thrift_in *in, nrw_error *err)
{
    void *leaves, *order, *t;
    uint32_t n = 0;
    TRY(read_elements(p, in, err));
    for (uint32_t i = 1; i < p->n_nodes; i++)
        n += p->nodes[i].physical >= 0;
    TRY(arena_alloc(p->a, n * sizeof(pq_leaf), &leaves, err));
    TRY(arena_alloc(p->a, n, &order, err));
    p->leaves = leaves;
    p->order = order;
    p->n_leaves = 0;
    p->first_nested = UINT32_MAX;
    if (p->nodes[0].physical >= 0)
        return err_set(err, NRW_E_CORRUPT, "the root of the schema is a column");
    TRY(mem_alloc(p->m, sizeof(tree), &t, err));
    nrw_status st = walk_tree(p, t, err);
    mem_free(p->m, t, sizeof(tree));
    return st;
}

/* ---- as text ---- */
static nrw_status print_element(const pq_element *e, int depth, bytes *out, nrw_error *err)
{
    static const char *const repetitions[] = {"required", "optional", "repeated"};
    char logical[64];
    size_t len = pq_logical_print(e, logical, sizeof logical);
    TRY(bytes_printf(out, err, "%*s", 2 * depth, ""));
    TRY(bytes_printf(out, err, "%s ", repetitions[e->repetition]));
    if (e->physical < 0)
        TRY(bytes_printf(out, err, "group"));
    else if (e->physical == PQ_FIXED_LEN_BYTE_ARRAY)
        TRY(bytes_printf(out, err, "%s(%d)", pq_physical_name(e->physical), e->type_length));
    else
        TRY(bytes_printf(out, err, "%s", pq_physical_name(e->physical)));
    TRY(bytes_append(out, " ", 1, err));
    TRY(bytes_append(out, e->name, strlen(e->name), err));
    if (len)
        TRY(bytes_printf(out, err, " (%s)", logical));
    if (e->field_id >= 0)
        TRY(bytes_printf(out, err, " = %d", e->field_id));
    return bytes_printf(out, err, e->physical < 0 ? " {\n" : ";\n");
}

/* The tree was found sound at opening. */
nrw_status pq_meta_schema_text(const pq_meta *p, bytes *out, nrw_error *err)
{
    int32_t left[PQ_SCHEMA_DEPTH];
    int depth = 0;
    left[0] = p->nodes[0].n_children;
    TRY(bytes_printf(out, err, "message "));
    TRY(bytes_append(out, p->nodes[0].name, strlen(p->nodes[0].name), err));
    TRY(bytes_printf(out, err, " {\n"));
    for (uint32_t i = 1; depth >= 0;) {
        if (left[depth] == 0) {
            TRY(bytes_printf(out, err, "%*s}\n", 2 * depth, ""));
            depth--;
            continue;
        }
        const pq_element *e = &p->nodes[i++];
        left[depth]--;
        TRY(print_element(e, depth + 1, out, err));
        if (e->physical < 0)
            left[++depth] = e->n_children;
    }
    return NRW_OK;
}
