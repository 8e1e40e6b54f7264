/* A file read by another schema than it was written by: "Schema Resolution" of the specification.
 *
 * The columns are those of the reader's schema, and their slots lie in its order; the steps follow
 * the file. So slots are laid out first, and each pair of nodes (the reader's, the file's) then
 * says where its values go. */
#include "format/avro/compile_own.h"
#include "format/avro/default.h"

#include <string.h>

/* The slots of a node of the reader's: none where nobody wants it. */
typedef struct slots {
    uint32_t first, n;
} slots;

typedef struct resolver {
    compiler *k;
    slots *of; /* by the nodes' ids */
    nrw_error *err;
} resolver;

static nrw_status pair(resolver *r, const av_node *n, const av_node *w);

/* ---- slots ---- */

static nrw_status lay_out(resolver *r, const av_node *n, bool whole)
{
    compiler *k = r->k;
    const bool repeated = n->field.type.id == TYPE_LIST || n->field.type.id == TYPE_MAP;
    uint32_t slot = k->p->n_slots;

    if (!whole && !av_wanted_below(k, n))
        return NRW_OK;
    whole |= n->place != UINT32_MAX && k->wanted[n->place];
    if (whole)
        TRY(av_add_slot(k, n, &slot));
    k->p->has_lists |= repeated;
    k->list_depth += repeated;
    for (uint32_t i = 0; type_is_nested(&n->field.type) && i < n->n; i++)
        TRY(lay_out(r, &n->children[i], whole || repeated));
    k->list_depth -= repeated;
    r->of[n->id] = (slots){slot, k->p->n_slots - slot};
    if (whole)
        k->p->slots[slot].below = k->p->n_slots - slot - 1;
    if (n->place != UINT32_MAX)
        k->slot_of[n->place] = slot;
    return NRW_OK;
}

/* ---- what goes with what ---- */

static bool in_list(const json_node *list, const char *name)
{
    for (const json_node *j = list ? list->first : NULL; j; j = j->next)
        if (j->kind == JSON_STRING && strcmp(av_last_part(j->text), av_last_part(name)) == 0)
            return true;
    return false;
}

/* Named types go together by their names without the namespace, or by an alias of the reader's. */
static bool same_name(const av_type *r, const av_type *w)
{
    return strcmp(av_last_part(r->name), av_last_part(w->name)) == 0 ||
           in_list(r->aliases, w->name);
}

static bool promotes(av_kind r, av_kind w)
{
    switch (r) {
    case AV_LONG: return w == AV_INT;
    case AV_FLOAT: return w == AV_INT || w == AV_LONG;
    case AV_DOUBLE: return w == AV_INT || w == AV_LONG || w == AV_FLOAT;
    case AV_BYTES: return w == AV_STRING;
    case AV_STRING: return w == AV_BYTES;
    default: return false;
    }
}

/* Logical types that both have must be the same. */
static bool same_logical(const av_type *r, const av_type *w)
{
    if (r->logical == AV_PLAIN || w->logical == AV_PLAIN)
        return r->logical == w->logical || (r->logical != AV_ENTRIES && w->logical != AV_ENTRIES);
    return r->logical == w->logical && r->unit == w->unit && r->utc == w->utc &&
           r->precision == w->precision && r->scale == w->scale;
}

/* Whether a value of w can be one of r; what they hold is looked at later. Neither is a union. */
static bool fits(const av_type *r, const av_type *w)
{
    if (!same_logical(r, w))
        return false;
    if (r->kind != w->kind)
        return promotes(r->kind, w->kind);
    switch (r->kind) {
    case AV_RECORD:
    case AV_ENUM: return same_name(r, w);
    case AV_FIXED: return same_name(r, w) && r->size == w->size;
    default: return true;
    }
}

/* The branch of a union of several that w becomes: of the same kind, else the first by promotion.
 * NULL: none. */
static const av_node *child_for(const av_node *n, const av_type *w)
{
    for (int promoted = 0; promoted < 2; promoted++)
        for (uint32_t i = 0; i < n->n; i++)
            if (fits(n->children[i].type, w) && (promoted || n->children[i].type->kind == w->kind))
                return &n->children[i];
    return NULL;
}

static nrw_status mismatch(resolver *r, const av_node *n, const av_type *w)
{
    err_at_column(r->err, n->field.name);
    return err_set(r->err, NRW_E_SCHEMA,
                   "the file has %.100s (%s), which cannot be read as %.100s (%s)", w->name,
                   w->spelled ? w->spelled : av_kind_name(w->kind), n->type->name,
                   n->type->spelled ? n->type->spelled : av_kind_name(n->type->kind));
}

/* ---- steps ---- */

static nrw_status step(resolver *r, av_op op, const av_node *n, uint32_t *at)
{
    const slots s = r->of[n->id];

    TRY(av_add_step(r->k->p, op, n, at, r->err));
    r->k->p->steps[*at].slot = s.first;
    r->k->p->steps[*at].slots = s.n;
    r->k->fence = r->k->p->n_steps;
    return NRW_OK;
}

/* What stands behind step `at` ends here. */
static void close_step(resolver *r, uint32_t at)
{
    r->k->p->steps[at].end = r->k->fence = r->k->p->n_steps;
}

static nrw_status fail_step(resolver *r, const av_node *n, const av_type *w)
{
    uint32_t at;

    TRY(step(r, AV_OP_FAIL, n, &at));
    r->k->p->steps[at].type = w;
    return NRW_OK;
}

/* ---- values ---- */

static nrw_status enum_map(resolver *r, const av_node *n, const av_type *w)
{
    bytes *data = &r->k->p->data;
    const av_type *t = n->type;
    uint32_t at;

    TRY(step(r, AV_OP_ENUM_MAP, n, &at));
    r->k->p->steps[at].type = w;
    r->k->p->steps[at].n = w->n;
    r->k->p->steps[at].data = (uint32_t)data->len;
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t other = UINT32_MAX, same = UINT32_MAX;
        for (uint32_t s = 0; s < t->n; s++) {
            if (strcmp(t->names[s], w->names[i]) == 0)
                same = s;
            if (t->symbol && strcmp(t->names[s], t->symbol) == 0)
                other = s;
        }
        same = same == UINT32_MAX ? other : same;
        TRY(bytes_append(data, &same, sizeof same, r->err));
    }
    return NRW_OK;
}

static av_op leaf_op(const av_type *r, const av_type *w)
{
    const av_op op = av_leaf_op(r);
    const bool whole = w->kind == AV_INT || w->kind == AV_LONG;

    if (r->kind == AV_LONG && w->kind == AV_INT)
        return AV_OP_INT_WIDE;
    if (r->kind == AV_FLOAT && whole)
        return AV_OP_INT_FLOAT;
    if (r->kind == AV_DOUBLE && w->kind != AV_DOUBLE)
        return whole ? AV_OP_INT_DOUBLE : AV_OP_FLOAT_DOUBLE;
    return op;
}

static nrw_status leaf(resolver *r, const av_node *n, const av_type *w)
{
    av_step *s;
    uint32_t at;

    if (w->kind == AV_ENUM)
        return enum_map(r, n, w);
    TRY(step(r, leaf_op(n->type, w), n, &at));
    s = &r->k->p->steps[at];
    s->n = s->op == AV_OP_DECIMAL_FIX ? w->size : n->field.type.width;
    return NRW_OK;
}

static nrw_status list(resolver *r, const av_node *n, const av_node *w)
{
    uint32_t at, least = 0;

    if (n->n != w->n)
        return mismatch(r, n, w->type);
    TRY(step(r, AV_OP_LIST, n, &at));
    for (uint32_t i = 0; i < n->n; i++) {
        TRY(pair(r, &n->children[i], &w->children[i]));
        least += av_least_bytes(&w->children[i]);
    }
    r->k->p->steps[at].n = least;
    close_step(r, at);
    return NRW_OK;
}

/* Which of the reader's fields a field of the file is. UINT32_MAX: none. */
static uint32_t field_for(const av_type *r, const char *name)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (strcmp(r->names[i], name) == 0)
            return i;
    for (uint32_t i = 0; i < r->n; i++)
        if (in_list(r->f_aliases[i], name))
            return i;
    return UINT32_MAX;
}

static bool is_written(const av_type *r, const av_type *w, uint32_t field)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (field_for(r, w->names[i]) == field)
            return true;
    return false;
}

/* A field that the file has not. Its default is encoded, and read like a value of the file. */
static nrw_status missing(resolver *r, const av_node *n, const av_type *t, uint32_t i)
{
    bytes *data = &r->k->p->data;
    const size_t from = data->len;
    uint32_t at;

    if (!t->defaults[i]) {
        err_at_column(r->err, n->field.name);
        return err_set(r->err, NRW_E_SCHEMA,
                       "the file has no field %.100s, and the schema that it is read by no default",
                       n->field.name);
    }
    TRY(av_default_encode(t->types[i], t->defaults[i], data, r->err));
    if (r->of[n->id].n == 0)
        return NRW_OK;
    TRY(step(r, AV_OP_DEFAULT, n, &at));
    r->k->p->steps[at].data = (uint32_t)from;
    r->k->p->steps[at].n = (uint32_t)(data->len - from);
    TRY(pair(r, n, n));
    close_step(r, at);
    return NRW_OK;
}

static nrw_status fields(resolver *r, const av_node *n, const av_type *t, const av_node *w,
                         const av_type *written)
{
    for (uint32_t i = 0; i < written->n; i++) {
        uint32_t field = field_for(t, written->names[i]);
        TRY(field == UINT32_MAX ? av_skip_node(r->k, &w[i]) : pair(r, &n[field], &w[i]));
    }
    for (uint32_t i = 0; i < t->n; i++)
        if (!is_written(t, written, i))
            TRY(missing(r, &n[i], t, i));
    return NRW_OK;
}

/* Neither is a union; n's slots take it, w has its bytes. */
static nrw_status value(resolver *r, const av_node *n, const av_node *w)
{
    uint32_t at;

    if (n->repeats != w->repeats)
        return mismatch(r, n, w->type);
    if (n->repeats) {
        TRY(step(r, AV_OP_JSON, n, &at));
        r->k->p->steps[at].type = w->type;
        return NRW_OK;
    }
    if (!fits(n->type, w->type))
        return mismatch(r, n, w->type);
    switch (n->type->kind) {
    case AV_RECORD:
        if (r->of[n->id].n && r->k->p->slots[r->of[n->id].first].type == &n->field.type)
            TRY(step(r, AV_OP_STRUCT, n, &at));
        return fields(r, n->children, n->type, w->children, w->type);
    case AV_ARRAY:
    case AV_MAP: return list(r, n, w);
    default: return leaf(r, n, w->type);
    }
}

/* The same where n may be a union of several. */
static nrw_status branch(resolver *r, const av_node *n, const av_node *w)
{
    const bool several = n->type->kind == AV_UNION;
    const av_node *child = several ? child_for(n, w->type) : n;
    uint32_t at;

    if (!child || (!several && !fits(n->type, w->type)))
        return fail_step(r, n, w->type);
    if (!several)
        return value(r, n, w);
    TRY(step(r, AV_OP_CHOOSE, n, &at));
    av_step *s = &r->k->p->steps[at];
    s->whole = r->k->p->slots[s->slot].type == &n->field.type;
    s->data = r->of[child->id].n ? r->of[child->id].first : s->slot + s->whole;
    s->n = r->of[child->id].n;
    return s->n ? value(r, child, w) : av_skip_node(r->k, w);
}

static bool takes_null(const av_node *n)
{
    return n->null_branch != UINT32_MAX || n->type->kind == AV_NULL ||
           (n->type->kind == AV_UNION && n->null_in != UINT32_MAX);
}

static nrw_status null_value(resolver *r, const av_node *n, const av_type *w)
{
    uint32_t at;

    return takes_null(n) ? step(r, AV_OP_NULLS, n, &at) : fail_step(r, n, w);
}

/* A union of several in the file: each branch on its own. */
static nrw_status branches(resolver *r, const av_node *n, const av_node *w)
{
    av_program *p = r->k->p;
    uint32_t at, link, jump, last = UINT32_MAX, child = 0;

    TRY(av_add_step(p, AV_OP_UNION, w, &at, r->err));
    p->steps[at].n = w->type->n;
    for (uint32_t i = 0; i < w->type->n; i++) {
        TRY(av_add_step(p, AV_OP_BRANCH, w, &link, r->err));
        r->k->fence = p->n_steps;
        TRY(i == w->null_in ? null_value(r, n, w->type->types[i])
                            : branch(r, n, &w->children[child++]));
        TRY(av_add_step(p, AV_OP_JUMP, w, &jump, r->err));
        p->steps[jump].n = last; /* the chain of jumps, until their end is known */
        last = jump;
        close_step(r, link);
    }
    while (last != UINT32_MAX) {
        uint32_t before = p->steps[last].n;
        p->steps[last].end = p->n_steps;
        last = before;
    }
    return NRW_OK;
}

/* Null and one other in the file, or one alone. */
static nrw_status nullable(resolver *r, const av_node *n, const av_node *w)
{
    const bool null = w->null_branch == UINT32_MAX || takes_null(n);
    uint32_t at;

    TRY(step(r, null ? AV_OP_NULLABLE : AV_OP_NOT_NULL, n, &at));
    r->k->p->steps[at].null = w->null_branch;
    TRY(branch(r, n, w));
    close_step(r, at);
    return NRW_OK;
}

static nrw_status pair(resolver *r, const av_node *n, const av_node *w)
{
    if (r->of[n->id].n == 0)
        return av_skip_node(r->k, w);
    if (w->type->kind == AV_UNION && !w->repeats)
        return branches(r, n, w);
    if (w->outer)
        return nullable(r, n, w);
    if (w->type->kind == AV_NULL && n->type->kind != AV_NULL)
        return takes_null(n) ? null_value(r, n, w->type) : mismatch(r, n, w->type);
    if (n->type->kind == AV_UNION && !n->repeats)
        return child_for(n, w->type) ? branch(r, n, w) : mismatch(r, n, w->type);
    return value(r, n, w);
}

static nrw_status all(resolver *r)
{
    const av_columns *c = r->k->c, *w = c->written;
    const av_node top = {.field.name = c->type->name, .type = c->type};

    if (c->record != w->record || (c->record && !fits(c->type, w->type)))
        return mismatch(r, &top, w->type);
    for (uint32_t i = 0; i < c->schema.n_fields; i++)
        TRY(lay_out(r, c->nodes[i], false));
    return c->record ? fields(r, c->tops, c->type, w->tops, w->type)
                     : pair(r, c->nodes[0], w->nodes[0]);
}

nrw_status av_resolve(compiler *k)
{
    const size_t bytes = k->c->n_nodes * sizeof(slots) + 1;
    resolver r = {.k = k, .err = k->err};
    nrw_status st;

    TRY(mem_zalloc(k->p->m, bytes, (void **)&r.of, k->err));
    st = all(&r);
    mem_free(k->p->m, r.of, bytes);
    return st;
}
