/* What the options of `copy` and `head` say, as a query: SELECT list FROM sources WHERE .. ORDER BY
 * .. LIMIT n. Each option begins on a line of its own, which is how a message about the text finds
 * the option that it is about. */
#include "api/list_item.h"
#include "api/query_own.h"

#include "expr/expr.h"

#include <stdio.h>
#include <string.h>

#define LONGEST (16 << 20)

/* ---- whether a query is needed ---- */

static bool has_expressions(const nrw_job *job, const char *option)
{
    const job_word *w;
    span item;

    for (size_t i = 0; (w = job_each(job, option, i)); i++)
        for (const char *list = w->value; list_item_next(&list, &item);)
            if (!list_item_is_path(item) && !span_is(item, "*"))
                return true;
    return false;
}

/* Whether a condition is SQL, but not of the language that sources can use. */
static nrw_status takes_sql(const nrw_job *job, const char *text, bool *out, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    sql_expr *e;
    nrw_status st;
    bool plain;

    *out = false;
    TRY(predicate_reads(job->a, text, &plain, err));
    if (plain)
        return NRW_OK;
    st = sql_parse_expr(job->a, span_of(text), &e, &why);
    *out = st >= 0;
    if (st < 0 && st != NRW_E_ARG && err)
        *err = why;
    return st == NRW_E_ARG ? NRW_OK : st;
}

nrw_status query_is_asked(nrw_job *job, bool *asked, nrw_error *err)
{
    const job_word *w;

    *asked = false;
    if (strcmp(job->verb->name, "copy") != 0 && strcmp(job->verb->name, "head") != 0)
        return NRW_OK;
    *asked = job_last(job, "order-by") || job_last(job, "partition-by") ||
             has_expressions(job, "select");
    for (size_t i = 0; !*asked && (w = job_each(job, "where", i)); i++)
        TRY(takes_sql(job, w->value, asked, err));
    return NRW_OK;
}

/* ---- the text ---- */

static nrw_status begin(query_text *t, const char *option, nrw_error *err)
{
    uint32_t line = 1;

    if (t->text.len)
        TRY(bytes_append(&t->text, "\n", 1, err));
    for (size_t i = 0; i < t->text.len; i++)
        line += t->text.data[i] == '\n';
    if (t->n == sizeof t->parts / sizeof *t->parts)
        return err_set(err, NRW_E_ARG, "--%s is given more than 60 times", option);
    t->parts[t->n++] = (query_line){option, line};
    return NRW_OK;
}

/* A bare word is the column of that name, keyword or not. */
static nrw_status put_item(bytes *b, span item, nrw_error *err)
{
    return list_item_is_word(item) ? bytes_quote(b, item, '"', err)
                                   : bytes_append(b, item.data, item.len, err);
}

static nrw_status put_list(query_text *t, const nrw_job *job, const char *option, nrw_error *err)
{
    const job_word *w;
    bool more = false;
    span item;

    TRY(begin(t, option, err));
    for (size_t i = 0; (w = job_each(job, option, i)); i++)
        for (const char *list = w->value; list_item_next(&list, &item); more = true) {
            TRY(bytes_append(&t->text, ", ", more ? 2 : 0, err));
            TRY(put_item(&t->text, item, err));
        }
    return more ? NRW_OK : bytes_append(&t->text, "*", 1, err);
}

/* Whether the select list gives out a column of that name, as far as its words tell. */
static nrw_status selects(const nrw_job *job, span name, bool *out, nrw_error *err)
{
    const job_word *w;
    span item, called;

    *out = job_last(job, "select") == NULL;
    for (size_t i = 0; (w = job_each(job, "select", i)); i++)
        for (const char *list = w->value; !*out && list_item_next(&list, &item);) {
            TRY(list_item_name(job->a, item, &called, err));
            *out = span_equal(called, name) || (item.len && item.data[0] == '*');
        }
    return NRW_OK;
}

/* Keys see the columns of the source, too: what the list does not give out comes behind it. */
static nrw_status put_keys(query_text *t, const nrw_job *job, nrw_error *err)
{
    const job_word *w;
    span item, name;
    bool there = false;

    for (size_t i = 0; (w = job_each(job, "partition-by", i)); i++)
        for (const char *list = w->value; list_item_next(&list, &item);) {
            TRY(list_item_name(job->a, item, &name, err));
            if (list_item_is_path(item))
                TRY(selects(job, name, &there, err));
            if (list_item_is_path(item) && there)
                continue;
            TRY(bytes_append(&t->text, ",", 1, err));
            TRY(begin(t, "partition-by", err));
            TRY(put_item(&t->text, item, err));
        }
    return NRW_OK;
}

static nrw_status put_conditions(query_text *t, const nrw_job *job, nrw_error *err)
{
    const job_word *w;

    for (size_t i = 0; (w = job_each(job, "where", i)); i++) {
        sql_expr *alone;
        nrw_status st = sql_parse_expr(job->a, span_of(w->value), &alone, err);
        if (st < 0)
            return err_wrap(err, st, "--where");
        TRY(bytes_printf(&t->text, err, i ? " AND (" : "\nWHERE ("));
        TRY(begin(t, "where", err));
        TRY(bytes_append(&t->text, w->value, strlen(w->value), err));
        TRY(bytes_printf(&t->text, err, "\n)"));
    }
    return NRW_OK;
}

static nrw_status put_all(query_text *t, nrw_job *job, nrw_error *err)
{
    const char *source = job->sources.n ? job->sources.at[0] : "sources";
    uint64_t limit;

    TRY(bytes_printf(&t->text, err, "SELECT"));
    TRY(put_list(t, job, "select", err));
    TRY(put_keys(t, job, err));
    TRY(bytes_printf(&t->text, err, "\nFROM "));
    TRY(bytes_quote(&t->text, span_of(source), '\'', err));
    TRY(put_conditions(t, job, err));
    if (job_last(job, "order-by")) {
        TRY(bytes_printf(&t->text, err, "\nORDER BY"));
        TRY(put_list(t, job, "order-by", err));
    }
    if (job->verb->moves_rows)
        TRY(job_count(job, "limit", 0, INT64_MAX, INT64_MAX, &limit, err));
    else
        TRY(job_count(job, "rows", 0, INT64_MAX, 10, &limit, err));
    if (limit == INT64_MAX)
        return NRW_OK;
    return bytes_printf(&t->text, err, "\nLIMIT %llu", (unsigned long long)limit);
}

nrw_status query_of_words(nrw_job *job, query_text *t, nrw_error *err)
{
    const char *bad_rows = job_last(job, "on-bad-row");

    if (bad_rows && strcmp(bad_rows, "fail") != 0)
        return err_set(err, NRW_E_ARG,
                       "--on-bad-row %s is for columns as they are, not for expressions", bad_rows);
    t->text = bytes_init(job->words_mem, LONGEST);
    return put_all(t, job, err);
}

/* "line 3, character 9: ..." becomes "--where, character 9: ...". */
void query_blame(const query_text *t, nrw_error *err)
{
    uint32_t line, character, first = 0;
    const char *option = NULL;
    int used = 0;
    char said[sizeof err->message];

    if (!err || sscanf(err->message, "line %u, character %u: %n", &line, &character, &used) < 2 ||
        used == 0)
        return;
    for (uint32_t i = 0; i < t->n; i++)
        if (t->parts[i].line <= line) {
            option = t->parts[i].option;
            first = t->parts[i].line;
        }
    snprintf(said, sizeof said, "%s", err->message + used);
    if (!option)
        err_set(err, err->status, "%s", said);
    else if (line == first)
        err_set(err, err->status, "--%s, character %u: %s", option, character, said);
    else
        err_set(err, err->status, "--%s: %s", option, said);
}
