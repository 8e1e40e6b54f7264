/* The entry points, the place among the tokens, names, and how errors say where. */
#include "sql/own.h"

#include "base/utf8.h"

#include <stdio.h>

nrw_status sql_vfail(span text, size_t at, nrw_error *err, const char *fmt, va_list ap)
{
    char said[400], line_said[32] = "";
    size_t line = 1, character = 1;
    bool lines = memchr(text.data, '\n', text.len) != NULL;

    for (size_t i = 0; i < at && i < text.len; i++) {
        character += (text.data[i] & 0xC0) != 0x80;
        if (text.data[i] == '\n') {
            line++;
            character = 1;
        }
    }
    vsnprintf(said, sizeof said, fmt, ap);
    if (lines)
        snprintf(line_said, sizeof line_said, "line %zu, ", line);
    return err_set(err, NRW_E_ARG, "%scharacter %zu: %s", line_said, character, said);
}

bool sql_has_place(const char *message)
{
    return strncmp(message, "line ", 5) == 0 || strncmp(message, "character ", 10) == 0;
}

nrw_status sql_fail(span text, size_t at, nrw_error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    nrw_status st = sql_vfail(text, at, err, fmt, ap);
    va_end(ap);
    return st;
}

nrw_status sql_fail_at(const sql_parser *p, size_t at, nrw_error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    nrw_status st = sql_vfail(p->text, at, err, fmt, ap);
    va_end(ap);
    return st;
}

nrw_status sql_expected(const sql_parser *p, const char *what, nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);
    int n = (int)utf8_cut(p->text.data + t->at, t->end - t->at, 40);

    if (t->kind == SQL_TOKEN_END)
        return sql_fail_at(p, t->at, err, "expected %s, found the end", what);
    return sql_fail_at(p, t->at, err, "expected %s, found %.*s", what, n,
                       (const char *)p->text.data + t->at);
}

/* ---- tokens ---- */

const sql_token *sql_peek(const sql_parser *p, uint32_t k)
{
    return &p->tokens[k < p->n - p->i ? p->i + k : p->n - 1];
}

bool sql_word_at(const sql_parser *p, uint32_t k, const char *word)
{
    const sql_token *t = sql_peek(p, k);

    return t->kind == SQL_TOKEN_WORD && span_is_word(t->text, word);
}

bool sql_words_at(const sql_parser *p, const char *first, const char *second)
{
    return sql_word_at(p, 0, first) && sql_word_at(p, 1, second);
}

bool sql_sign_at(const sql_parser *p, uint32_t k, const char *sign)
{
    const sql_token *t = sql_peek(p, k);

    return t->kind == SQL_TOKEN_SIGN && span_is(t->text, sign);
}

bool sql_take_word(sql_parser *p, const char *word)
{
    bool is = sql_word_at(p, 0, word);

    p->i += is;
    return is;
}

bool sql_take_words(sql_parser *p, const char *first, const char *second)
{
    bool is = sql_words_at(p, first, second);

    p->i += is ? 2 : 0;
    return is;
}

bool sql_take_sign(sql_parser *p, const char *sign)
{
    bool is = sql_sign_at(p, 0, sign);

    p->i += is;
    return is;
}

nrw_status sql_want_word(sql_parser *p, const char *word, nrw_error *err)
{
    char upper[KEYWORD_LONGEST + 1];
    size_t n = strlen(word);

    if (sql_take_word(p, word))
        return NRW_OK;
    for (size_t i = 0; i <= n; i++)
        upper[i] = word[i] >= 'a' && word[i] <= 'z' ? (char)(word[i] - 32) : word[i];
    return sql_expected(p, upper, err);
}

nrw_status sql_want_sign(sql_parser *p, const char *sign, nrw_error *err)
{
    return sql_take_sign(p, sign) ? NRW_OK : sql_expected(p, sign, err);
}

nrw_status sql_enter(sql_parser *p, nrw_error *err)
{
    if (++p->depth > SQL_MAX_DEPTH)
        return sql_fail_at(p, sql_peek(p, 0)->at, err, "more than %d levels inside one another",
                           SQL_MAX_DEPTH);
    return NRW_OK;
}

void sql_leave(sql_parser *p)
{
    p->depth--;
}

bool sql_more(sql_parser *p)
{
    static const char *const ends[] = {"from",   "where",   "group",     "having", "window",
                                       "order",  "limit",   "offset",    "union",  "except",
                                       "select", "qualify", "intersect", "using"};

    if (!sql_take_sign(p, ","))
        return false;
    if (sql_peek(p, 0)->kind == SQL_TOKEN_END || sql_sign_at(p, 0, ")") || sql_sign_at(p, 0, "]") ||
        sql_sign_at(p, 0, "}") || sql_sign_at(p, 0, ";"))
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (sql_word_at(p, 0, ends[i]))
            return false;
    return true;
}

/* ---- names ---- */

bool sql_name_at(const sql_parser *p, uint32_t k, sql_place place)
{
    const sql_token *t = sql_peek(p, k);

    if (t->kind == SQL_TOKEN_QUOTED || (t->kind == SQL_TOKEN_WORD && place == SQL_PLACE_LABEL))
        return true;
    if (t->kind != SQL_TOKEN_WORD)
        return false;
    switch (keyword_kind_of(t->text)) {
    case KEYWORD_RESERVED: return false;
    case KEYWORD_COLUMN: return place == SQL_PLACE_COLUMN;
    case KEYWORD_FUNCTION: return place == SQL_PLACE_FUNCTION;
    default: return true;
    }
}

nrw_status sql_take_name(sql_parser *p, sql_place place, const char *what, sql_name *out,
                         nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);

    if (!sql_name_at(p, 0, place)) {
        int n = (int)size_min(t->text.len, 40);
        if (t->kind != SQL_TOKEN_WORD)
            return sql_expected(p, what, err);
        return sql_fail_at(p, t->at, err,
                           "expected %s, found the keyword %.*s; as a name it is written in double "
                           "quotes",
                           what, n, (const char *)t->text.data);
    }
    *out = (sql_name){.text = t->text, .quoted = t->kind == SQL_TOKEN_QUOTED, .at = t->at};
    p->i++;
    return NRW_OK;
}

nrw_status sql_take_name_or_string(sql_parser *p, sql_place place, const char *what, sql_name *out,
                                   nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);

    if (t->kind != SQL_TOKEN_STRING)
        return sql_take_name(p, place, what, out, err);
    if (t->text.len == 0)
        return sql_fail_at(p, t->at, err, "a name of no characters");
    *out = (sql_name){.text = t->text, .quoted = true, .at = t->at};
    p->i++;
    return NRW_OK;
}

nrw_status sql_take_names(sql_parser *p, const char *what, sql_names *out, nrw_error *err)
{
    sql_name name;

    TRY(sql_want_sign(p, "(", err));
    do {
        TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, what, &name, err));
        TRY(sql_add_name(p, out, name, err));
    } while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

/* ---- entry points ---- */

static nrw_status begin(sql_parser *p, arena *a, span text, nrw_error *err)
{
    char *copy;

    *p = (sql_parser){.a = a};
    TRY(arena_strndup(a, (const char *)text.data, text.len, &copy, err));
    p->text = (span){(const uint8_t *)copy, text.len};
    return sql_lex(p, err);
}

/* All of the text must have been read. */
static nrw_status end(sql_parser *p, const char *what, nrw_error *err)
{
    if (sql_peek(p, 0)->kind != SQL_TOKEN_END)
        return sql_expected(p, what, err);
    return sql_windows_end(p, NULL, err);
}

nrw_status sql_parse(arena *a, span text, sql_statement **out, uint32_t *n, nrw_error *err)
{
    sql_parser p;
    sql_statement *s;

    *out = NULL;
    *n = 0;
    TRY(begin(&p, a, text, err));
    for (;;) {
        while (sql_take_sign(&p, ";"))
            ;
        if (sql_peek(&p, 0)->kind == SQL_TOKEN_END)
            return NRW_OK;
        TRY(sql_push(&p, out, n, sizeof *s, &s, err));
        TRY(sql_statement_next(&p, s, err));
        TRY(sql_windows_end(&p, NULL, err));
        if (!sql_sign_at(&p, 0, ";"))
            TRY(end(&p, "the end of the statement", err));
    }
}

nrw_status sql_parse_expr(arena *a, span text, sql_expr **out, nrw_error *err)
{
    sql_parser p;

    *out = NULL;
    TRY(begin(&p, a, text, err));
    TRY(sql_expr_any(&p, out, err));
    return end(&p, "an operator or the end", err);
}
