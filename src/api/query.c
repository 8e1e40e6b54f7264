/* Statements of SQL, one after the other: each from its text to rows at a target. */
#include "api/query_own.h"

#include <string.h>

#define SCRIPT_MAX ((uint64_t)16 << 20)

typedef struct script {
    nrw_job *job;
    mem *m;
    arena *a;
    span text;
    query_text words; /* the text, where options made it */
    span lines;       /* of EXPLAIN: what there is to say; else none */
    uint32_t n;
    sql_statement *statements;
    uint32_t n_params;
    sql_param *params;
} script;

/* ---- texts ---- */

/* A script: a file, or standard input. */
static nrw_status read_file(script *s, const char *path, nrw_error *err)
{
    char *text;
    io_file *f;
    nrw_status st;

    TRY(file_open(s->m, path, job_last(s->job, "spill-dir"), &f, err));
    st = f->size > SCRIPT_MAX
             ? err_set(err, NRW_E_ARG, "%.200s: a query of more than 16 MiB is not taken", path)
             : arena_alloc(s->a, (size_t)f->size + 1, (void **)&text, err);
    if (st >= 0)
        st = file_read(f, 0, text, (size_t)f->size, err);
    if (st >= 0)
        s->text = (span){(const uint8_t *)text, (size_t)f->size};
    file_close(f);
    return st;
}

static nrw_status read_text(script *s, nrw_error *err)
{
    const char *file = job_last(s->job, "file");

    if (strcmp(s->job->verb->name, "sql") != 0) {
        TRY(query_of_words(s->job, &s->words, err));
        s->text = (span){s->words.text.data, s->words.text.len};
        return NRW_OK;
    }
    if (file && s->job->sources.n)
        return err_set(err, NRW_E_ARG, "sql: the query is given twice, as a word and with --file");
    if (!file && s->job->sources.n != 1) {
        err_next(err, "as in narrows sql \"SELECT count(*) FROM 'in.parquet'\"");
        return err_set(err, NRW_E_ARG,
                       s->job->sources.n ? "sql takes one text; put the query in quotes"
                                         : "sql: no query is given");
    }
    if (!file) {
        s->text = span_of(s->job->sources.at[0]);
        return NRW_OK;
    }
    return read_file(s, file, err);
}

static nrw_status read_params(script *s, nrw_error *err)
{
    const job_word *w;

    TRY(arena_alloc(s->a, (s->job->n_words + 1) * sizeof *s->params, (void **)&s->params, err));
    for (size_t i = 0; (w = job_each(s->job, "param", i)); i++) {
        const char *equals = strchr(w->value, '=');
        if (!equals || equals == w->value)
            return err_set(err, NRW_E_ARG, "--param is NAME=VALUE, not %s", w->value);
        s->params[s->n_params++] = (sql_param){
            {(const uint8_t *)w->value, (size_t)(equals - w->value)}, span_of(equals + 1)};
    }
    return NRW_OK;
}

/* ---- a statement ---- */

/* Columns as they are written; names that the query did not give are its texts. */
static nrw_status out_schema(query *q, nrw_error *err)
{
    schema *s = &q->out;

    TRY(schema_new(q->a, q->plan->n, s, err));
    for (uint32_t c = 0; c < q->plan->n; c++) {
        char *name;
        TRY(arena_strndup(q->a, (const char *)q->plan->columns[c].name.data,
                          q->plan->columns[c].name.len, &name, err));
        s->fields[c] = (field){
            .name = name, .type = q->plan->columns[c].type, .nullable = true, .field_id = -1};
    }
    return NRW_OK;
}

static nrw_status make_plan(query *q, const script *s, const sql_statement *asked, nrw_error *err)
{
    TRY(mem_child(q->job->root, "metadata", MEM_NO_LIMIT, &q->m, err));
    TRY(arena_new(q->m, &q->a, err));
    q->catalog = query_catalog_of(q->job, q->m, q->a);
    q->face = query_catalog_face(&q->catalog);
    const sql_bind_input in = {.a = q->a,
                               .catalog = &q->face,
                               .text = s->text,
                               .n_params = s->n_params,
                               .params = s->params};
    if (s->lines.data)
        return sql_lines(q->a, s->lines, "plan", &q->plan, err);
    return sql_bind(&in, asked, &q->plan, err);
}

static nrw_status prepare(query *q, const script *s, const sql_statement *asked, nrw_error *err)
{
    TRY(output_choose(&q->to, q->job, err));
    TRY(make_plan(q, s, asked, err));
    TRY(plan_take_footers(q->a, &q->face, &q->plan, err));
    TRY(plan_mark(q->a, &q->face, q->plan, err));
    TRY(plan_choose_sides(q->a, &q->face, &q->plan, err));
    TRY(out_schema(q, err));
    q->to.n_keys = q->keys.n;
    TRY(query_keys_find(&q->keys, q->plan, q->a, (uint32_t **)&q->to.keys, err));
    TRY(output_options(&q->to, &q->out, NULL, err));
    return query_share_memory(q, err);
}

static void release(query *q)
{
    sql_exec_close(&q->exec);
    output_close(&q->to);
    query_catalog_close(&q->catalog);
    arena_free(q->a);
    mem_free_account(q->write_books);
    mem_free_account(q->m);
}

static nrw_status answer(script *s, const sql_statement *asked, const query_keys *keys,
                         bool plan_only, nrw_error *err)
{
    query q = {.job = s->job, .text = s->text, .keys = *keys};
    nrw_status st = prepare(&q, s, asked, err);

    if (st >= 0)
        query_fill_plan(&q);
    if (st >= 0 && !plan_only)
        st = query_run(&q, err);
    release(&q);
    return st;
}

/* Words that a COPY adds, and its target, are gone behind it. */
static nrw_status copy(script *s, const sql_statement *c, bool plan_only, nrw_error *err)
{
    nrw_job *job = s->job;
    const size_t words = job->n_words;
    const char *target = job->target;
    query_keys keys;
    sql_statement inner = *c;
    nrw_status st;

    if (job->out)
        return err_set(err, NRW_E_ARG,
                       "COPY says itself where its rows go, they cannot go "
                       "elsewhere; give a SELECT");
    if (job_last(job, "output") || job_last(job, "format"))
        return err_set(err, NRW_E_ARG,
                       "COPY says itself where its rows go and how: --%s is for "
                       "SELECT",
                       job_last(job, "output") ? "output" : "format");
    st = query_copy_words(job, s->text, c, err);
    if (st >= 0)
        st = query_keys_of_copy(s->a, c, &inner.query, &keys, err);
    if (st >= 0)
        st = answer(s, &inner, &keys, plan_only, err);
    job->n_words = words;
    job->target = target;
    return st;
}

static nrw_status select_rows(script *s, const sql_statement *one, bool plan_only, nrw_error *err)
{
    query_keys keys;

    TRY(query_keys_of_words(s->job, s->a, &keys, err));
    return answer(s, one, &keys, plan_only, err);
}

/* What `plan` says of a statement, as rows. */
static nrw_status explain(script *s, const sql_statement *one, bool plan_only, nrw_error *err)
{
    bytes text = bytes_init(s->m, SCRIPT_MAX);
    nrw_status st;

    if (one->analyze)
        return err_set(err, NRW_E_ARG,
                       "EXPLAIN ANALYZE is not supported; --report says what a run did");
    st = one->kind == SQL_COPY ? copy(s, one, true, err) : select_rows(s, one, true, err);
    if (st >= 0 && !plan_only) {
        st = job_plan_text(s->job, &text, err);
        s->lines = (span){text.data, text.len};
        if (st >= 0)
            st = select_rows(s, one, false, err);
        s->lines = (span){0};
    }
    bytes_release(&text);
    return st;
}

static nrw_status run_statement(script *s, const sql_statement *one, bool plan_only, nrw_error *err)
{
    switch (one->kind) {
    case SQL_SELECT:
    case SQL_DESCRIBE:
    case SQL_SUMMARIZE: return select_rows(s, one, plan_only, err);
    case SQL_COPY:
        if (!one->explains)
            return copy(s, one, plan_only, err);
        break;
    case SQL_EXPLAIN: break;
    case SQL_EMPTY: return NRW_OK;
    }
    return explain(s, one, plan_only, err);
}

static nrw_status run_script(script *s, bool plan_only, nrw_error *err)
{
    nrw_status st = NRW_OK;

    TRY(mem_child(s->job->root, "script", MEM_NO_LIMIT, &s->m, err));
    TRY(arena_new(s->m, &s->a, err));
    TRY(read_text(s, err));
    TRY(sql_parse(s->a, s->text, &s->statements, &s->n, err));
    TRY(read_params(s, err));
    if (s->n == 0)
        return err_set(err, NRW_E_ARG, "the query is empty");
    if (s->n > 1 && plan_only)
        return err_set(err, NRW_E_ARG, "one statement at a time is planned");
    if (s->n > 1 && job_switch(s->job, "resume", false))
        return err_set(err, NRW_E_ARG, "one statement at a time is resumed, these are %u", s->n);
    if (s->n > 1 && s->job->out)
        return err_set(err, NRW_E_ARG, "one statement's rows can be taken, these are %u", s->n);
    if (s->n > 1 && job_last(s->job, "output"))
        return err_set(err, NRW_E_ARG, "--output takes the rows of one statement, these are %u",
                       s->n);
    for (uint32_t i = 0; st == NRW_OK && i < s->n; i++)
        st = run_statement(s, &s->statements[i], plan_only, err);
    return st;
}

nrw_status job_query(nrw_job *job, bool plan_only, nrw_error *err)
{
    script s = {.job = job};
    nrw_status st;

    if (job_last(job, "output"))
        job->target = job_last(job, "output");
    TRY(job_limits_settle(job, err));
    st = run_script(&s, plan_only, err);
    if (st < 0)
        query_blame(&s.words, err);
    if (s.words.text.m)
        bytes_release(&s.words.text);
    arena_free(s.a);
    mem_free_account(s.m);
    return st;
}
