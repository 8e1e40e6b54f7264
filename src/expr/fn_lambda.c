#include "expr/fn_lambda.h"

#include "expr/list_out.h"

#include <strings.h>

/* Columns of the body: the element, its place (if it is asked for), then what the call's arguments
 * behind the list are for its row. */
typedef struct lambda {
    const expr *body;
    uint32_t n_params;
    bool filters;
} lambda;

/* ---- evaluating ---- */

/* The elements of all rows, one behind the other. */
typedef struct elements {
    uint32_t n;
    uint32_t *at, *row; /* of each: where it is among the list's children, and its row */
    int64_t *place;     /* in its list, from 1 */
    size_t bytes;
    void *room;
} elements;

static nrw_status elements_of(const scalar_args *args, elements *out, nrw_error *err)
{
    const vector *v = args->at[0];
    const uint32_t *offsets = vector_offsets(v);
    uint64_t n = 0;

    for (uint32_t i = 0; i < args->rows; i++) {
        uint32_t k = ROW(args, 0, i);
        if (vector_is_valid(v, k))
            n += offsets[k + 1] - offsets[k];
    }
    if (n > UINT32_MAX / 2)
        return err_set(err, NRW_E_UNSUPPORTED, "lists of %llu elements in a batch",
                       (unsigned long long)n);
    *out = (elements){.bytes = (size_t)n * 16 + 1};
    TRY(mem_alloc(args->m, out->bytes, &out->room, err));
    out->place = out->room;
    out->at = (uint32_t *)(void *)(out->place + n);
    out->row = out->at + n;
    for (uint32_t i = 0; i < args->rows; i++) {
        uint32_t k = ROW(args, 0, i);
        for (uint32_t c = offsets[k]; vector_is_valid(v, k) && c < offsets[k + 1]; c++) {
            out->at[out->n] = c;
            out->row[out->n] = i;
            out->place[out->n++] = (int64_t)(c - offsets[k]) + 1;
        }
    }
    return NRW_OK;
}

static nrw_status places(const elements *x, mem *m, vector *out, nrw_error *err)
{
    const type bigint = type_of(TYPE_INT64);

    TRY(vector_flat(m, &bigint, x->n, out, err));
    memcpy(out->data, x->place, x->n * sizeof *x->place);
    out->len = x->n;
    return NRW_OK;
}

/* What call argument k is for each element. */
static nrw_status captured(const scalar_args *args, uint32_t k, const elements *x, vector *out,
                           nrw_error *err)
{
    uint32_t *idx;
    void *p;

    TRY(mem_alloc(args->m, x->n * sizeof *idx + 1, &p, err));
    idx = p;
    for (uint32_t i = 0; i < x->n; i++)
        idx[i] = ROW(args, k, x->row[i]);
    nrw_status st = vector_pick(args->at[k], idx, x->n, args->m, out, err);
    mem_free(args->m, p, x->n * sizeof *idx + 1);
    return st;
}

/* The body for all elements; values[0] are the elements themselves. */
static nrw_status body_eval(const lambda *l, const scalar_args *args, const elements *x,
                            vector *values, vector *out, nrw_error *err)
{
    uint32_t n = l->n_params + args->n - 1;
    const vector *at[n];
    vector whole = {0};
    nrw_status st;

    st = vector_pick(&args->at[0]->children[0], x->at, x->n, args->m, &values[0], err);
    if (st == NRW_OK && l->n_params > 1)
        st = places(x, args->m, &values[1], err);
    for (uint32_t k = 1; st == NRW_OK && k < args->n; k++)
        st = captured(args, k, x, &values[l->n_params + k - 1], err);
    for (uint32_t c = 0; c < n; c++)
        at[c] = &values[c];
    if (st == NRW_OK)
        st = expr_eval(l->body, at, x->n, args->m, &whole, err);
    if (st == NRW_OK)
        st = vector_flatten(&whole, args->m, out, err);
    vector_release(&whole);
    return st;
}

/* Elements whose answer is true are kept; out->data counts them by rows. */
static nrw_status keep(const scalar_args *args, elements *x, const vector *truth,
                       const vector *from, vector *kept, nrw_error *err)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->n; i++)
        if (vector_is_valid(truth, i) && truth->data[i]) {
            x->row[n] = x->row[i];
            x->at[n++] = i;
        }
    x->n = n;
    return vector_pick(from, x->at, n, args->m, kept, err);
}

static nrw_status close_rows(const scalar_args *args, const elements *x, vector *out,
                             nrw_error *err)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < args->rows; i++) {
        while (at < x->n && x->row[at] == i)
            at++;
        OUT(uint32_t, out)[i + 1] = at;
        if (!vector_is_valid(args->at[0], ROW(args, 0, i)))
            TRY(row_null(out, i, err));
    }
    return NRW_OK;
}

static nrw_status lambda_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const lambda *l = e->data;
    uint32_t n = l->n_params + args->n - 1;
    vector values[n], answer = {0};
    elements x;
    nrw_status st;

    memset(values, 0, sizeof values);
    TRY(elements_of(args, &x, err));
    st = body_eval(l, args, &x, values, &answer, err);
    if (st == NRW_OK && l->filters)
        st = keep(args, &x, &answer, &values[0], &out->children[0], err);
    if (st == NRW_OK && !l->filters) {
        out->children[0] = answer;
        answer = (vector){0};
    }
    if (st == NRW_OK)
        st = close_rows(args, &x, out, err);
    vector_release(&answer);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&values[c]);
    mem_free(args->m, x.room, x.bytes);
    return st;
}

/* ---- binding ---- */

static const struct {
    const char *name;
    bool filters;
} names[] = {{"list_transform", false}, {"array_transform", false},
             {"list_apply", false},     {"array_apply", false},
             {"apply", false},          {"list_filter", true},
             {"array_filter", true},    {"filter", true}};
#define N_NAMES (sizeof names / sizeof *names)

static const function functions[] = {{"list_transform", "*+", "!", lambda_eval, SEES_NULLS, NULL},
                                     {"list_filter", "*+", "!", lambda_eval, SEES_NULLS, NULL}};

bool expr_takes_lambda(const char *name)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (strcasecmp(name, names[i].name) == 0)
            return true;
    return false;
}

nrw_status expr_lambda(arena *a, const char *name, const expr *const *args, uint32_t n,
                       uint32_t n_params, const expr *body, const expr **out, nrw_error *err)
{
    const type truth = type_of(TYPE_BOOL);
    binding b = {.a = a, .n = n, .n_written = n, .sees_nulls = true, .eval = lambda_eval};
    lambda *l;
    void *p;

    TRY(arena_alloc(a, sizeof *l, &p, err));
    b.data = l = p;
    for (size_t i = 0; i < N_NAMES; i++)
        if (strcasecmp(name, names[i].name) == 0)
            l->filters = names[i].filters;
    if (args[0]->type.id != TYPE_LIST)
        return bind_fail(err, "%s takes a list and a lambda", name);
    l->n_params = n_params;
    l->body = body;
    b.result = args[0]->type;
    if (l->filters)
        TRY(expr_cast(a, body, &truth, false, &l->body, err));
    else
        TRY(type_list(a, &body->type, &b.result, err));
    TRY(arena_alloc(a, n * sizeof *args, &p, err));
    b.args = b.written = p;
    for (uint32_t i = 0; i < n; i++)
        b.args[i] = args[i];
    b.f = &functions[l->filters];
    b.fails = l->body->fails;
    b.changes = l->body->changes;
    return make_call(&b, out, err);
}

bool lambda_equal(const expr *a, const expr *b)
{
    const lambda *x = a->data, *y = b->data;

    if (a->eval != lambda_eval || b->eval != lambda_eval)
        return a->eval == b->eval;
    return x->n_params == y->n_params && x->filters == y->filters && expr_equal(x->body, y->body);
}
