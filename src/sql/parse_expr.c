/* Operators by how tightly they bind (operator precedence climbing). An operand is taken first,
 * then infix operators as long as they bind at least as tightly as the level asked for; each takes
 * a right operand of the next higher level, so all of them lean to the left. */
#include "sql/own.h"

typedef struct infix {
    const char *sign;
    sql_level level;
    const char *compare; /* comparisons: the name in the tree */
} infix;

static const infix infixes[] = {{"->", SQL_LEVEL_ARROW, NULL},   {"=", SQL_LEVEL_COMPARE, "="},
                                {"==", SQL_LEVEL_COMPARE, "="},  {"<>", SQL_LEVEL_COMPARE, "<>"},
                                {"!=", SQL_LEVEL_COMPARE, "<>"}, {"<", SQL_LEVEL_COMPARE, "<"},
                                {">", SQL_LEVEL_COMPARE, ">"},   {"<=", SQL_LEVEL_COMPARE, "<="},
                                {">=", SQL_LEVEL_COMPARE, ">="}, {"||", SQL_LEVEL_OTHER, NULL},
                                {"->>", SQL_LEVEL_OTHER, NULL},  {"&&", SQL_LEVEL_OTHER, NULL},
                                {"@>", SQL_LEVEL_OTHER, NULL},   {"<@", SQL_LEVEL_OTHER, NULL},
                                {"^@", SQL_LEVEL_OTHER, NULL},   {"&", SQL_LEVEL_BITS, NULL},
                                {"|", SQL_LEVEL_BITS, NULL},     {"<<", SQL_LEVEL_BITS, NULL},
                                {">>", SQL_LEVEL_BITS, NULL},    {"+", SQL_LEVEL_ADD, NULL},
                                {"-", SQL_LEVEL_ADD, NULL},      {"*", SQL_LEVEL_MULTIPLY, NULL},
                                {"/", SQL_LEVEL_MULTIPLY, NULL}, {"//", SQL_LEVEL_MULTIPLY, NULL},
                                {"%", SQL_LEVEL_MULTIPLY, NULL}, {"^", SQL_LEVEL_POWER, NULL},
                                {"**", SQL_LEVEL_POWER, NULL}};

/* LIMIT 10 %: a percent sign with nothing behind it. */
static bool percent_at(const sql_parser *p)
{
    return sql_sign_at(p, 0, "%") &&
           (sql_peek(p, 1)->kind == SQL_TOKEN_END || sql_sign_at(p, 1, ")") ||
            sql_sign_at(p, 1, ";") || sql_word_at(p, 1, "offset"));
}

static const infix *infix_at(const sql_parser *p)
{
    const sql_token *t = sql_peek(p, 0);

    if (t->kind == SQL_TOKEN_SIGN && !percent_at(p))
        for (size_t i = 0; i < sizeof infixes / sizeof *infixes; i++)
            if (span_is(t->text, infixes[i].sign))
                return &infixes[i];
    return NULL;
}

/* ---- behind an operand: casts, fields, subscripts ---- */

static nrw_status cast(sql_parser *p, sql_expr **e, nrw_error *err)
{
    sql_expr *c;

    TRY(sql_new(p, SQL_EXPR_CAST, (*e)->at, &c, err));
    TRY(sql_add(p, &c->args, *e, err));
    TRY(sql_take_type(p, &c->type, err));
    *e = c;
    return sql_close(p, c, err);
}

/* .field, and .function(..), which is a call with what stands in front as its first argument. */
static nrw_status field(sql_parser *p, sql_expr **e, nrw_error *err)
{
    sql_expr *f;
    bool call = sql_sign_at(p, 1, "(");

    TRY(sql_new(p, call ? SQL_EXPR_CALL : SQL_EXPR_FIELD, (*e)->at, &f, err));
    TRY(sql_take_name(p, SQL_PLACE_LABEL, "a field", &f->name, err));
    TRY(sql_add(p, &f->args, *e, err));
    *e = f;
    return call ? sql_call(p, f, err) : sql_close(p, f, err);
}

/* One bound of a slice, or none; a lone minus is none, too. */
static nrw_status slice_bound(sql_parser *p, sql_expr *slice, nrw_error *err)
{
    sql_expr *bound = NULL;
    bool minus = sql_sign_at(p, 0, "-") && (sql_sign_at(p, 1, ":") || sql_sign_at(p, 1, "]"));

    if (minus)
        p->i++;
    else if (!sql_sign_at(p, 0, ":") && !sql_sign_at(p, 0, "]"))
        TRY(sql_expr_any(p, &bound, err));
    return sql_add(p, &slice->args, bound, err);
}

static nrw_status subscript(sql_parser *p, sql_expr **e, nrw_error *err)
{
    sql_expr *s;

    TRY(sql_new(p, SQL_EXPR_SLICE, (*e)->at, &s, err));
    TRY(sql_add(p, &s->args, *e, err));
    do
        TRY(slice_bound(p, s, err));
    while (s->args.n < 4 && sql_take_sign(p, ":"));
    if (s->args.n == 2) {
        s->kind = SQL_EXPR_INDEX;
        if (!s->args.at[1])
            return sql_expected(p, "a subscript", err);
    }
    TRY(sql_want_sign(p, "]", err));
    *e = s;
    return sql_close(p, s, err);
}

static nrw_status postfix(sql_parser *p, sql_expr **e, nrw_error *err)
{
    for (;;) {
        if (sql_take_sign(p, "::"))
            TRY(cast(p, e, err));
        else if (sql_take_sign(p, "."))
            TRY(field(p, e, err));
        else if (sql_take_sign(p, "["))
            TRY(subscript(p, e, err));
        else if (sql_take_sign(p, "!"))
            TRY(sql_node(p, SQL_EXPR_CALL, "factorial", (*e)->at, *e, NULL, e, err));
        else
            return NRW_OK;
    }
}

/* ---- in front of an operand ---- */

/* Plus and minus take the next operand; ~ and @ all that binds as tightly as + or & behind them.
 * Where that contradicts the operator in front of them, DuckDB's reading is past guessing. */
static nrw_status unary(sql_parser *p, sql_level level, sql_expr **out, nrw_error *err)
{
    static const char *const signs[] = {"-", "+", "~", "@"};
    size_t at = sql_peek(p, 0)->at;
    const char *sign = NULL;

    for (size_t i = 0; i < sizeof signs / sizeof *signs && !sign; i++)
        if (sql_take_sign(p, signs[i]))
            sign = signs[i];
    if (!sign) {
        TRY(sql_primary(p, out, err));
        TRY(postfix(p, out, err));
        p->most = SQL_LEVEL_ZONE;
        return NRW_OK;
    }
    sql_expr *operand;
    TRY(sql_enter(p, err));
    if ((sign[0] == '~' || sign[0] == '@') && level > SQL_LEVEL_ADD)
        return sql_fail_at(p, at, err, "behind a tighter operator %s stands in parentheses", sign);
    if (sign[0] == '~' || sign[0] == '@')
        TRY(sql_expr_level(p, sign[0] == '~' ? SQL_LEVEL_ADD : SQL_LEVEL_BITS, &operand, err));
    else
        TRY(unary(p, SQL_LEVEL_ZONE, &operand, err));
    sql_leave(p);
    TRY(sql_node(p, SQL_EXPR_CALL, sign, at, operand, NULL, out, err));
    (*out)->is_operator = true;
    return NRW_OK;
}

static nrw_status negation(sql_parser *p, sql_level level, sql_expr **out, nrw_error *err)
{
    size_t at = sql_peek(p, 0)->at;
    sql_expr *operand;

    p->i++;
    if (sql_word_at(p, 0, "not"))
        TRY(negation(p, level, &operand, err));
    else
        TRY(sql_expr_level(p, level, &operand, err));
    return sql_node(p, SQL_EXPR_NOT, "not", at, operand, NULL, out, err);
}

/* ---- between operands ---- */

/* AND and OR are lists, so that a long chain is no deep tree. */
static nrw_status add_flat(sql_parser *p, sql_expr *list, sql_expr *e, nrw_error *err)
{
    if (e->kind != list->kind)
        return sql_add(p, &list->args, e, err);
    for (uint32_t i = 0; i < e->args.n; i++)
        TRY(sql_add(p, &list->args, e->args.at[i], err));
    return NRW_OK;
}

static nrw_status junction(sql_parser *p, const char *word, sql_expr **left, nrw_error *err)
{
    bool is_or = word[0] == 'o';
    sql_expr *list, *item;

    TRY(sql_new(p, is_or ? SQL_EXPR_OR : SQL_EXPR_AND, (*left)->at, &list, err));
    TRY(add_flat(p, list, *left, err));
    while (sql_take_word(p, word)) {
        TRY(sql_expr_level(p, (is_or ? SQL_LEVEL_OR : SQL_LEVEL_AND) + 1, &item, err));
        TRY(add_flat(p, list, item, err));
    }
    *left = list;
    return sql_close(p, list, err);
}

static nrw_status comparison(sql_parser *p, const char *name, sql_expr **left, nrw_error *err)
{
    sql_expr *right;

    if ((sql_word_at(p, 0, "any") || sql_word_at(p, 0, "all") || sql_word_at(p, 0, "some")) &&
        sql_sign_at(p, 1, "("))
        return sql_any_or_all(p, name, left, err);
    if (sql_word_at(p, 0, "not"))
        TRY(negation(p, SQL_LEVEL_NOT + 1, &right, err));
    else
        TRY(sql_expr_level(p, SQL_LEVEL_COMPARE + 1, &right, err));
    return sql_node(p, SQL_EXPR_COMPARE, name, (*left)->at, *left, right, left, err);
}

static bool is_plain_name(const sql_expr *e)
{
    return e->kind == SQL_EXPR_COLUMN && e->names.n == 1;
}

/* Whether `left -> right` is a function of left: a name or names in front, no key of JSON behind.
 */
static bool is_lambda(const sql_expr *left, const sql_expr *right)
{
    if (right->kind == SQL_EXPR_LITERAL)
        return false;
    if (left->kind != SQL_EXPR_ROW)
        return is_plain_name(left);
    for (uint32_t i = 0; i < left->args.n; i++)
        if (!is_plain_name(left->args.at[i]))
            return false;
    return left->args.n > 0;
}

static nrw_status arrow(sql_parser *p, sql_expr **left, nrw_error *err)
{
    sql_expr *right, *e;

    TRY(sql_expr_level(p, SQL_LEVEL_ARROW + 1, &right, err));
    if (!is_lambda(*left, right)) {
        TRY(sql_node(p, SQL_EXPR_CALL, "->", (*left)->at, *left, right, left, err));
        (*left)->is_operator = true;
        return NRW_OK;
    }
    TRY(sql_node(p, SQL_EXPR_LAMBDA, "->", (*left)->at, right, NULL, &e, err));
    if ((*left)->kind != SQL_EXPR_ROW)
        e->names = (*left)->names;
    for (uint32_t i = 0; (*left)->kind == SQL_EXPR_ROW && i < (*left)->args.n; i++)
        TRY(sql_add_name(p, &e->names, (*left)->args.at[i]->names.at[0], err));
    *left = e;
    return NRW_OK;
}

static nrw_status operation(sql_parser *p, const infix *op, sql_expr **left, nrw_error *err)
{
    sql_expr *right;

    if (op->level == SQL_LEVEL_ARROW)
        return arrow(p, left, err);
    if (op->compare)
        return comparison(p, op->compare, left, err);
    if ((sql_word_at(p, 0, "any") || sql_word_at(p, 0, "all")) && sql_sign_at(p, 1, "("))
        return sql_fail_at(p, sql_peek(p, 0)->at, err,
                           "ANY and ALL stand behind =, <>, <, <=, > and >= alone");
    TRY(sql_expr_level(p, op->level + 1, &right, err));
    TRY(sql_node(p, SQL_EXPR_CALL, op->sign, (*left)->at, *left, right, left, err));
    (*left)->is_operator = true;
    return NRW_OK;
}

/* One infix operator and its right operand, if there is one of this level. */
static nrw_status infix_step(sql_parser *p, sql_level level, sql_expr **left, bool *took,
                             nrw_error *err)
{
    const infix *op = infix_at(p);

    *took = true;
    if (op && op->level >= level && op->level <= p->most) {
        p->i++;
        return operation(p, op, left, err);
    }
    if (!op && level <= SQL_LEVEL_AND && sql_word_at(p, 0, "and"))
        return junction(p, "and", left, err);
    if (!op && level <= SQL_LEVEL_OR && sql_word_at(p, 0, "or"))
        return junction(p, "or", left, err);
    *took = false;
    return op ? NRW_OK : sql_predicate(p, level, left, took, err);
}

static bool compares(const sql_parser *p)
{
    const infix *op = infix_at(p);

    if (op)
        return op->compare != NULL;
    return sql_word_at(p, 0, "is") &&
           sql_word_at(p, 1 + (uint32_t)sql_word_at(p, 1, "not"), "distinct");
}

nrw_status sql_expr_level(sql_parser *p, sql_level level, sql_expr **out, nrw_error *err)
{
    bool took = true, compared = false;

    TRY(sql_enter(p, err));
    if (level <= SQL_LEVEL_NOT && sql_word_at(p, 0, "not"))
        TRY(negation(p, SQL_LEVEL_NOT + 1, out, err));
    else
        TRY(unary(p, level, out, err));
    while (took) {
        bool again = compares(p);
        size_t at = sql_peek(p, 0)->at;
        TRY(infix_step(p, level, out, &took, err));
        if (took && again && compared)
            return sql_fail_at(p, at, err,
                               "comparisons do not chain; join them by AND or use parentheses");
        compared = again;
    }
    sql_leave(p);
    return NRW_OK;
}

nrw_status sql_expr_any(sql_parser *p, sql_expr **out, nrw_error *err)
{
    return sql_expr_level(p, SQL_LEVEL_ALL, out, err);
}

nrw_status sql_expr_into(sql_parser *p, sql_exprs *list, nrw_error *err)
{
    sql_expr *e;

    TRY(sql_expr_any(p, &e, err));
    return sql_add(p, list, e, err);
}

nrw_status sql_expr_list(sql_parser *p, sql_exprs *out, nrw_error *err)
{
    do
        TRY(sql_expr_into(p, out, err));
    while (sql_more(p));
    return NRW_OK;
}

nrw_status sql_expr_arguments(sql_parser *p, sql_exprs *out, nrw_error *err)
{
    TRY(sql_expr_list(p, out, err));
    return sql_want_sign(p, ")", err);
}
