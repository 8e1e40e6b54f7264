/* Statements: queries, COPY, EXPLAIN, DESCRIBE, SUMMARIZE; all others are refused by name. */
#include "sql/own.h"

/* DESCRIBE and SUMMARIZE of a query, or of a table: of all that is in it. */
static nrw_status described(sql_parser *p, sql_query **out, nrw_error *err)
{
    sql_from *from;

    if (sql_query_at(p, 0) || sql_sign_at(p, 0, "("))
        return sql_query_any(p, out, err);
    TRY(sql_table_path(p, &from, err));
    TRY(sql_query_over(p, from, out, err));
    (*out)->height = 1;
    return NRW_OK;
}

/* EXPLAIN (ANALYZE, FORMAT json): ANALYZE alone changes what is done. */
static nrw_status explain_options(sql_parser *p, sql_statement *s, nrw_error *err)
{
    do {
        if (sql_take_word(p, "analyze") || sql_take_word(p, "analyse"))
            s->analyze = true;
        else
            return sql_expected(p, "ANALYZE", err);
    } while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

static nrw_status explain(sql_parser *p, sql_statement *s, nrw_error *err)
{
    p->i++;
    s->analyze = sql_take_word(p, "analyze");
    if (!sql_query_at(p, 0) && sql_take_sign(p, "("))
        TRY(explain_options(p, s, err));
    if (sql_take_word(p, "copy")) {
        s->explains = true;
        return sql_copy_statement(p, s, err);
    }
    s->kind = SQL_EXPLAIN;
    return sql_query_any(p, &s->query, err);
}

static nrw_status refused(const sql_parser *p, nrw_error *err)
{
    static const char *const verbs[] = {
        "alter",    "analyze", "attach",   "begin",   "call",   "checkpoint", "comment",
        "commit",   "create",  "delete",   "detach",  "drop",   "execute",    "export",
        "import",   "insert",  "install",  "load",    "merge",  "pragma",     "prepare",
        "rollback", "set",     "truncate", "update",  "use",    "vacuum",     "reset",
        "show",     "pivot",   "unpivot",  "explain", "upsert", "deallocate", "start"};
    const sql_token *t = sql_peek(p, 0);

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (sql_word_at(p, 0, verbs[i]))
            return sql_fail_at(p, t->at, err,
                               "%.*s is not supported; SELECT, COPY .. TO, EXPLAIN, DESCRIBE and "
                               "SUMMARIZE are",
                               (int)t->text.len, (const char *)t->text.data);
    return sql_expected(p, "SELECT, FROM, WITH, COPY, EXPLAIN, DESCRIBE or SUMMARIZE", err);
}

nrw_status sql_statement_next(sql_parser *p, sql_statement *s, nrw_error *err)
{
    s->at = sql_peek(p, 0)->at;
    p->high = 0;
    if (sql_word_at(p, 0, "explain"))
        return explain(p, s, err);
    if (sql_take_word(p, "copy"))
        return sql_copy_statement(p, s, err);
    if (sql_take_word(p, "describe") || sql_take_word(p, "desc")) {
        s->kind = SQL_DESCRIBE;
        return described(p, &s->query, err);
    }
    if (sql_take_word(p, "summarize")) {
        s->kind = SQL_SUMMARIZE;
        return described(p, &s->query, err);
    }
    s->kind = SQL_SELECT;
    if (!sql_sign_at(p, 0, "(") && (!sql_query_at(p, 0) || sql_word_at(p, 0, "show") ||
                                    sql_word_at(p, 0, "pivot") || sql_word_at(p, 0, "unpivot")))
        return refused(p, err);
    return sql_query_any(p, &s->query, err);
}
