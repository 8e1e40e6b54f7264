/* Functions whose arguments have words between them. All come out as plain calls, but EXTRACT. */
#include "sql/own.h"

/* The call of this name, its word and parenthesis taken. */
static nrw_status begin(sql_parser *p, const char *name, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_CALL, sql_peek(p, 0)->at, out, err));
    (*out)->name = sql_name_of(name, (*out)->at);
    p->i += 2;
    return NRW_OK;
}

static nrw_status finish(sql_parser *p, sql_expr *call, nrw_error *err)
{
    TRY(sql_want_sign(p, ")", err));
    return sql_close(p, call, err);
}

/* EXTRACT(YEAR FROM x), EXTRACT('year' FROM x). */
static nrw_status extract(sql_parser *p, sql_expr **out, nrw_error *err)
{
    const char *unit;

    TRY(begin(p, "", out, err));
    (*out)->kind = SQL_EXPR_EXTRACT;
    unit = sql_unit_at(p, 0);
    if (unit) {
        (*out)->name = sql_name_of(unit, sql_peek(p, 0)->at);
        p->i++;
    } else {
        TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, "a part: YEAR, MONTH, DAY ...",
                                    &(*out)->name, err));
    }
    TRY(sql_want_word(p, "from", err));
    TRY(sql_expr_into(p, &(*out)->args, err));
    return finish(p, *out, err);
}

/* POSITION(x IN y): position(y, x). */
static nrw_status position(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_expr *what;

    TRY(begin(p, "position", out, err));
    TRY(sql_expr_level(p, SQL_LEVEL_IN + 1, &what, err));
    TRY(sql_want_word(p, "in", err));
    TRY(sql_expr_into(p, &(*out)->args, err));
    TRY(sql_add(p, &(*out)->args, what, err));
    return finish(p, *out, err);
}

static nrw_status one(sql_parser *p, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_LITERAL, sql_peek(p, 0)->at, out, err));
    (*out)->literal = SQL_NUMBER;
    (*out)->name = sql_name_of("1", (*out)->at);
    (*out)->text = (*out)->name.text;
    return sql_close(p, *out, err);
}

/* SUBSTRING(x FROM a [FOR b]), SUBSTRING(x FOR b), SUBSTRING(x, a, b). */
static nrw_status substring(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_expr *start;
    bool by_words;

    TRY(begin(p, "substring", out, err));
    TRY(sql_expr_into(p, &(*out)->args, err));
    by_words = sql_word_at(p, 0, "from") || sql_word_at(p, 0, "for");
    if (!by_words) {
        if (sql_more(p))
            TRY(sql_expr_list(p, &(*out)->args, err));
        return finish(p, *out, err);
    }
    if (sql_take_word(p, "from")) {
        TRY(sql_expr_into(p, &(*out)->args, err));
    } else {
        TRY(one(p, &start, err));
        TRY(sql_add(p, &(*out)->args, start, err));
    }
    if (sql_take_word(p, "for"))
        TRY(sql_expr_into(p, &(*out)->args, err));
    return finish(p, *out, err);
}

/* TRIM([BOTH | LEADING | TRAILING] [[characters] FROM] x [, characters]). */
static nrw_status trim(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_expr *characters = NULL;

    TRY(begin(p, "trim", out, err));
    if (sql_take_word(p, "leading"))
        (*out)->name.text = sql_name_of("ltrim", 0).text;
    else if (sql_take_word(p, "trailing"))
        (*out)->name.text = sql_name_of("rtrim", 0).text;
    else
        sql_take_word(p, "both");
    if (!sql_take_word(p, "from")) {
        TRY(sql_expr_into(p, &(*out)->args, err));
        if (sql_take_word(p, "from")) {
            characters = (*out)->args.at[0];
            (*out)->args.n = 0;
        }
    }
    if ((*out)->args.n == 0)
        TRY(sql_expr_into(p, &(*out)->args, err));
    if (sql_more(p))
        TRY(sql_expr_list(p, &(*out)->args, err));
    if (characters)
        TRY(sql_add(p, &(*out)->args, characters, err));
    return finish(p, *out, err);
}

/* OVERLAY(x PLACING y FROM a [FOR b]), OVERLAY(x, y, a, b). */
static nrw_status overlay(sql_parser *p, sql_expr **out, nrw_error *err)
{
    TRY(begin(p, "overlay", out, err));
    TRY(sql_expr_into(p, &(*out)->args, err));
    if (sql_take_word(p, "placing")) {
        TRY(sql_expr_into(p, &(*out)->args, err));
        TRY(sql_want_word(p, "from", err));
        TRY(sql_expr_into(p, &(*out)->args, err));
        if (sql_take_word(p, "for"))
            TRY(sql_expr_into(p, &(*out)->args, err));
    } else if (sql_more(p)) {
        TRY(sql_expr_list(p, &(*out)->args, err));
    }
    return finish(p, *out, err);
}

/* Plain calls whose names are keywords that are no functions elsewhere. */
static nrw_status list_of(sql_parser *p, const char *name, bool may_be_empty, sql_expr **out,
                          nrw_error *err)
{
    TRY(begin(p, name, out, err));
    if (may_be_empty && sql_take_sign(p, ")"))
        return sql_close(p, *out, err);
    TRY(sql_expr_arguments(p, &(*out)->args, err));
    return sql_close(p, *out, err);
}

static nrw_status coalesce(sql_parser *p, sql_expr **out, nrw_error *err)
{
    return list_of(p, "coalesce", false, out, err);
}

static nrw_status grouping(sql_parser *p, sql_expr **out, nrw_error *err)
{
    return list_of(p, "grouping", true, out, err);
}

static nrw_status nullif(sql_parser *p, sql_expr **out, nrw_error *err)
{
    TRY(list_of(p, "nullif", false, out, err));
    return (*out)->args.n == 2 ? NRW_OK
                               : sql_fail_at(p, (*out)->at, err,
                                             "NULLIF takes two arguments, not %u", (*out)->args.n);
}

nrw_status sql_special(sql_parser *p, sql_expr **out, bool *took, nrw_error *err)
{
    static const struct {
        const char *word;
        nrw_status (*parse)(sql_parser *, sql_expr **, nrw_error *);
    } specials[] = {{"extract", extract},      {"position", position},
                    {"substring", substring},  {"trim", trim},
                    {"overlay", overlay},      {"coalesce", coalesce},
                    {"grouping_id", grouping}, {"grouping", grouping},
                    {"nullif", nullif}};

    *took = sql_sign_at(p, 1, "(");
    for (size_t i = 0; *took && i < sizeof specials / sizeof *specials; i++)
        if (sql_word_at(p, 0, specials[i].word))
            return specials[i].parse(p, out, err);
    *took = false;
    return NRW_OK;
}
