/* Tokens to a tree, by descent: OR, AND, NOT, comparison, operand. AND and OR are lists, so that a
 * long chain is no deep tree. */
#include "expr/own.h"

#include "base/utf8.h"

/* Parentheses and NOT inside one another. */
#define DEEPEST 100

/* Bytes of a path: what columns are looked up by. */
#define LONGEST_PATH 511

typedef struct parser {
    lexer lex;
    token now; /* not taken yet */
    uint32_t depth;
} parser;

static nrw_status parse_or(parser *p, node **out, nrw_error *err);

static nrw_status advance(parser *p, nrw_error *err)
{
    return lex_next(&p->lex, &p->now, err);
}

static nrw_status new_node(parser *p, node_kind kind, size_t at, node **out, nrw_error *err)
{
    TRY(arena_alloc(p->lex.a, sizeof **out, (void **)out, err));
    (*out)->kind = kind;
    (*out)->at = at;
    return NRW_OK;
}

/* "expected ..., found ..." at the token at hand. */
static nrw_status expected(const parser *p, const char *what, nrw_error *err)
{
    const token *t = &p->now;
    int n = t->text.len > 40 ? 40 : (int)utf8_cut(t->text.data, t->text.len, 40);

    if (t->kind == TOKEN_END)
        return expr_fail(p->lex.text, t->at, err, "the condition ends where %s should be", what);
    return expr_fail(p->lex.text, t->at, err, "expected %s, found %.*s", what, n,
                     (const char *)t->text.data);
}

static nrw_status take_sign(parser *p, char c, const char *what, nrw_error *err)
{
    if (!token_is_sign(&p->now, c))
        return expected(p, what, err);
    return advance(p, err);
}

/* Takes the keyword if it is the next token. */
static nrw_status take_word(parser *p, const char *word, bool *took, nrw_error *err)
{
    *took = token_is(&p->now, word);
    return *took ? advance(p, err) : NRW_OK;
}

static nrw_status deeper(parser *p, nrw_error *err)
{
    if (++p->depth > DEEPEST)
        return expr_fail(p->lex.text, p->now.at, err, "more than %d levels of parentheses or NOT",
                         DEEPEST);
    return NRW_OK;
}

/* ---- operands ---- */

static nrw_status literal(parser *p, literal_kind kind, node **out, nrw_error *err)
{
    TRY(new_node(p, NODE_LITERAL, p->now.at, out, err));
    (*out)->literal = kind;
    (*out)->text = p->now.text;
    (*out)->value = token_is(&p->now, "true");
    return advance(p, err);
}

static nrw_status column(parser *p, token first, node **out, nrw_error *err);

/* A bare word: a column, the beginning of DATE '...', or a keyword out of place. */
static nrw_status word(parser *p, node **out, nrw_error *err)
{
    token t = p->now;
    literal_kind typed = LITERAL_NULL;

    if (token_is_reserved(&t)) {
        const char *name = (const char *)t.text.data;
        int n = (int)t.text.len;
        return expr_fail(p->lex.text, t.at, err,
                         "%.*s is a keyword of SQL; as a column write it in double quotes: "
                         "--where '\"%.*s\" = 7'",
                         n, name, n, name);
    }
    TRY(advance(p, err));
    if (p->now.kind == TOKEN_STRING) {
        typed = token_is(&t, "date")          ? LITERAL_DATE
                : token_is(&t, "timestamp")   ? LITERAL_TIMESTAMP
                : token_is(&t, "timestamptz") ? LITERAL_TIMESTAMP
                : token_is(&t, "time")        ? LITERAL_TIME
                                              : LITERAL_NULL;
        if (typed == LITERAL_NULL)
            return expr_fail(
                p->lex.text, t.at, err,
                "%.*s is no type that may stand before a literal; these are DATE, TIME, "
                "TIMESTAMP",
                t.text.len > 40 ? 40 : (int)t.text.len, (const char *)t.text.data);
        return literal(p, typed, out, err);
    }
    if (token_is_sign(&p->now, '('))
        return expr_fail(p->lex.text, t.at, err, "functions are not part of conditions");
    return column(p, t, out, err);
}

/* One name more: "user" and "address" make "user.address". */
static nrw_status add_name(parser *p, node *n, span name, nrw_error *err)
{
    size_t len = n->text.len;
    char *path;

    TRY(arena_alloc(p->lex.a, len + 1 + name.len, (void **)&path, err));
    memcpy(path, n->text.data, len);
    path[len] = '.';
    memcpy(path + len + 1, name.data, name.len);
    n->text = (span){(const uint8_t *)path, len + 1 + name.len};
    n->path = true;
    return NRW_OK;
}

/* A column by its name, which is taken already, or a part of one: user.address.city. */
static nrw_status column(parser *p, token first, node **out, nrw_error *err)
{
    TRY(new_node(p, NODE_COLUMN, first.at, out, err));
    (*out)->text = first.text;
    while (token_is_sign(&p->now, '.')) {
        TRY(advance(p, err));
        if (p->now.kind != TOKEN_WORD && p->now.kind != TOKEN_QUOTED)
            return expected(p, "the name of a part", err);
        TRY(add_name(p, *out, p->now.text, err));
        if ((*out)->text.len > LONGEST_PATH)
            return expr_fail(p->lex.text, first.at, err, "a path of more than %d bytes",
                             LONGEST_PATH);
        TRY(advance(p, err));
    }
    if ((*out)->path && token_is_sign(&p->now, '('))
        return expr_fail(p->lex.text, first.at, err, "functions are not part of conditions");
    return NRW_OK;
}

static nrw_status number(parser *p, node **out, nrw_error *err)
{
    bool negative = false;
    size_t at = p->now.at;

    while (token_is_sign(&p->now, '-') || token_is_sign(&p->now, '+')) {
        negative ^= token_is_sign(&p->now, '-');
        TRY(advance(p, err));
    }
    if (p->now.kind != TOKEN_NUMBER)
        return expected(p, "a number", err);
    TRY(literal(p, LITERAL_NUMBER, out, err));
    (*out)->at = at;
    (*out)->negative = negative;
    return NRW_OK;
}

static nrw_status operand(parser *p, node **out, nrw_error *err)
{
    const token *t = &p->now;

    if (t->kind == TOKEN_STRING)
        return literal(p, LITERAL_STRING, out, err);
    if (t->kind == TOKEN_NUMBER || token_is_sign(t, '-') || token_is_sign(t, '+'))
        return number(p, out, err);
    if (t->kind == TOKEN_QUOTED) {
        token name = *t;
        TRY(advance(p, err));
        return column(p, name, out, err);
    }
    if (token_is(t, "null"))
        return literal(p, LITERAL_NULL, out, err);
    if (token_is(t, "true") || token_is(t, "false"))
        return literal(p, LITERAL_BOOL, out, err);
    if (t->kind == TOKEN_WORD)
        return word(p, out, err);
    if (!token_is_sign(t, '('))
        return expected(p, "a column or a literal", err);
    TRY(deeper(p, err));
    TRY(advance(p, err));
    TRY(parse_or(p, out, err));
    p->depth--;
    return take_sign(p, ')', "a closing parenthesis", err);
}

/* ---- comparisons ---- */

static nrw_status in_list(parser *p, node *in, nrw_error *err)
{
    node **tail = &in->items;

    TRY(take_sign(p, '(', "a list in parentheses", err));
    for (;;) {
        TRY(operand(p, tail, err));
        tail = &(*tail)->next;
        if (!token_is_sign(&p->now, ','))
            return take_sign(p, ')', "a comma or a closing parenthesis", err);
        TRY(advance(p, err));
    }
}

static nrw_status is_what(parser *p, node *is, nrw_error *err)
{
    bool distinct;

    TRY(take_word(p, "not", &is->negate, err));
    TRY(take_word(p, "distinct", &distinct, err));
    if (!distinct) {
        if (!token_is(&p->now, "null") && !token_is(&p->now, "true") && !token_is(&p->now, "false"))
            return expected(p, "NULL, TRUE, FALSE or DISTINCT FROM", err);
        return operand(p, &is->b, err);
    }
    is->kind = NODE_DISTINCT;
    TRY(take_word(p, "from", &distinct, err));
    return distinct ? operand(p, &is->b, err) : expected(p, "FROM", err);
}

/* What stands behind an operand: NOT IN, BETWEEN, LIKE ... or nothing. */
static nrw_status predicate_tail(parser *p, node **out, nrw_error *err)
{
    bool negate = false, took;
    node *n;

    TRY(new_node(p, NODE_IN, p->now.at, &n, err));
    n->a = *out;
    TRY(take_word(p, "not", &negate, err));
    n->negate = negate;
    *out = n;
    TRY(take_word(p, "in", &took, err));
    if (took)
        return in_list(p, n, err);
    TRY(take_word(p, "between", &took, err));
    if (took) {
        n->kind = NODE_BETWEEN;
        TRY(operand(p, &n->b, err));
        TRY(take_word(p, "and", &took, err));
        return took ? operand(p, &n->c, err) : expected(p, "AND", err);
    }
    TRY(take_word(p, "like", &took, err));
    if (took) {
        n->kind = NODE_LIKE;
        TRY(operand(p, &n->b, err));
        if (token_is(&p->now, "escape"))
            return expr_fail(p->lex.text, p->now.at, err, "ESCAPE is not part of conditions");
        return NRW_OK;
    }
    if (negate)
        return expected(p, "IN, BETWEEN or LIKE", err);
    *out = n->a;
    return NRW_OK;
}

static bool is_again(const token *t)
{
    return t->kind == TOKEN_OP || token_is(t, "is") || token_is(t, "in") ||
           token_is(t, "between") || token_is(t, "like");
}

static nrw_status comparison(parser *p, node **out, nrw_error *err)
{
    node *n;
    bool is;

    TRY(operand(p, out, err));
    if (p->now.kind == TOKEN_OP) {
        TRY(new_node(p, NODE_COMPARE, p->now.at, &n, err));
        n->op = p->now.op;
        n->a = *out;
        TRY(advance(p, err));
        TRY(operand(p, &n->b, err));
        *out = n;
    } else {
        TRY(predicate_tail(p, out, err));
    }
    size_t at = p->now.at;
    TRY(take_word(p, "is", &is, err));
    if (is) {
        TRY(new_node(p, NODE_IS, at, &n, err));
        n->a = *out;
        *out = n;
        TRY(is_what(p, n, err));
    }
    if (is_again(&p->now))
        return expr_fail(p->lex.text, p->now.at, err,
                         "comparisons do not chain; join them by AND or use parentheses");
    return NRW_OK;
}

static nrw_status parse_not(parser *p, node **out, nrw_error *err)
{
    size_t at = p->now.at;
    bool negate;

    TRY(take_word(p, "not", &negate, err));
    if (!negate)
        return comparison(p, out, err);
    TRY(deeper(p, err));
    TRY(new_node(p, NODE_NOT, at, out, err));
    TRY(parse_not(p, &(*out)->a, err));
    p->depth--;
    return NRW_OK;
}

/* item, or item JOINER item ... as one list node. */
static nrw_status parse_list(parser *p, const char *joiner, node_kind kind,
                             nrw_status (*item)(parser *, node **, nrw_error *), node **out,
                             nrw_error *err)
{
    size_t at = p->now.at;
    node *list = NULL, **tail = out;
    bool more;

    for (;;) {
        TRY(item(p, tail, err));
        TRY(take_word(p, joiner, &more, err));
        if (!more && !list)
            return NRW_OK;
        if (!list) {
            TRY(new_node(p, kind, at, &list, err));
            list->items = *out;
            *out = list;
            tail = &list->items;
        }
        tail = &(*tail)->next;
        if (!more)
            return NRW_OK;
    }
}

static nrw_status parse_and(parser *p, node **out, nrw_error *err)
{
    return parse_list(p, "and", NODE_AND, parse_not, out, err);
}

static nrw_status parse_or(parser *p, node **out, nrw_error *err)
{
    return parse_list(p, "or", NODE_OR, parse_and, out, err);
}

nrw_status expr_parse(arena *a, const char *text, node **out, nrw_error *err)
{
    parser p = {.lex = {.a = a, .text = text, .len = strlen(text)}};
    size_t good = utf8_valid_prefix(text, p.lex.len);

    *out = NULL;
    if (good < p.lex.len)
        return expr_fail(text, good, err, "the condition is not UTF-8");
    TRY(advance(&p, err));
    if (p.now.kind == TOKEN_END)
        return expr_fail(text, 0, err, "the condition is empty");
    TRY(parse_or(&p, out, err));
    if (p.now.kind == TOKEN_SIGN && strchr("+-*/%|", p.now.text.data[0]))
        return expr_fail(text, p.now.at, err, "arithmetic is not part of conditions");
    return p.now.kind == TOKEN_END ? NRW_OK : expected(&p, "AND, OR or the end", err);
}
