/* Parses queries for tests. In: texts, each closed by a zero byte. Out, for each, closed by one
 * too: "E" and the error, or "Q" and what the columns of the last statement are called, each behind
 * a byte 1; a byte 2 stands for what depends on the
 * columns of tables. */
#include "sql/parse.h"

#include <stdio.h>
#include <stdlib.h>

static void put(span text)
{
    fputc(1, stdout);
    fwrite(text.data, 1, text.len, stdout);
}

/* Whether what it comes to depends on the columns there are. */
static bool has_star(const sql_expr *e)
{
    bool any = e && (e->kind == SQL_EXPR_STAR || e->kind == SQL_EXPR_POSITION);

    for (uint32_t i = 0; e && i < e->args.n && !any; i++)
        any = has_star(e->args.at[i]);
    return any;
}

static nrw_status names(arena *a, const sql_query *q, nrw_error *err)
{
    bool by_name = false;

    for (; q->set; q = q->left)
        by_name |= q->by_name;
    for (uint32_t i = 0; q->n_rows && i < q->rows[0].n; i++) {
        char name[20];
        int n = snprintf(name, sizeof name, "col%u", i);
        put((span){(const uint8_t *)name, (size_t)n});
    }
    if (!q->n_rows && !q->n_items)
        put((span){(const uint8_t *)"\2", 1});
    for (uint32_t i = 0; i < q->n_items; i++) {
        span text = q->items[i].alias.text;
        if (has_star(q->items[i].expr) && !text.len)
            text = (span){(const uint8_t *)"\2", 1};
        else if (!text.len)
            TRY(sql_print_expr(a, q->items[i].expr, &text, err));
        put(text);
    }
    if (by_name)
        put((span){(const uint8_t *)"\2", 1});
    return NRW_OK;
}

static void one(mem *m, const char *text, size_t len)
{
    nrw_error err = NRW_ERROR_INIT;
    sql_statement *s;
    uint32_t n;
    arena *a;

    if (arena_new(m, &a, &err) < 0)
        abort();
    nrw_status st = sql_parse(a, (span){(const uint8_t *)text, len}, &s, &n, &err);
    if (st == NRW_OK) {
        fputc('Q', stdout);
        if (n && s[n - 1].query)
            st = names(a, s[n - 1].query, &err);
    }
    if (st < 0)
        printf("E%s", err.message);
    fputc(0, stdout);
    arena_free(a);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    mem *m;

    if (mem_root(1 << 30, &m, NULL) < 0)
        return 1;
    while ((n = getdelim(&line, &room, 0, stdin)) > 0)
        one(m, line, (size_t)n - (line[n - 1] == 0));
    free(line);
    mem_trim();
    mem_free_account(m);
    return 0;
}
