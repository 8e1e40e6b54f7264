/* Fields of structs; keys and values of maps. */
#include "expr/function_sets.h"
#include "expr/list_out.h"
#include "expr/text.h"

typedef struct field_at {
    uint32_t at;
} field_at;

static nrw_status field_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    vector_release(out);
    return vector_flatten(&args->at[0]->children[((const field_at *)e->data)->at], args->m, out,
                          err);
}

int32_t expr_field(const expr *e)
{
    return e->kind == EXPR_CALL && e->eval == field_eval ? (int32_t)((const field_at *)e->data)->at
                                                         : -1;
}

static nrw_status field_bind(binding *b, nrw_error *err)
{
    const type *t = &b->want[0];
    uint32_t found = UINT32_MAX;
    int64_t place;
    field_at *f;
    span name;
    void *p;

    if (constant_int(b->args[1], &place)) {
        found = place >= 1 && place <= t->n_children ? (uint32_t)place - 1 : UINT32_MAX;
    } else if (constant_text(b->args[1], &name)) {
        for (uint32_t i = 0; i < t->n_children && found == UINT32_MAX; i++)
            if (span_equal(name, (span){(const uint8_t *)t->children[i].name,
                                        strlen(t->children[i].name)}))
                found = i;
        for (uint32_t i = 0; i < t->n_children && found == UINT32_MAX; i++)
            if (span_is_word(name, t->children[i].name))
                found = i;
    }
    if (found == UINT32_MAX)
        return bind_fail(err, "%s: the struct has no such field", b->name);
    TRY(arena_alloc(b->a, sizeof *f, &p, err));
    f = p;
    f->at = found;
    b->data = f;
    b->result = t->children[found].type;
    b->n = 1;
    return NRW_OK;
}

static nrw_status map_list_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    memcpy(out->data, args->at[0]->data, ((size_t)args->rows + 1) * sizeof(uint32_t));
    return vector_share(&args->at[0]->children[e->f->name[4] == 'v'], &out->children[0], err);
}

static nrw_status map_list_bind(binding *b, nrw_error *err)
{
    if (b->want[0].id != TYPE_MAP)
        return bind_fail(err, "%s: not a map", b->name);
    return type_list(b->a, &b->want[0].children[b->name[4] == 'v'].type, &b->result, err);
}

/* map[k]: the value, or null. */
static nrw_status map_value_eval(const expr *e, const scalar_args *args, vector *out,
                                 nrw_error *err)
{
    const vector *v = args->at[0];
    uint32_t *idx, at;
    nrw_status st;
    void *p;

    (void)e;
    TRY(mem_alloc(args->m, args->rows * sizeof *idx, &p, err));
    idx = p;
    for (uint32_t i = 0; i < args->rows; i++) {
        uint32_t row = ROW(args, 0, i);
        at = row_valid(out, i) ? list_find(v, row, args->at[1], ROW(args, 1, i)) : 0;
        idx[i] = at ? vector_offsets(v)[row] + at - 1 : VECTOR_NULL;
    }
    st = pick_into(&v->children[1], idx, args, out, err);
    mem_free(args->m, p, args->rows * sizeof *idx);
    return st;
}

static nrw_status map_contains_eval(const expr *e, const scalar_args *args, vector *out,
                                    nrw_error *err)
{
    (void)e;
    (void)err;
    for (uint32_t i = 0; i < args->rows; i++)
        if (row_valid(out, i))
            out->data[i] =
                list_find(args->at[0], ROW(args, 0, i), args->at[1], ROW(args, 1, i)) != 0;
    return NRW_OK;
}

static nrw_status map_key_bind(binding *b, nrw_error *err)
{
    if (b->want[0].id != TYPE_MAP)
        return bind_fail(err, "%s: not a map", b->name);
    b->want[1] = b->want[0].children[0].type;
    if (b->f->result[0] == '!')
        b->result = b->want[0].children[1].type;
    return NRW_OK;
}

static const function rows[] = {
    {"array_extract", "P*", "!", map_value_eval, 0, map_key_bind},
    {"map_extract_value", "P*", "!", map_value_eval, 0, map_key_bind},
    {"map_contains", "P*", "b", map_contains_eval, 0, map_key_bind},
    {"map_keys", "P", "!", map_list_eval, 0, map_list_bind},
    {"map_values", "P", "!", map_list_eval, 0, map_list_bind},
    {"struct_extract", "R*", "!", field_eval, 0, field_bind},
    {"struct_extract_at", "R8", "!", field_eval, 0, field_bind},
    {"array_extract", "R*", "!", field_eval, 0, field_bind},
};

const function_set functions_map = FUNCTION_SET(rows);
