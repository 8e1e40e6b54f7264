/* A text to tokens, all at once: the parser looks as far ahead as it likes. */
#include "sql/own.h"

#include "base/text.h"
#include "base/utf8.h"

typedef struct lexer {
    sql_parser *p;
    const uint8_t *text;
    size_t len, pos;
} lexer;

static uint8_t at(const lexer *l, size_t k)
{
    return l->pos + k < l->len ? l->text[l->pos + k] : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool starts_word(uint8_t c)
{
    return c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c >= 0x80;
}

static bool goes_on_word(uint8_t c)
{
    return starts_word(c) || is_digit(c);
}

static nrw_status skip_comment(lexer *l, nrw_error *err)
{
    size_t from = l->pos, depth = 0;

    do {
        if (l->pos >= l->len)
            return sql_fail_at(l->p, from, err, "the comment does not end");
        if (at(l, 0) == '/' && at(l, 1) == '*') {
            depth++;
            l->pos += 2;
        } else if (at(l, 0) == '*' && at(l, 1) == '/') {
            depth--;
            l->pos += 2;
        } else {
            l->pos++;
        }
    } while (depth);
    return NRW_OK;
}

static nrw_status skip_blanks(lexer *l, nrw_error *err)
{
    while (l->pos < l->len) {
        uint8_t c = at(l, 0);
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            l->pos++;
        } else if (c == 0xC2 && at(l, 1) == 0xA0) {
            l->pos += 2; /* no-break space */
        } else if (c == '-' && at(l, 1) == '-') {
            while (l->pos < l->len && at(l, 0) != '\n')
                l->pos++;
        } else if (c == '/' && at(l, 1) == '*') {
            TRY(skip_comment(l, err));
        } else {
            break;
        }
    }
    return NRW_OK;
}

/* ---- strings ---- */

/* Up to `most` digits of a base; the value's low byte. */
static uint8_t escaped_number(lexer *l, int base, size_t most)
{
    unsigned v = 0;

    for (size_t k = 0; k < most; k++) {
        int d = text_hex_digit(at(l, 0));
        if (d < 0 || d >= base)
            break;
        v = v * (unsigned)base + (unsigned)d;
        l->pos++;
    }
    return (uint8_t)v;
}

/* What stands behind a backslash of E'..'. */
static uint8_t escaped(lexer *l)
{
    uint8_t c = at(l, 0);

    if (c >= '0' && c <= '7')
        return escaped_number(l, 8, 3);
    l->pos++;
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'x':
        if (text_hex_digit(at(l, 0)) >= 0)
            return escaped_number(l, 16, 2);
        return c;
    default: return c;
    }
}

/* The length of what stands between the quotes at hand, as written; `plain`: it is taken as it is.
 */
static nrw_status find_quote(lexer *l, size_t from, bool escapes, size_t *len, bool *plain,
                             nrw_error *err)
{
    uint8_t quote = at(l, 0);
    size_t k = 1;

    *plain = true;
    for (;; k++) {
        if (l->pos + k >= l->len)
            return sql_fail_at(l->p, from, err, "the closing %c is missing", quote);
        if (at(l, k) == quote && at(l, k + 1) != quote)
            break;
        bool pair = at(l, k) == quote || (escapes && at(l, k) == '\\');
        *plain &= !pair;
        k += pair;
    }
    *len = k - 1;
    return NRW_OK;
}

/* Text between quotes, a doubled one standing for itself. */
static nrw_status lex_quoted(lexer *l, sql_token *t, bool escapes, nrw_error *err)
{
    uint8_t quote = at(l, 0), *text;
    size_t len = 0, n = 0;
    bool plain = true;

    TRY(find_quote(l, t->at, escapes, &len, &plain, err));
    size_t end = ++l->pos + len;
    t->text = (span){l->text + l->pos, len};
    if (!plain) {
        TRY(arena_alloc(l->p->a, len + 1, (void **)&text, err));
        while (l->pos < end) {
            uint8_t c = l->text[l->pos++];
            if (c == quote)
                l->pos++;
            else if (escapes && c == '\\')
                c = escaped(l);
            text[n++] = c;
        }
        t->text = (span){text, n};
        if (!utf8_valid(text, n))
            return sql_fail_at(l->p, t->at, err, "the escapes in the string make no UTF-8");
    }
    l->pos = end + 1;
    return NRW_OK;
}

/* $$ .. $$ and $tag$ .. $tag$; *took false: it is something else. */
static nrw_status lex_dollar(lexer *l, sql_token *t, bool *took, nrw_error *err)
{
    size_t n = 1;

    if (starts_word(at(l, 1)))
        while (goes_on_word(at(l, n)))
            n++;
    *took = at(l, n) == '$';
    if (!*took)
        return NRW_OK;
    span tag = {l->text + l->pos, n + 1};
    l->pos += tag.len;
    const uint8_t *end = memmem(l->text + l->pos, l->len - l->pos, tag.data, tag.len);
    if (!end)
        return sql_fail_at(l->p, t->at, err, "the closing %.*s is missing",
                           (int)size_min(tag.len, 40), (const char *)tag.data);
    t->kind = SQL_TOKEN_STRING;
    t->text = (span){l->text + l->pos, (size_t)(end - l->text) - l->pos};
    l->pos = (size_t)(end - l->text) + tag.len;
    return NRW_OK;
}

/* ---- the others ---- */

static void skip_digits(lexer *l)
{
    while (is_digit(at(l, 0)) || (at(l, 0) == '_' && is_digit(at(l, 1))))
        l->pos++;
}

/* 12, 1_000, 5., .5, 2.5e-3. DuckDB takes letters behind it as an alias (0x1F is 0 AS x1F). */
static nrw_status lex_number(lexer *l, sql_token *t, nrw_error *err)
{
    skip_digits(l);
    if (at(l, 0) == '.') {
        l->pos++;
        if (is_digit(at(l, 0)))
            skip_digits(l);
    }
    if (ascii_lower(at(l, 0)) == 'e') {
        size_t sign = at(l, 1) == '+' || at(l, 1) == '-';
        if (is_digit(at(l, 1 + sign))) {
            l->pos += 1 + sign;
            skip_digits(l);
        }
    }
    t->kind = SQL_TOKEN_NUMBER;
    t->text = (span){l->text + t->at, l->pos - t->at};
    if (goes_on_word(at(l, 0)))
        return sql_fail_at(
            l->p, l->pos, err,
            "a number is followed by letters; numbers are decimal, and a blank stands "
            "before an alias");
    return NRW_OK;
}

static nrw_status lex_param(lexer *l, sql_token *t)
{
    size_t from = ++l->pos;

    while (goes_on_word(at(l, 0)))
        l->pos++;
    t->kind = SQL_TOKEN_PARAM;
    t->text = (span){l->text + from, l->pos - from};
    return NRW_OK;
}

/* Longest first. */
static const char *const signs[] = {
    "!~~*", "!~~", "~~~", "~~*", "->>", "<<=", ">>=", "::", ":=", "=>", "->", "~~", "!~", "!=",
    "<>",   "<=",  ">=",  "==",  "<<",  ">>",  "||",  "&&", "@>", "<@", "^@", "//", "**"};

static void lex_sign(lexer *l, sql_token *t)
{
    size_t n = 1;

    for (size_t i = 0; i < sizeof signs / sizeof *signs && n == 1; i++) {
        size_t len = strlen(signs[i]);
        if (len <= l->len - l->pos && memcmp(l->text + l->pos, signs[i], len) == 0)
            n = len;
    }
    t->kind = SQL_TOKEN_SIGN;
    t->text = (span){l->text + l->pos, n};
    l->pos += n;
}

/* x'..', e'..'; *took false: the letter begins a word. */
static nrw_status lex_prefixed(lexer *l, sql_token *t, bool *took, nrw_error *err)
{
    uint8_t c = ascii_lower(at(l, 0));

    *took = at(l, 1) == '\'' && (c == 'x' || c == 'e' || c == 'b');
    if (!*took)
        return NRW_OK;
    if (c == 'b')
        return sql_fail_at(l->p, t->at, err, "strings of bits are not supported");
    t->kind = c == 'x' ? SQL_TOKEN_BLOB : SQL_TOKEN_STRING;
    l->pos++;
    return lex_quoted(l, t, c == 'e', err);
}

static nrw_status lex_quotes(lexer *l, sql_token *t, nrw_error *err)
{
    t->kind = at(l, 0) == '"' ? SQL_TOKEN_QUOTED : SQL_TOKEN_STRING;
    TRY(lex_quoted(l, t, false, err));
    if (t->kind == SQL_TOKEN_QUOTED && t->text.len == 0)
        return sql_fail_at(l->p, t->at, err, "a name of no characters");
    return NRW_OK;
}

static nrw_status next(lexer *l, sql_token *t, nrw_error *err)
{
    uint8_t c = at(l, 0);
    bool took = false;

    if (c == '\'' || c == '"')
        return lex_quotes(l, t, err);
    if (is_digit(c) || (c == '.' && is_digit(at(l, 1))))
        return lex_number(l, t, err);
    TRY(lex_prefixed(l, t, &took, err));
    if (took)
        return NRW_OK;
    if (starts_word(c)) {
        while (goes_on_word(at(l, 0)) || at(l, 0) == '$')
            l->pos++;
        t->kind = SQL_TOKEN_WORD;
        t->text = (span){l->text + t->at, l->pos - t->at};
        return NRW_OK;
    }
    if (c == '$')
        TRY(lex_dollar(l, t, &took, err));
    if (took)
        return NRW_OK;
    if ((c == '$' && goes_on_word(at(l, 1))) || c == '?')
        return lex_param(l, t);
    lex_sign(l, t);
    return NRW_OK;
}

nrw_status sql_lex(sql_parser *p, nrw_error *err)
{
    lexer l = {.p = p, .text = p->text.data, .len = p->text.len};
    size_t good = utf8_valid_prefix(p->text.data, p->text.len);
    sql_token *t;

    if (good < p->text.len)
        return sql_fail_at(p, good, err, "the text is not UTF-8");
    do {
        TRY(skip_blanks(&l, err));
        TRY(sql_push(p, &p->tokens, &p->n, sizeof *t, &t, err));
        *t = (sql_token){.kind = SQL_TOKEN_END, .at = l.pos, .text = {p->text.data + l.pos, 0}};
        if (l.pos < l.len)
            TRY(next(&l, t, err));
        t->end = l.pos;
    } while (t->kind != SQL_TOKEN_END);
    return NRW_OK;
}
