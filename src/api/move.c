/* copy, sample, gen: source -> (operator) -> sink, from a job's words to a published target. */
#include "api/move_own.h"

#include <string.h>

static void move_release(move *m)
{
    op_close(m->op);
    op_close(m->filter);
    op_close(m->except);
    output_close(&m->to);
    quarantine_release(&m->quarantine);
    job_inputs_close(&m->in);
    for (int i = 0; i < PARTS; i++)
        mem_free_account(m->books[i]);
}

/* ---- columns ---- */

/* The place of source column c in the batch; added behind the output if it is not there yet. */
static uint32_t place_of(move *m, uint32_t c)
{
    for (uint32_t i = 0; i < m->n_cols; i++)
        if (m->cols[i] == c)
            return i;
    m->cols[m->n_cols] = c;
    return m->n_cols++;
}

/* Keys are single values. */
static nrw_status check_keys(const move *m, const char *option, const uint32_t *cols, uint32_t n,
                             nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        const field *f = &scan_schema(m->in.scan)->fields[cols[i]];
        char name[128];
        if (!type_is_nested(&f->type))
            continue;
        type_print(&f->type, name, sizeof name);
        err_next(err, "name a part of it, as in user.id");
        return err_set(err, NRW_E_ARG, "--%s: column %s is %s, which is not a key", option, f->name,
                       name);
    }
    return NRW_OK;
}

static nrw_status choose_columns(move *m, nrw_error *err)
{
    nrw_job *job = m->job;
    const schema *s = scan_schema(m->in.scan);
    uint32_t *chosen, n;

    TRY(job_columns(job, "select", s, m->in.name, &chosen, &n, err));
    TRY(job_columns(job, "of", s, m->in.name, &m->of, &m->n_of, err));
    TRY(job_columns(job, "per", s, m->in.name, &m->per, &m->n_per, err));
    TRY(where_parse(job, s, m->in.name, &m->where, err));
    m->n_out = n ? n : s->n_fields;
    TRY(arena_alloc(job->a, (m->n_out + m->n_of + m->n_per + m->where.n + 1) * sizeof *m->cols,
                    (void **)&m->cols, err));
    for (uint32_t i = 0; i < m->n_out; i++)
        m->cols[i] = n ? chosen[i] : i;
    m->n_cols = m->n_out;
    TRY(check_keys(m, "of", m->of, m->n_of, err));
    TRY(check_keys(m, "per", m->per, m->n_per, err));
    for (uint32_t i = 0; i < m->n_of; i++)
        m->of[i] = place_of(m, m->of[i]);
    for (uint32_t i = 0; i < m->n_per; i++)
        m->per[i] = place_of(m, m->per[i]);
    for (uint32_t i = 0; i < m->where.n; i++)
        m->where.places[i] = place_of(m, where_column(&m->where, i));
    TRY(schema_new(job->a, m->n_out, &m->out, err));
    for (uint32_t i = 0; i < m->n_out; i++)
        m->out.fields[i] = s->fields[m->cols[i]];
    return NRW_OK;
}

/* The rows keep their order, so what the one input is sorted by stays true as far as its leading
 * columns are taken. */
static nrw_status keep_sorting(move *m, const sort_key *from, uint32_t n, nrw_error *err)
{
    sort_key *kept;

    TRY(arena_alloc(m->job->a, (n + 1) * sizeof *kept, (void **)&kept, err));
    m->to.write.sorting = kept;
    m->to.write.n_sorting = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = 0;
        while (place < m->n_out && m->cols[place] != (uint32_t)from[i].column)
            place++;
        if (place == m->n_out)
            break;
        kept[i] = from[i];
        kept[i].column = (int32_t)place;
        m->to.write.n_sorting++;
    }
    return NRW_OK;
}

static nrw_status choose_options(move *m, nrw_error *err)
{
    reader *r = scan_first(m->in.scan);
    carried c = {0};

    if (r->class->carries)
        TRY(r->class->carries(r, m->job->a, &c, err));
    if (scan_files(m->in.scan) != 1 || m->sample)
        c.n_sorted = 0;
    TRY(output_options(&m->to, &m->out, &c, err));
    return keep_sorting(m, c.sorted, c.n_sorted, err);
}

static nrw_status prepare(move *m, bool plan_only, nrw_error *err)
{
    nrw_job *job = m->job;

    m->sample = strcmp(job->verb->name, "sample") == 0;
    m->tail = strcmp(job->verb->name, "tail") == 0;
    if (job->verb->moves_rows)
        TRY(job_count(job, "limit", 0, INT64_MAX, INT64_MAX, &m->limit, err));
    else
        TRY(job_count(job, "rows", 0, INT64_MAX, 10, &m->limit, err));
    TRY(job_count(job, "first", 1, UINT32_MAX / 2, 0, &m->first, err));
    if (m->sample && !m->first) {
        err_next(err, "as in --first 10 --of id --per group");
        return err_set(err, NRW_E_ARG, "sample: how many is not said");
    }
    if (m->tail && job_last(job, "where") && !plan_only)
        TRY(where_count(job, false, &m->matches, err)); /* how many come before the last ones */
    TRY(job_inputs_open(job, &m->in, err));
    if (m->tail && !job_last(job, "where") && !plan_only)
        TRY(scan_count(m->in.scan, err));
    TRY(choose_columns(m, err));
    TRY(move_note_columns(m, err));
    TRY(choose_options(m, err));
    TRY(move_keep_decide(m, err));
    TRY(quarantine_init(&m->quarantine, job, job->root, err));
    TRY(move_share_memory(m, err));
    move_plan(m);
    if (plan_only)
        return move_plan_estimate(m, err);
    return NRW_OK;
}

/* How the target stands after a failure that was not about it. */
static void tell_target(const move *m, nrw_status st, nrw_error *err)
{
    if (!m->to.target || strcmp(m->to.name, "-") == 0)
        return;
    if (st == NRW_E_CANCELLED)
        err_next(err, "%.200s is as it was", m->to.name);
    else if (st == NRW_E_CORRUPT && err && err->object[0] && err->column[0])
        err_next(err, "%.80s is as it was; narrows verify %.80s lists all damage", m->to.name,
                 err->object);
}

nrw_status job_move(nrw_job *job, bool plan_only, nrw_error *err)
{
    move m = {.job = job};
    bool query;
    nrw_status st;

    TRY(query_is_asked(job, &query, err));
    if (query)
        return job_query(job, plan_only, err);
    TRY(job_limits_settle(job, err));
    TRY(output_choose(&m.to, job, err));
    st = prepare(&m, plan_only, err);
    if (st >= 0 && !plan_only)
        st = move_run(&m, err);
    tell_target(&m, st, err);
    move_release(&m);
    return st;
}

nrw_status move_merge(nrw_job *job, const char *name, target *t, nrw_error *err)
{
    move m = {.job = job};
    nrw_status st;

    mem_set_limit(job->root, job_room(job));
    output_choose_file(&m.to, job, name, t);
    st = prepare(&m, false, err);
    if (st >= 0)
        st = move_run(&m, err);
    move_release(&m);
    return st;
}
