/* Lambdas: the parameters are columns of the body alone; other columns that it looks at go to the
 * call as arguments. */
#include "sql/bind_own.h"

#define MAX_PARAMS 2u

typedef struct lambda_scope {
    const sql_names *params;
    const type *types;
    uint32_t base; /* number of the first parameter */
    const struct lambda_scope *before;
} lambda_scope;

nrw_status bind_lambda_param(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    *out = NULL;
    for (const lambda_scope *l = s->lambdas; l; l = l->before)
        for (uint32_t i = 0; i < l->params->n; i++)
            if (span_alike(l->params->at[i].text, e->names.at[0].text))
                return expr_column(s->b->a, l->base + i, &l->types[i], out, err);
    return NRW_OK;
}

/* What the body looks at besides its own parameters. */
typedef struct capturing {
    arena *a;
    uint32_t base, n_params;
    const expr **args; /* the list, then captured columns */
    uint32_t n, cap;
    nrw_status st;
    nrw_error *err;
} capturing;

static nrw_status capture(capturing *w, const expr *e)
{
    if (e->kind == EXPR_COLUMN && (e->column < w->base || e->column >= w->base + w->n_params)) {
        for (uint32_t i = 1; i < w->n; i++)
            if (w->args[i]->column == e->column)
                return NRW_OK;
        LIST_ADD(w->a, w->args, w->n, w->cap, e, w->err);
    }
    for (uint32_t i = 0; i < e->n_args; i++)
        TRY(capture(w, e->args[i]));
    return NRW_OK;
}

static uint32_t number_of(void *self, uint32_t c)
{
    const capturing *w = self;

    if (c >= w->base && c < w->base + w->n_params)
        return c - w->base;
    for (uint32_t i = 1; i < w->n; i++)
        if (w->args[i]->column == c)
            return w->n_params + i - 1;
    return c;
}

nrw_status bind_lambda_call(selecting *s, const sql_expr *e, const char *name, const expr **out,
                            nrw_error *err)
{
    const sql_expr *lambda = e->args.n == 2 ? e->args.at[1] : NULL;
    type types[MAX_PARAMS] = {type_of(TYPE_NULL), type_of(TYPE_INT64)};
    lambda_scope scope = {.types = types, .before = s->lambdas};
    capturing w = {.a = s->b->a, .err = err};
    const expr *list, *body;
    nrw_status st;

    if (!lambda || lambda->kind != SQL_EXPR_LAMBDA || lambda->names.n > MAX_PARAMS)
        return query_fail(s->b, e->at, err, "%s takes a list and a lambda of one or two parameters",
                          name);
    TRY(bind_expr(s, e->args.at[0], &list, err));
    if (list->type.id != TYPE_LIST)
        return query_fail(s->b, e->at, err, "%s takes a list and a lambda", name);
    types[0] = list->type.children[0].type;
    scope.params = &lambda->names;
    scope.base = s->lambdas ? s->lambdas->base + MAX_PARAMS : LAMBDA_BASE;
    s->lambdas = &scope;
    st = bind_expr(s, lambda->args.at[0], &body, err);
    s->lambdas = scope.before;
    TRY(st);
    w.base = scope.base;
    w.n_params = lambda->names.n;
    LIST_ADD(w.a, w.args, w.n, w.cap, list, err);
    TRY(capture(&w, body));
    TRY(expr_renumber(w.a, body, number_of, &w, &body, err));
    return bind_at(s->b, e->at, expr_lambda(w.a, name, w.args, w.n, w.n_params, body, out, err),
                   err);
}
