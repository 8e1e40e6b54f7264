/* What the tests of the SQL parser share: an arena a test, and parsing that must go well or not. */
#ifndef SQL_TESTING_H
#define SQL_TESTING_H

#include "sql/parse.h"
#include "testing.h"

static nrw_error err = NRW_ERROR_INIT;
static mem *account;
static arena *a;

static inline int set_up(void **state)
{
    (void)state;
    account = test_mem_open(256 << 20);
    assert_ok(arena_new(account, &a, &err), &err);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    arena_free(a);
    test_mem_close(account);
    return 0;
}

static inline span text_of(const char *text)
{
    return (span){(const uint8_t *)text, strlen(text)};
}

static inline void assert_text(span got, const char *want)
{
    if (got.len != strlen(want) || memcmp(got.data, want, got.len) != 0)
        fail_msg("%.*s, wanted %s", (int)got.len, (const char *)got.data, want);
}

static inline sql_expr *expr(const char *text)
{
    sql_expr *e;

    assert_ok(sql_parse_expr(a, text_of(text), &e, &err), &err);
    return e;
}

static inline sql_statement *statements(const char *text, uint32_t want)
{
    sql_statement *s;
    uint32_t n;

    assert_ok(sql_parse(a, text_of(text), &s, &n, &err), &err);
    assert_int_equal(n, want);
    return s;
}

static inline sql_query *query(const char *text)
{
    return statements(text, 1)->query;
}

static inline void refused(const char *text, const char *want)
{
    sql_statement *s;
    uint32_t n;
    nrw_error e = NRW_ERROR_INIT;

    assert_int_equal(sql_parse(a, text_of(text), &s, &n, &e), NRW_E_ARG);
    if (!strstr(e.message, want))
        fail_msg("%s: %s, wanted %s", text, e.message, want);
}

#endif
