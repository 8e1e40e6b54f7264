/* Tables that are files. What WHERE says of columns that come from the files' paths is bound before
 * any file is opened, over those columns alone: what cannot be bound so is left to the rows. */
#include "sql/bind_own.h"

/* ---- which files ---- */

typedef struct paths {
    selecting *s;
    span table;
} paths;

static bool list_is_plain(const sql_exprs *list);

/* No subqueries, no windows: nothing that binding would remember. */
static bool is_plain(const sql_expr *e)
{
    return !e || (!e->query && !e->over && e->kind != SQL_EXPR_STAR &&
                  e->kind != SQL_EXPR_POSITION && list_is_plain(&e->args));
}

static bool list_is_plain(const sql_exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (!is_plain(list->at[i]))
            return false;
    return true;
}

static nrw_status add_condition(selecting *over, const sql_expr *e, const expr **out,
                                nrw_error *err)
{
    nrw_error ignored = NRW_ERROR_INIT;
    const expr *x;
    nrw_status st;

    if (e->kind == SQL_EXPR_AND) {
        for (uint32_t i = 0; i < e->args.n; i++)
            TRY(add_condition(over, e->args.at[i], out, err));
        return NRW_OK;
    }
    if (!is_plain(e))
        return NRW_OK;
    st = bind_boolean(over, e, &x, &ignored);
    if (st < 0)
        return only_memory(st, &ignored, err);
    return x->changes ? NRW_OK : expr_and(over->b->a, *out, x, out, err);
}

static nrw_status condition_of_paths(void *self, const schema *columns, const expr **out,
                                     nrw_error *err)
{
    paths *p = self;
    selecting over = {.b = p->s->b, .q = p->s->q, .no_aggregates = true, .clause = "WHERE"};

    *out = NULL;
    if (p->s->unfiltered || !p->s->q || !p->s->q->where)
        return NRW_OK;
    for (uint32_t c = 0; c < columns->n_fields; c++)
        TRY(scope_add(over.b->a, &over.from,
                      (scope_column){p->table, span_of(columns->fields[c].name),
                                     columns->fields[c].type, c, false},
                      err));
    return add_condition(&over, p->s->q->where, out, err);
}

/* ---- read_parquet('x', ..), read_parquet(['x', 'y'], ..) ---- */

static bool is_string(const sql_expr *e)
{
    return e->kind == SQL_EXPR_LITERAL && e->literal == SQL_STRING;
}

bool from_reads_files(const sql_from *f)
{
    return f->kind == SQL_FROM_FUNCTION && span_is_word(f->call->name.text, "read_parquet");
}

static nrw_status take_paths(selecting *s, const sql_expr *e, sql_source *out, nrw_error *err)
{
    span *all;

    if (is_string(e)) {
        out->n = 1;
        out->paths = &e->text;
        return NRW_OK;
    }
    if (e->kind != SQL_EXPR_LIST || e->args.n == 0)
        return query_fail(s->b, e->at, err, "read_parquet takes a path, or a list of paths");
    TRY(arena_alloc(s->b->a, e->args.n * sizeof *all, (void **)&all, err));
    for (uint32_t i = 0; i < e->args.n; i++) {
        if (!is_string(e->args.at[i]))
            return query_fail(s->b, e->args.at[i]->at, err, "a path is a text in quotes");
        all[i] = e->args.at[i]->text;
    }
    out->n = e->args.n;
    out->paths = all;
    return NRW_OK;
}

static nrw_status take_arguments(selecting *s, const sql_expr *call, sql_source *out,
                                 nrw_error *err)
{
    sql_read_option *options;

    if (call->args.n == 0)
        return query_fail(s->b, call->at, err, "read_parquet takes a path, or a list of paths");
    TRY(take_paths(s, call->args.at[0], out, err));
    TRY(arena_alloc(s->b->a, call->args.n * sizeof *options, (void **)&options, err));
    out->options = options;
    for (uint32_t i = 1; i < call->args.n; i++) {
        const sql_expr *e = call->args.at[i];
        span name = call->arg_names.n ? call->arg_names.at[i].text : (span){0};
        if (!name.len)
            return query_fail(s->b, e->at, err,
                              "options of read_parquet have names, as in hive_partitioning = true");
        options[out->n_options++] = (sql_read_option){
            name, is_string(e) ? e->text : (span){s->b->in->text.data + e->at, e->end - e->at}};
    }
    return NRW_OK;
}

/* ---- the face ---- */

nrw_status bind_table(selecting *s, const sql_from *f, span table, sql_table **out, nrw_error *err)
{
    const sql_catalog *catalog = s->b->in->catalog;
    paths p = {s, table};
    sql_source source = {.n = 1, .is_file = true, .condition = condition_of_paths, .self = &p};

    if (from_reads_files(f)) {
        TRY(take_arguments(s, f->call, &source, err));
    } else {
        source.paths = &f->path.at[f->path.n - 1].text;
        source.is_file = f->is_file;
    }
    if (f->column_aliases.n) /* what WHERE calls the columns is not what the paths do */
        source.condition = NULL;
    return bind_at(s->b, f->at, catalog->find(catalog->self, &source, out, err), err);
}
