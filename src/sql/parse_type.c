/* Types, as trees of names. Words of the grammar have one spelling each; every other name stays as
 * it was typed. */
#include "sql/own.h"

#define TYPE_MAX (1 << 20)

static nrw_status type(sql_parser *p, sql_type *t, nrw_error *err);

/* What may stand behind the words of a type. */
typedef enum tail {
    TAIL_NONE,
    TAIL_SIZES,   /* (10, 2) */
    TAIL_DROPPED, /* (3), which means nothing */
    TAIL_ZONE,    /* WITH or WITHOUT TIME ZONE */
    TAIL_MOMENT,  /* (6), which chooses the unit, and a zone */
    TAIL_FIELDS,  /* (name TYPE, ...) */
    TAIL_TYPES    /* (TYPE, ...) */
} tail;

/* Longer ones before those they begin with. */
static const struct {
    const char *first, *second, *name;
    tail tail;
} known[] = {{"int", NULL, "INTEGER", TAIL_NONE},
             {"integer", NULL, "INTEGER", TAIL_NONE},
             {"smallint", NULL, "SMALLINT", TAIL_NONE},
             {"bigint", NULL, "BIGINT", TAIL_NONE},
             {"real", NULL, "FLOAT", TAIL_NONE},
             {"boolean", NULL, "BOOLEAN", TAIL_NONE},
             {"double", "precision", "DOUBLE", TAIL_NONE},
             {"float", NULL, "FLOAT", TAIL_SIZES},
             {"decimal", NULL, "DECIMAL", TAIL_SIZES},
             {"dec", NULL, "DECIMAL", TAIL_SIZES},
             {"numeric", NULL, "DECIMAL", TAIL_SIZES},
             {"character", "varying", "VARCHAR", TAIL_SIZES},
             {"char", "varying", "VARCHAR", TAIL_SIZES},
             {"nchar", "varying", "VARCHAR", TAIL_SIZES},
             {"national", "character", "VARCHAR", TAIL_SIZES},
             {"national", "char", "VARCHAR", TAIL_SIZES},
             {"character", NULL, "VARCHAR", TAIL_SIZES},
             {"char", NULL, "VARCHAR", TAIL_SIZES},
             {"nchar", NULL, "VARCHAR", TAIL_SIZES},
             {"varchar", NULL, "VARCHAR", TAIL_SIZES},
             {"bit", "varying", "BIT", TAIL_DROPPED},
             {"bit", NULL, "BIT", TAIL_DROPPED},
             {"interval", NULL, "INTERVAL", TAIL_DROPPED},
             {"time", NULL, "TIME", TAIL_ZONE},
             {"timestamp", NULL, "TIMESTAMP", TAIL_MOMENT},
             {"struct", NULL, "STRUCT", TAIL_FIELDS},
             {"row", NULL, "STRUCT", TAIL_FIELDS},
             {"union", NULL, "UNION", TAIL_FIELDS},
             {"map", NULL, "MAP", TAIL_TYPES}};

/* The row of `known` k tokens ahead, or -1. */
static int known_at(const sql_parser *p, uint32_t k)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (sql_word_at(p, k, known[i].first) &&
            (!known[i].second || sql_word_at(p, k + 1, known[i].second)))
            return (int)i;
    return -1;
}

/* Words of the grammar that are printed without quotes where they are types. */
static bool known_name(span name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (span_is(name, known[i].name))
            return true;
    return span_is_word(name, "double") || span_is_word(name, "text");
}

/* ---- in parentheses ---- */

/* (10, 2), ('a', 'b'): literals, printed as such. */
static nrw_status sizes(sql_parser *p, bytes *b, nrw_error *err)
{
    const char *before = "(";
    sql_expr *size;

    if (!sql_take_sign(p, "(") || sql_take_sign(p, ")"))
        return NRW_OK;
    do {
        TRY(sql_expr_level(p, SQL_LEVEL_ADD, &size, err));
        if (size->kind != SQL_EXPR_LITERAL || size->literal == SQL_NULL)
            return sql_fail_at(p, size->at, err, "in a type stand plain numbers and strings");
        TRY(sql_print_text(b, before, err));
        TRY(sql_print(b, size, err));
        before = ", ";
    } while (sql_more(p));
    TRY(sql_print_text(b, ")", err));
    return sql_want_sign(p, ")", err);
}

static nrw_status dropped(sql_parser *p, nrw_error *err)
{
    if (!sql_take_sign(p, "("))
        return NRW_OK;
    if (sql_peek(p, 0)->kind != SQL_TOKEN_NUMBER)
        return sql_expected(p, "a number", err);
    p->i++;
    return sql_want_sign(p, ")", err);
}

/* TIMESTAMP(9) is TIMESTAMP_NS: digits behind the second. */
static nrw_status moment(sql_parser *p, bytes *b, nrw_error *err)
{
    static const char *const units[] = {"_S", "_MS", "_MS", "_MS", "", "", "", "_NS", "_NS", "_NS"};
    const sql_token *t = sql_peek(p, 1);

    if (!sql_take_sign(p, "("))
        return NRW_OK;
    if (t->kind != SQL_TOKEN_NUMBER || t->text.len != 1)
        return sql_fail_at(p, t->at, err, "the digits of a TIMESTAMP's seconds are 0 to 9");
    p->i++;
    TRY(sql_print_text(b, units[t->text.data[0] - '0'], err));
    return sql_want_sign(p, ")", err);
}

static nrw_status zone(sql_parser *p, bytes *b, nrw_error *err)
{
    bool with = sql_words_at(p, "with", "time");

    if (!with && !sql_words_at(p, "without", "time"))
        return NRW_OK;
    p->i += 2;
    TRY(sql_want_word(p, "zone", err));
    return with ? sql_print_text(b, " WITH TIME ZONE", err) : NRW_OK;
}

/* What stands behind the words of a type without children. */
static nrw_status take_tail(sql_parser *p, tail t, bytes *b, nrw_error *err)
{
    switch (t) {
    case TAIL_SIZES: return sizes(p, b, err);
    case TAIL_DROPPED: return dropped(p, err);
    case TAIL_MOMENT: TRY(moment(p, b, err)); return zone(p, b, err);
    case TAIL_ZONE: return zone(p, b, err);
    default: return NRW_OK;
    }
}

/* ---- the whole ---- */

/* (a INTEGER, b VARCHAR) or (VARCHAR, INTEGER). */
static nrw_status children(sql_parser *p, bool named, sql_type *t, nrw_error *err)
{
    sql_type *child;
    sql_name name;

    if (!sql_take_sign(p, "("))
        return NRW_OK;
    do {
        if (named) {
            TRY(sql_take_name(p, SQL_PLACE_COLUMN, "a field's name", &name, err));
            TRY(sql_add_name(p, &t->fields, name, err));
        }
        TRY(sql_push(p, &t->children, &t->n_children, sizeof *child, &child, err));
        TRY(type(p, child, err));
    } while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

/* The words of a type without children and what belongs to them; i: its row of `known`, or -1. */
static nrw_status words(sql_parser *p, int i, bytes *b, nrw_error *err)
{
    sql_name name;

    if (i >= 0) {
        TRY(sql_print_text(b, known[i].name, err));
        return take_tail(p, known[i].tail, b, err);
    }
    TRY(sql_take_name(p, SQL_PLACE_FUNCTION, "a type", &name, err));
    TRY(bytes_append(b, name.text.data, name.text.len, err));
    return sizes(p, b, err);
}

/* Keeps what was written into b, where that went well. */
static nrw_status keep(sql_parser *p, bytes *b, nrw_status st, span *out, nrw_error *err)
{
    char *text = NULL;

    if (st == NRW_OK)
        st = arena_strndup(p->a, (const char *)b->data, b->len, &text, err);
    *out = (span){(const uint8_t *)text, b->len};
    bytes_release(b);
    return st;
}

/* [], [3], ARRAY, ARRAY[3]: lists of what is in front. */
static nrw_status lists(sql_parser *p, sql_type *t, nrw_error *err)
{
    for (;;) {
        bool word = sql_take_word(p, "array"), bracket = sql_take_sign(p, "[");
        sql_type *element;
        if (!word && !bracket)
            return NRW_OK;
        TRY(arena_alloc(p->a, sizeof *element, (void **)&element, err));
        *element = *t;
        *t = (sql_type){
            .at = t->at, .name = sql_name_of("LIST", 0).text, .n_children = 1, .children = element};
        if (bracket && sql_peek(p, 0)->kind == SQL_TOKEN_NUMBER) {
            t->size = sql_peek(p, 0)->text;
            p->i++;
        }
        if (bracket)
            TRY(sql_want_sign(p, "]", err));
        TRY(sql_enter(p, err)); /* a level of the type, which its users walk down */
    }
}

static nrw_status type(sql_parser *p, sql_type *t, nrw_error *err)
{
    int i = known_at(p, 0);
    uint32_t depth = p->depth;
    bytes b = bytes_init(arena_mem(p->a), TYPE_MAX);

    TRY(sql_enter(p, err));
    t->at = sql_peek(p, 0)->at;
    if (i >= 0)
        p->i += known[i].second ? 2 : 1;
    if (i >= 0 && span_is(sql_name_of(known[i].first, 0).text, "national"))
        sql_take_word(p, "varying");
    if (i >= 0 && (known[i].tail == TAIL_FIELDS || known[i].tail == TAIL_TYPES)) {
        t->name = sql_name_of(known[i].name, 0).text;
        TRY(children(p, known[i].tail == TAIL_FIELDS, t, err));
    } else {
        TRY(keep(p, &b, words(p, i, &b, err), &t->name, err));
    }
    TRY(lists(p, t, err));
    p->depth = depth;
    return NRW_OK;
}

static nrw_status print_type(bytes *b, const sql_type *t, nrw_error *err)
{
    bool list = span_is(t->name, "LIST") && t->n_children;

    if (list)
        TRY(print_type(b, &t->children[0], err));
    else if (t->n_children || memchr(t->name.data, '(', t->name.len) ||
             memchr(t->name.data, ' ', t->name.len) || known_name(t->name))
        TRY(bytes_append(b, t->name.data, t->name.len, err));
    else
        TRY(sql_print_name(b, t->name, err));
    for (uint32_t i = 0; !list && i < t->n_children; i++) {
        TRY(sql_print_text(b, i ? ", " : "(", err));
        if (t->fields.n) {
            TRY(sql_print_name(b, t->fields.at[i].text, err));
            TRY(sql_print_text(b, " ", err));
        }
        TRY(print_type(b, &t->children[i], err));
    }
    if (!list)
        return t->n_children ? sql_print_text(b, ")", err) : NRW_OK;
    TRY(sql_print_text(b, "[", err));
    TRY(bytes_append(b, t->size.data, t->size.len, err));
    return sql_print_text(b, "]", err);
}

nrw_status sql_take_type(sql_parser *p, sql_type *out, nrw_error *err)
{
    bytes b = bytes_init(arena_mem(p->a), TYPE_MAX);

    TRY(type(p, out, err));
    return keep(p, &b, print_type(&b, out, err), &out->text, err);
}

/* ---- literals ---- */

/* The token behind the bracket k tokens ahead and what it encloses. */
static uint32_t behind_bracket(const sql_parser *p, uint32_t k, const char *open, const char *close)
{
    uint32_t depth = 0;

    do {
        if (sql_peek(p, k)->kind == SQL_TOKEN_END)
            return k;
        depth += sql_sign_at(p, k, open);
        depth -= sql_sign_at(p, k, close);
        k++;
    } while (depth);
    return k;
}

bool sql_typed_literal_at(const sql_parser *p)
{
    int i = known_at(p, 0);
    uint32_t k = 1;

    if (i < 0)
        return sql_name_at(p, 0, SQL_PLACE_FUNCTION) && sql_peek(p, 0)->kind == SQL_TOKEN_WORD &&
               sql_peek(p, 1)->kind == SQL_TOKEN_STRING;
    if (known[i].tail == TAIL_FIELDS || known[i].tail == TAIL_TYPES)
        return false;
    k += known[i].second != NULL;
    if (sql_sign_at(p, k, "("))
        k = behind_bracket(p, k, "(", ")");
    if ((sql_word_at(p, k, "with") || sql_word_at(p, k, "without")) &&
        sql_word_at(p, k + 1, "time"))
        k += 3;
    while (sql_sign_at(p, k, "["))
        k = behind_bracket(p, k, "[", "]");
    return sql_peek(p, k)->kind == SQL_TOKEN_STRING;
}

const char *sql_unit_at(const sql_parser *p, uint32_t k)
{
    static const char *const units[][3] = {{"year", "years", "YEAR"},
                                           {"month", "months", "MONTH"},
                                           {"day", "days", "DAY"},
                                           {"hour", "hours", "HOUR"},
                                           {"minute", "minutes", "MINUTE"},
                                           {"second", "seconds", "SECOND"},
                                           {"millisecond", "milliseconds", "MILLISECONDS"},
                                           {"microsecond", "microseconds", "MICROSECONDS"},
                                           {"week", "weeks", "WEEK"},
                                           {"quarter", "quarters", "QUARTER"},
                                           {"decade", "decades", "DECADE"},
                                           {"century", "centuries", "CENTURY"},
                                           {"millennium", "millennia", "MILLENNIUM"}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (sql_word_at(p, k, units[i][0]) || sql_word_at(p, k, units[i][1]))
            return units[i][2];
    return NULL;
}
