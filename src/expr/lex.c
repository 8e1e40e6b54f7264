/* SQL text to tokens. */
#include "expr/keyword.h"
#include "expr/own.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

nrw_status expr_fail(const char *text, size_t at, nrw_error *err, const char *fmt, ...)
{
    char what[400];
    size_t n = 1;
    va_list ap;

    for (size_t i = 0; i < at; i++)
        n += ((uint8_t)text[i] & 0xC0) != 0x80;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return err_set(err, NRW_E_ARG, "--where, character %zu: %s", n, what);
}

bool token_is(const token *t, const char *word)
{
    size_t n = strlen(word);

    if (t->kind != TOKEN_WORD || t->text.len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (tolower(t->text.data[i]) != word[i])
            return false;
    return true;
}

bool token_is_reserved(const token *t)
{
    return t->kind == TOKEN_WORD && keyword_kind_of(t->text) == KEYWORD_RESERVED;
}

bool token_is_sign(const token *t, char c)
{
    return t->kind == TOKEN_SIGN && t->text.len == 1 && t->text.data[0] == (uint8_t)c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_word(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (uint8_t)c >= 0x80;
}

/* Blanks and comments. */
static nrw_status skip_blanks(lexer *l, nrw_error *err)
{
    while (l->pos < l->len) {
        const char *p = l->text + l->pos;
        if (*p == ' ' || (*p >= '\t' && *p <= '\r')) {
            l->pos++;
        } else if (p[0] == '-' && p[1] == '-') {
            while (l->pos < l->len && l->text[l->pos] != '\n')
                l->pos++;
        } else if (p[0] == '/' && p[1] == '*') {
            const char *end = strstr(p + 2, "*/");
            if (!end)
                return expr_fail(l->text, l->pos, err, "the comment does not end");
            l->pos = (size_t)(end - l->text) + 2;
        } else {
            break;
        }
    }
    return NRW_OK;
}

/* Text between quotes, a doubled one standing for itself. */
static nrw_status lex_quoted(lexer *l, token *t, nrw_error *err)
{
    char quote = l->text[l->pos++], *text;
    size_t n = 0;

    TRY(arena_alloc(l->a, l->len - l->pos + 1, (void **)&text, err));
    for (;;) {
        if (l->pos >= l->len)
            return expr_fail(l->text, t->at, err, "the closing %c is missing", quote);
        char c = l->text[l->pos++];
        if (c == quote && !(l->pos < l->len && l->text[l->pos] == quote))
            break;
        l->pos += c == quote;
        text[n++] = c;
    }
    t->kind = quote == '"' ? TOKEN_QUOTED : TOKEN_STRING;
    t->text = (span){(const uint8_t *)text, n};
    if (t->kind == TOKEN_QUOTED && n == 0)
        return expr_fail(l->text, t->at, err, "a name of no characters");
    return NRW_OK;
}

/* 12, 1_000, .5, 2.5e-3; anything that goes on as a word is wrong. */
static nrw_status lex_number(lexer *l, token *t, nrw_error *err)
{
    const char *p = l->text, *from = p + l->pos;

    while (is_digit(p[l->pos]) || (p[l->pos] == '_' && is_digit(p[l->pos + 1])))
        l->pos++;
    if (p[l->pos] == '.')
        for (l->pos++; is_digit(p[l->pos]) || (p[l->pos] == '_' && is_digit(p[l->pos + 1]));)
            l->pos++;
    if ((p[l->pos] | 32) == 'e') {
        size_t e = l->pos + 1;
        e += p[e] == '+' || p[e] == '-';
        if (is_digit(p[e])) {
            while (is_digit(p[e]))
                e++;
            l->pos = e;
        }
    }
    t->kind = TOKEN_NUMBER;
    t->text = (span){(const uint8_t *)from, (size_t)(p + l->pos - from)};
    if (starts_word(p[l->pos]))
        return expr_fail(l->text, l->pos, err, "a number is followed by letters");
    return NRW_OK;
}

static void lex_word(lexer *l, token *t)
{
    size_t from = l->pos;

    while (l->pos < l->len &&
           (starts_word(l->text[l->pos]) || is_digit(l->text[l->pos]) || l->text[l->pos] == '$'))
        l->pos++;
    t->kind = TOKEN_WORD;
    t->text = (span){(const uint8_t *)l->text + from, l->pos - from};
}

static bool lex_operator(lexer *l, token *t)
{
    static const struct {
        char text[3];
        uint8_t op;
    } ops[] = {{"<>", OP_NE}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE},
               {"==", OP_EQ}, {"=", OP_EQ},  {"<", OP_LT},  {">", OP_GT}};
    const char *p = l->text + l->pos;

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        size_t n = strlen(ops[i].text);
        if (strncmp(p, ops[i].text, n) != 0)
            continue;
        t->kind = TOKEN_OP;
        t->op = ops[i].op;
        t->text = (span){(const uint8_t *)p, n};
        l->pos += n;
        return true;
    }
    return false;
}

nrw_status lex_next(lexer *l, token *out, nrw_error *err)
{
    char c;

    TRY(skip_blanks(l, err));
    *out = (token){.kind = TOKEN_END, .at = l->pos};
    if (l->pos >= l->len)
        return NRW_OK;
    c = l->text[l->pos];
    if (c == '\'' || c == '"')
        return lex_quoted(l, out, err);
    if (is_digit(c) || (c == '.' && is_digit(l->text[l->pos + 1])))
        return lex_number(l, out, err);
    if (starts_word(c)) {
        lex_word(l, out);
        return NRW_OK;
    }
    if (lex_operator(l, out))
        return NRW_OK;
    out->kind = TOKEN_SIGN;
    out->text = (span){(const uint8_t *)l->text + l->pos++, 1};
    return NRW_OK;
}
