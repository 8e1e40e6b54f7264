/* COPY's options as the words of the command: NAME is --name, underscores hyphens, values as they
 * are typed. What a word means, and whether it may stand here, is settled where words are. */
#include "api/query_own.h"

#include "base/buffer.h"

#include <ctype.h>
#include <string.h>

#define LONGEST (1 << 20)

/* A value as text: what is quoted without its quotes, all else as it stands in the query. */
static nrw_status put_value(bytes *b, span text, const sql_expr *e, nrw_error *err)
{
    bool minus = e->kind == SQL_EXPR_CALL && e->is_operator && e->args.n == 1;

    if (e->kind == SQL_EXPR_LITERAL && e->literal == SQL_STRING)
        return bytes_append(b, e->text.data, e->text.len, err);
    if (e->kind == SQL_EXPR_COLUMN && e->names.n == 1)
        return bytes_append(b, e->names.at[0].text.data, e->names.at[0].text.len, err);
    if (minus || e->kind == SQL_EXPR_LITERAL || e->kind == SQL_EXPR_COLUMN)
        return bytes_append(b, text.data + e->at, e->end - e->at, err);
    return sql_fail(text, e->at, err, "a value here is a word, a number or a text in quotes");
}

static nrw_status add(nrw_job *job, const char *name, bytes *value, nrw_error *err)
{
    TRY(bytes_append(value, "", 1, err));
    return nrw_job_option(job, name, (const char *)value->data, err);
}

/* {key: value, ...}: a word KEY=VALUE each. */
static nrw_status add_pairs(nrw_job *job, const char *name, span text, const sql_expr *e, bytes *b,
                            nrw_error *err)
{
    for (uint32_t i = 0; i < e->args.n; i++) {
        bytes_clear(b);
        TRY(bytes_append(b, e->names.at[i].text.data, e->names.at[i].text.len, err));
        TRY(bytes_append(b, "=", 1, err));
        TRY(put_value(b, text, e->args.at[i], err));
        TRY(add(job, name, b, err));
    }
    return NRW_OK;
}

/* true, false and nothing are a switch. */
static bool is_switch(const sql_option *o, bool *on)
{
    const sql_expr *e = o->values.n == 1 ? o->values.at[0] : NULL;

    *on = !e || e->literal == SQL_TRUE;
    return !e ||
           (e->kind == SQL_EXPR_LITERAL && (e->literal == SQL_TRUE || e->literal == SQL_FALSE));
}

static nrw_status add_switch(nrw_job *job, const char *name, bool on, nrw_error *err)
{
    char negated[80] = "no-";

    strncat(negated, name, sizeof negated - 4);
    return nrw_job_option(job, on ? name : negated, NULL, err);
}

/* DuckDB's words for what happens where the target exists. */
static const char *exists_word(const char *name)
{
    static const char *const words[][2] = {{"overwrite", "replace"},
                                           {"append", "append"},
                                           {"overwrite-or-ignore", "overwrite-or-ignore"}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i][0]) == 0)
            return words[i][1];
    return NULL;
}

static nrw_status add_option(nrw_job *job, span text, const sql_option *o, bytes *b, nrw_error *err)
{
    char name[64] = "";
    const char *exists;
    bool on, alone = is_switch(o, &on);

    for (size_t i = 0; i < o->name.text.len && i + 1 < sizeof name; i++) {
        int c = tolower(o->name.text.data[i]);
        name[i] = c == '_' ? '-' : (char)c;
    }
    exists = exists_word(name);
    if (exists && alone)
        return on ? nrw_job_option(job, "on-exists", exists, err) : NRW_OK;
    if (alone)
        return add_switch(job, name, on, err);
    for (uint32_t i = 0; i < o->values.n; i++) {
        const sql_expr *e = o->values.at[i];
        if (e->kind == SQL_EXPR_STRUCT) {
            TRY(add_pairs(job, name, text, e, b, err));
            continue;
        }
        bytes_clear(b);
        if (strcmp(name, "partition-by") == 0) /* an expression: query_keys_of_copy */
            TRY(bytes_append(b, text.data + e->at, e->end - e->at, err));
        else
            TRY(put_value(b, text, e, err));
        TRY(add(job, name, b, err));
    }
    return NRW_OK;
}

nrw_status query_copy_words(nrw_job *job, span text, const sql_statement *s, nrw_error *err)
{
    bytes b = bytes_init(job->words_mem, LONGEST);
    nrw_status st = NRW_OK;
    char *target;

    TRY(arena_strndup(job->a, (const char *)s->target.data, s->target.len, &target, err));
    job->target = target;
    for (uint32_t i = 0; st >= 0 && i < s->n_options; i++) {
        st = add_option(job, text, &s->options[i], &b, err);
        if (st < 0)
            st = err_wrap(err, st, "COPY, %.*s", (int)s->options[i].name.text.len,
                          (const char *)s->options[i].name.text.data);
    }
    bytes_release(&b);
    return st;
}
