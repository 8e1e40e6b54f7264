#include "api/query_keys.h"

#include "api/list_item.h"

/* ---- of COPY ---- */

static const sql_option *partition_by(const sql_statement *s)
{
    for (uint32_t i = 0; i < s->n_options; i++)
        if (span_is_word(s->options[i].name.text, "partition_by"))
            return &s->options[i];
    return NULL;
}

static bool is_column(const sql_option *o, uint32_t i)
{
    const sql_expr *e = o->values.at[i];

    return e->kind == SQL_EXPR_COLUMN && e->names.n == 1 && o->aliases.at[i].text.len == 0;
}

static nrw_status name_key(arena *a, const sql_option *o, uint32_t i, span *out, nrw_error *err)
{
    *out = o->aliases.at[i].text;
    if (is_column(o, i))
        *out = o->values.at[i]->names.at[0].text;
    return out->len ? NRW_OK : sql_print_expr(a, o->values.at[i], out, err);
}

/* SELECT *, expression AS name, ... FROM (inner) */
static nrw_status wrap(arena *a, sql_query *inner, const sql_option *o, const query_keys *keys,
                       sql_query **out, nrw_error *err)
{
    sql_query *q;
    sql_from *from;
    sql_expr *star;

    TRY(arena_alloc(a, sizeof *q, (void **)&q, err));
    TRY(arena_alloc(a, sizeof *from, (void **)&from, err));
    TRY(arena_alloc(a, sizeof *star, (void **)&star, err));
    *star = (sql_expr){.kind = SQL_EXPR_STAR, .at = inner->at, .end = inner->at, .height = 1};
    *from = (sql_from){.kind = SQL_FROM_QUERY, .at = inner->at, .query = inner};
    *q = (sql_query){.at = inner->at, .height = inner->height + 1, .from = from};
    TRY(arena_alloc(a, (keys->n + 1) * sizeof *q->items, (void **)&q->items, err));
    q->items[q->n_items++] = (sql_item){.expr = star};
    for (uint32_t i = 0; i < keys->n; i++)
        if (!is_column(o, i))
            q->items[q->n_items++] =
                (sql_item){o->values.at[i], {keys->names[i], true, o->values.at[i]->at}};
    *out = q->n_items > 1 ? q : inner;
    return NRW_OK;
}

nrw_status query_keys_of_copy(arena *a, const sql_statement *s, sql_query **out, query_keys *keys,
                              nrw_error *err)
{
    const sql_option *o = partition_by(s);

    *keys = (query_keys){0};
    *out = s->query;
    if (!o)
        return NRW_OK;
    TRY(arena_alloc(a, (o->values.n + 1) * sizeof *keys->names, (void **)&keys->names, err));
    for (; keys->n < o->values.n; keys->n++)
        TRY(name_key(a, o, keys->n, &keys->names[keys->n], err));
    return wrap(a, s->query, o, keys, out, err);
}

/* ---- of words ---- */

nrw_status query_keys_of_words(const nrw_job *job, arena *a, query_keys *keys, nrw_error *err)
{
    const job_word *w;
    size_t most = 0;
    span item;

    *keys = (query_keys){0};
    for (size_t i = 0; (w = job_each(job, "partition-by", i)); i++)
        most += strlen(w->value) / 2 + 1;
    if (most == 0)
        return NRW_OK;
    TRY(arena_alloc(a, most * sizeof *keys->names, (void **)&keys->names, err));
    for (size_t i = 0; (w = job_each(job, "partition-by", i)); i++)
        for (const char *list = w->value; list_item_next(&list, &item);)
            TRY(list_item_name(a, item, &keys->names[keys->n++], err));
    for (uint32_t i = 0; i < keys->n; i++)
        if (keys->names[i].len == 0) {
            err_next(err, "as in year(day) AS year");
            return err_set(err, NRW_E_ARG, "--partition-by: an expression has no name");
        }
    return NRW_OK;
}

/* ---- in a plan ---- */

static nrw_status find(const plan *p, span name, uint32_t *place, nrw_error *err)
{
    for (uint32_t c = p->n; c-- > 0;)
        if (span_equal(p->columns[c].name, name)) {
            *place = c;
            return NRW_OK;
        }
    for (uint32_t c = p->n; c-- > 0;)
        if (span_alike(p->columns[c].name, name)) {
            *place = c;
            return NRW_OK;
        }
    return err_set(err, NRW_E_ARG, "--partition-by: what is written has no column %.*s",
                   (int)name.len, (const char *)name.data);
}

nrw_status query_keys_find(const query_keys *keys, const plan *p, arena *a, uint32_t **places,
                           nrw_error *err)
{
    TRY(arena_alloc(a, keys->n * sizeof **places + 1, (void **)places, err));
    for (uint32_t i = 0; i < keys->n; i++) {
        TRY(find(p, keys->names[i], &(*places)[i], err));
        for (uint32_t k = 0; k < i; k++)
            if ((*places)[k] == (*places)[i])
                return err_set(err, NRW_E_ARG, "--partition-by: %.*s is named twice",
                               (int)keys->names[i].len, (const char *)keys->names[i].data);
    }
    if (keys->n == p->n)
        return err_set(err, NRW_E_ARG,
                       "--partition-by: all columns are keys, none is left for the files");
    return NRW_OK;
}
