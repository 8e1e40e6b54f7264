/* SQL: any text is refused with a place, or parsed; and then what an expression is printed as reads
 * as an expression again, and prints the same. */
#include "sql/parse.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(nrw_status st, const nrw_error *err)
{
    if (st == NRW_OK || st == NRW_E_MEMLIMIT)
        return;
    if (st != NRW_E_ARG || (!strstr(err->message, "character") && !strstr(err->message, "alias"))) {
        fprintf(stderr, "%d: %s\n", (int)st, err->message);
        abort();
    }
}

/* Whether it is printed as words that parse: the forms DuckDB prints for itself alone do not. */
static bool reads_again(const sql_expr *e)
{
    if (!e)
        return true;
    if (e->query || e->over || e->kind == SQL_EXPR_ARRAY || e->kind == SQL_EXPR_STAR ||
        e->kind == SQL_EXPR_PARAM || e->kind == SQL_EXPR_LAMBDA || e->kind == SQL_EXPR_CALL ||
        e->kind == SQL_EXPR_COLLATE || e->kind == SQL_EXPR_CAST || e->kind == SQL_EXPR_IS_TRUE ||
        e->kind == SQL_EXPR_COLUMN || e->kind == SQL_EXPR_POSITION || e->kind == SQL_EXPR_INTERVAL)
        return e->kind == SQL_EXPR_CALL && e->is_operator && e->args.n == 2 &&
               reads_again(e->args.at[0]) && reads_again(e->args.at[1]);
    for (uint32_t i = 0; i < e->args.n; i++)
        if (!reads_again(e->args.at[i]))
            return false;
    return true;
}

static void print(arena *a, const sql_expr *e)
{
    nrw_error err = NRW_ERROR_INIT;
    span text, again;
    sql_expr *second;

    if (sql_print_expr(a, e, &text, &err) < 0 || !reads_again(e))
        return;
    nrw_status st = sql_parse_expr(a, text, &second, &err);
    if (st == NRW_E_MEMLIMIT || (st == NRW_E_ARG && strstr(err.message, "more than")))
        return;
    if (st < 0) {
        fprintf(stderr, "%.*s: %s\n", (int)text.len, (const char *)text.data, err.message);
        abort();
    }
    if (sql_print_expr(a, second, &again, &err) == NRW_OK &&
        (again.len != text.len || memcmp(again.data, text.data, text.len) != 0)) {
        fprintf(stderr, "%.*s\n%.*s\n", (int)text.len, (const char *)text.data, (int)again.len,
                (const char *)again.data);
        abort();
    }
}

static void parse_all(arena *a, span text)
{
    nrw_error err = NRW_ERROR_INIT;
    sql_statement *s;
    sql_expr *e;
    uint32_t n;

    nrw_status st = sql_parse(a, text, &s, &n, &err);
    check(st, &err);
    for (uint32_t i = 0; st == NRW_OK && i < n; i++)
        for (uint32_t k = 0; k < s[i].query->n_items; k++)
            print(a, s[i].query->items[k].expr);
    err = (nrw_error)NRW_ERROR_INIT;
    st = sql_parse_expr(a, text, &e, &err);
    check(st, &err);
    if (st == NRW_OK)
        print(a, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a;
    mem *m;

    if (size > 16384 || mem_root(256 << 20, &m, NULL) < 0)
        return 0;
    if (arena_new(m, &a, NULL) >= 0) {
        parse_all(a, (span){data, size});
        arena_free(a);
    }
    mem_trim();
    if (mem_used(m))
        abort();
    mem_free_account(m);
    return 0;
}
