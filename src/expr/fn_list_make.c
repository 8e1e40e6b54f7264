/* Making lists, structs and maps of values. */
#include "expr/function_sets.h"
#include "expr/list_out.h"
#include "expr/order.h"

static nrw_status list_value_bind(binding *b, nrw_error *err)
{
    type t;

    TRY(bind_common(b, &t, err));
    for (uint32_t i = 0; i < b->n; i++)
        b->want[i] = t;
    return type_list(b->a, &t, &b->result, err);
}

/* Row i is the i-th row of each argument. */
static nrw_status list_value_eval(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    size_t total = (size_t)args->rows * args->n, bytes;
    vector *parts, all = {0};
    uint32_t *idx, base = 0;
    nrw_status st;
    void *p;

    (void)e;
    if (total >= VECTOR_NULL)
        return err_set(err, NRW_E_UNSUPPORTED, "lists of %zu elements in a batch", total);
    for (uint32_t i = 0; i <= args->rows; i++)
        OUT(uint32_t, out)[i] = i * args->n;
    if (args->n == 0)
        return vector_flat(args->m, &out->type.children[0].type, 0, &out->children[0], err);
    bytes = args->n * sizeof(vector) + total * sizeof *idx;
    TRY(mem_alloc(args->m, bytes, &p, err));
    parts = p;
    idx = (uint32_t *)(void *)(parts + args->n);
    for (uint32_t k = 0; k < args->n; k++) {
        parts[k] = *args->at[k];
        for (uint32_t i = 0; i < args->rows; i++)
            idx[(size_t)i * args->n + k] = base + ROW(args, k, i);
        base += parts[k].len;
    }
    st = vector_concat(parts, args->n, args->m, &all, err);
    if (st == NRW_OK)
        st = vector_pick(&all, idx, (uint32_t)total, args->m, &out->children[0], err);
    vector_release(&all);
    mem_free(args->m, p, bytes);
    return st;
}

static nrw_status struct_bind(binding *b, nrw_error *err)
{
    bool named = b->name[0] == 's';
    field *f;
    char *name;
    void *p;

    if (named && !b->names)
        return bind_fail(err, "%s: each value has a name (a := 1)", b->name);
    TRY(arena_alloc(b->a, (b->n + 1) * sizeof *f, &p, err));
    f = p;
    for (uint32_t i = 0; i < b->n; i++) {
        span s = named ? b->names[i] : (span){0};
        TRY(arena_strndup(b->a, s.data ? (const char *)s.data : "", s.len, &name, err));
        f[i] = (field){.name = name, .type = b->want[i], .nullable = true, .field_id = -1};
    }
    b->result = type_nested(TYPE_STRUCT, f, b->n);
    return NRW_OK;
}

static nrw_status struct_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    uint32_t *idx;
    void *p;
    nrw_status st = NRW_OK;

    (void)e;
    TRY(mem_alloc(args->m, args->rows * sizeof *idx, &p, err));
    idx = p;
    for (uint32_t k = 0; k < args->n && st == NRW_OK; k++) {
        for (uint32_t i = 0; i < args->rows; i++)
            idx[i] = ROW(args, k, i);
        st = vector_pick(args->at[k], idx, args->rows, args->m, &out->children[k], err);
    }
    mem_free(args->m, p, args->rows * sizeof *idx);
    return st;
}

/* map([keys], [values]): both lists of a row have one length, keys are there and differ. */
static nrw_status map_bind(binding *b, nrw_error *err)
{
    field *f;
    void *p;

    TRY(arena_alloc(b->a, 2 * sizeof *f, &p, err));
    f = p;
    for (uint32_t k = 0; k < 2; k++) {
        if (b->want[k].id != TYPE_LIST)
            return bind_fail(err, "map: keys and values are lists");
        f[k] = b->want[k].children[0];
    }
    f[0].name = "key";
    f[0].nullable = false;
    f[1].name = "value";
    b->result = type_nested(TYPE_MAP, f, 2);
    return NRW_OK;
}

static nrw_status check_keys(const vector *keys, uint32_t from, uint32_t to, nrw_error *err)
{
    for (uint32_t k = from; k < to; k++) {
        bool null;
        vector_value(keys, k, &null);
        if (null)
            return err_set(err, NRW_E_VALUE, "map: a key is null");
        for (uint32_t j = from; j < k; j++)
            if (row_order(keys, j, keys, k) == 0)
                return err_set(err, NRW_E_VALUE, "map: two keys are equal");
    }
    return NRW_OK;
}

static nrw_status map_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    vector whole[2] = {{.len = 0}, {.len = 0}};
    uint32_t *idx;
    void *p;
    nrw_status st = NRW_OK;

    (void)e;
    TRY(mem_alloc(args->m, args->rows * sizeof *idx, &p, err));
    idx = p;
    for (uint32_t k = 0; k < 2 && st == NRW_OK; k++) {
        for (uint32_t i = 0; i < args->rows; i++)
            idx[i] = row_valid(out, i) ? ROW(args, k, i) : VECTOR_NULL;
        st = vector_pick(args->at[k], idx, args->rows, args->m, &whole[k], err);
    }
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        const uint32_t *x = vector_offsets(&whole[0]), *y = vector_offsets(&whole[1]);
        if (x[i + 1] != y[i + 1])
            st = err_set(err, NRW_E_VALUE, "map: as many keys as values");
        else
            st = check_keys(&whole[0].children[0], x[i], x[i + 1], err);
    }
    if (st == NRW_OK) {
        memcpy(out->data, whole[0].data, ((size_t)args->rows + 1) * sizeof(uint32_t));
        for (uint32_t k = 0; k < 2; k++) {
            out->children[k] = whole[k].children[0];
            whole[k].children[0] = (vector){0};
        }
    }
    vector_release(&whole[0]);
    vector_release(&whole[1]);
    mem_free(args->m, p, args->rows * sizeof *idx);
    return st;
}

static const function rows[] = {
    {"list_value", "", "!", list_value_eval, SEES_NULLS, list_value_bind},
    {"list_value", "*+", "!", list_value_eval, SEES_NULLS, list_value_bind},
    {"list_pack", "*+", "!", list_value_eval, SEES_NULLS, list_value_bind},
    {"struct_pack", "*+", "!", struct_eval, SEES_NULLS, struct_bind},
    {"row", "*+", "!", struct_eval, SEES_NULLS, struct_bind},
    {"map", "LL", "!", map_eval, FAILS, map_bind},
};

const function_set functions_list_make = FUNCTION_SET(rows);
