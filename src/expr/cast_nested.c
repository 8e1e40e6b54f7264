/* Casts of lists, structs and maps: child by child; and to text. */
#include "expr/cast_own.h"

#include "column/print.h"

/* A cast of each child, as calls of one argument: NULL where the child stays as it is. */
typedef struct nested_cast {
    uint32_t n;
    const expr **child;   /* of the target's children */
    const uint32_t *from; /* which child of the source; UINT32_MAX: none, it is null */
} nested_cast;

static nrw_status child_cast(arena *a, const type *from, const type *to, bool try, const expr **out,
                             nrw_error *err)
{
    const expr *column;

    *out = NULL;
    if (type_equal(from, to))
        return NRW_OK;
    TRY(expr_column(a, 0, from, &column, err));
    return expr_cast(a, column, to, try, out, err);
}

static uint32_t child_named(const type *t, const char *name)
{
    for (uint32_t i = 0; i < t->n_children; i++)
        if (strcmp(t->children[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

/* Fields of structs are found by name; where no name is shared, or a row has none, by place. */
static bool by_name(const type *from, const type *to)
{
    if (to->id != TYPE_STRUCT)
        return false;
    for (uint32_t i = 0; i < to->n_children; i++)
        if (to->children[i].name[0] && child_named(from, to->children[i].name) != UINT32_MAX)
            return true;
    return false;
}

nrw_status cast_nested_spec(arena *a, const type *from, const type *to, bool try, cast_spec *out,
                            nrw_error *err)
{
    nested_cast *c;
    uint32_t *at;
    bool named = by_name(from, to);
    void *p;

    if (!type_is_nested(from) || !type_is_nested(to))
        return NRW_OK;
    TRY(arena_alloc(a, sizeof *c, &p, err));
    out->inner = c = p;
    c->n = to->n_children;
    TRY(arena_alloc(a, (c->n + 1) * sizeof *c->child, &p, err));
    c->child = p;
    TRY(arena_alloc(a, (c->n + 1) * sizeof *at, &p, err));
    c->from = at = p;
    for (uint32_t i = 0; i < c->n; i++) {
        at[i] = named ? child_named(from, to->children[i].name) : i;
        if (at[i] != UINT32_MAX)
            TRY(child_cast(a, &from->children[at[i]].type, &to->children[i].type, try, &c->child[i],
                           err));
    }
    return NRW_OK;
}

static nrw_status cast_child(const expr *cast, const vector *v, const type *to, uint32_t rows,
                             mem *m, vector *out, nrw_error *err)
{
    if (!v)
        return vector_nulls(m, to, rows, out, err);
    if (!cast)
        return vector_share(v, out, err);
    if (v->len == 0)
        return vector_flat(m, to, 0, out, err);
    return expr_eval(cast, &v, v->len, m, out, err);
}

static nrw_status nested_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const nested_cast *c = ((const cast_spec *)e->data)->inner;
    const vector *v = args->at[0];

    if (out->type.id != TYPE_STRUCT)
        memcpy(out->data, v->data, ((size_t)args->rows + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < c->n; i++)
        TRY(cast_child(c->child[i], c->from[i] == UINT32_MAX ? NULL : &v->children[c->from[i]],
                       &out->type.children[i].type, args->rows, args->m, &out->children[i], err));
    return NRW_OK;
}

/* ---- as text: [a, NULL], {'a': 1}, {k=v} ---- */

static nrw_status put(bytes *b, const char *s, nrw_error *err)
{
    return bytes_append(b, s, strlen(s), err);
}

/* Text with a sign that means something here stands in quotes. */
static bool needs_quotes(span s)
{
    if (s.len == 0)
        return true;
    if (s.data[0] == ' ' || s.data[s.len - 1] == ' ' || span_is_word(s, "null"))
        return true;
    for (size_t i = 0; i < s.len; i++)
        if (strchr("[](){}'\",=:\\", s.data[i]) && s.data[i])
            return true;
    return false;
}

static nrw_status put_quoted(bytes *b, span s, nrw_error *err)
{
    TRY(put(b, "'", err));
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\'' || s.data[i] == '\\')
            TRY(put(b, "\\", err));
        TRY(bytes_append(b, s.data + i, 1, err));
    }
    return put(b, "'", err);
}

static nrw_status put_row(bytes *b, const vector *v, uint32_t row, nrw_error *err);

static nrw_status put_list(bytes *b, const vector *v, uint32_t row, nrw_error *err)
{
    const uint32_t *at = vector_offsets(v);

    TRY(put(b, "[", err));
    for (uint32_t k = at[row]; k < at[row + 1]; k++) {
        TRY(put(b, k > at[row] ? ", " : "", err));
        TRY(put_row(b, &v->children[0], k, err));
    }
    return put(b, "]", err);
}

static nrw_status put_map(bytes *b, const vector *v, uint32_t row, nrw_error *err)
{
    const uint32_t *at = vector_offsets(v);

    TRY(put(b, "{", err));
    for (uint32_t k = at[row]; k < at[row + 1]; k++) {
        TRY(put(b, k > at[row] ? ", " : "", err));
        TRY(put_row(b, &v->children[0], k, err));
        TRY(put(b, "=", err));
        TRY(put_row(b, &v->children[1], k, err));
    }
    return put(b, "}", err);
}

static nrw_status put_struct(bytes *b, const vector *v, uint32_t row, nrw_error *err)
{
    bool named = v->type.n_children && v->type.children[0].name[0];

    TRY(put(b, named ? "{" : "(", err));
    for (uint32_t c = 0; c < v->n_children; c++) {
        const char *name = v->type.children[c].name;
        TRY(put(b, c ? ", " : "", err));
        if (named) {
            TRY(put_quoted(b, (span){(const uint8_t *)name, strlen(name)}, err));
            TRY(put(b, ": ", err));
        }
        TRY(put_row(b, &v->children[c], row, err));
    }
    return put(b, named ? "}" : ")", err);
}

static nrw_status put_row(bytes *b, const vector *v, uint32_t row, nrw_error *err)
{
    bool null;
    span s = vector_value(v, row, &null);

    if (null)
        return put(b, "NULL", err);
    switch (v->type.id) {
    case TYPE_LIST: return put_list(b, v, row, err);
    case TYPE_STRUCT: return put_struct(b, v, row, err);
    case TYPE_MAP: return put_map(b, v, row, err);
    default: break;
    }
    if (type_is_text(&v->type) && needs_quotes(s))
        return put_quoted(b, s, err);
    return print_value(&v->type, s, b, err);
}

static nrw_status nested_to_text(const expr *e, const scalar_args *args, vector *out,
                                 nrw_error *err)
{
    bytes row = bytes_init(args->m, INT32_MAX);
    text_out t = {.out = out};
    nrw_status st = NRW_OK;

    (void)e;
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        if (!row_valid(out, i))
            continue;
        bytes_clear(&row);
        st = put_row(&row, args->at[0], i, err);
        if (st == NRW_OK)
            st = text_put(&t, i, row.data, row.len, err);
    }
    text_end(&t);
    bytes_release(&row);
    return st;
}

scalar_eval cast_nested_kernel(const type *from, const type *to)
{
    if (!type_is_nested(from))
        return NULL;
    if (to->id == TYPE_UTF8)
        return nested_to_text;
    if (to->id != from->id)
        return NULL;
    if (from->id == TYPE_STRUCT && !by_name(from, to) && from->n_children != to->n_children)
        return NULL;
    return nested_eval;
}
