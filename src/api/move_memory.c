/* How a run's memory is shared, and what the plan says of it. */
#include "api/move_own.h"

#include "base/text.h"
#include "dataset/gen.h"
#include "exec/op_first.h"
#include "exec/op_limit.h"
#include "exec/room.h"

#include <stdio.h>
#include <string.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

/* Rows are counted behind the filter and what leaves damage out; without them the source gives no
 * more than are wanted. */
bool move_counts_behind(const move *m)
{
    return m->where.p ? m->tail || m->limit != INT64_MAX
                      : m->quarantine.on && !m->tail && m->limit != INT64_MAX;
}

/* At most so many rows come, where nobody says: as many as can have a code of their own. */
static uint64_t rows_at_most(const move *m)
{
    int64_t rows = scan_rows(m->in.scan);

    return rows < 0 ? UINT32_MAX : (uint64_t)rows;
}

/* At most so many different values are in column c of the inputs: by the metadata of a single file
 * where it is a whole number, else as many as there are rows. */
static uint64_t distinct_at_most(move *m, uint32_t c)
{
    uint64_t rows = rows_at_most(m);
    const field *f = &scan_schema(m->in.scan)->fields[c];
    reader *r = scan_first(m->in.scan);
    int64_t min, max;

    if (scan_files(m->in.scan) > 1 || !r->class->bounds || f->type.id < TYPE_INT8 ||
        f->type.id > TYPE_INT64 || !r->class->bounds(r, m->in.m, c, &min, &max))
        return rows;
    if (max < min || (uint64_t)max - (uint64_t)min >= rows)
        return rows;
    return (uint64_t)max - (uint64_t)min + 1 + f->nullable;
}

static uint64_t groups_at_most(move *m)
{
    uint64_t rows = rows_at_most(m), n = 1;

    for (uint32_t i = 0; i < m->n_per; i++)
        if (__builtin_mul_overflow(n, distinct_at_most(m, m->cols[m->per[i]]), &n) || n > rows)
            return rows;
    return n;
}

/* The operator's tables at most; without codes of dictionaries. */
static uint64_t first_state(const move *m)
{
    const uint64_t key = 24, some = 256 * KIB;
    uint64_t tables;

    tables = op_first_memory(m->groups, (uint32_t)m->first, room_mul(m->groups, m->first),
                             key * room_at_least(room_at_least(m->n_per, m->n_of), 1));
    return room_add(some, tables);
}

static bool any_text(const move *m, const uint32_t *columns, uint32_t n)
{
    bool any = false;

    for (uint32_t i = 0; i < n; i++)
        any |= type_is_view(&scan_schema(m->in.scan)->fields[m->cols[columns[i]]].type);
    return any;
}

/* Rows that wait, where the state outgrows its memory. Of a text its length is a guess. */
static room_rows first_rows(const move *m)
{
    const uint64_t text = 48, mark = 2;
    room_rows r = {.n = rows_at_most(m)};

    for (uint32_t c = 0; c < m->n_cols; c++) {
        const type *t = &scan_schema(m->in.scan)->fields[m->cols[c]].type;
        r.width += type_is_view(t) || type_is_nested(t) ? text : t->width;
    }
    for (uint32_t i = 0; i < m->n_per + m->n_of; i++) {
        const uint32_t c = i < m->n_per ? m->per[i] : m->of[i - m->n_per];
        const type *t = &scan_schema(m->in.scan)->fields[m->cols[c]].type;
        r.keys += mark + (type_is_view(t) ? text : t->width);
    }
    r.packed = r.width;
    r.packed_keys = r.keys;
    return r;
}

static uint64_t first_late_least(const move *m)
{
    const room_rows r = first_rows(m);

    return op_first_late(&r, m->workers);
}

uint64_t move_first_late(const move *m)
{
    const uint64_t grant = m->grants[PART_OP], state = first_state(m);

    if (state <= grant && !any_text(m, m->per, m->n_per) && !any_text(m, m->of, m->n_of))
        return 0;
    return op_first_late_share(grant, state, first_late_least(m));
}

static nrw_status op_budget(const move *m, budget *out)
{
    const uint64_t some = 256 * KIB, codes = 2 * MIB; /* of two dictionaries of usual size */
    uint64_t have = mem_limit(m->job->root), late;

    out->least = out->wish = m->tail || move_counts_behind(m) ? 4 * KIB : 0;
    out->spill = 0;
    if (m->quarantine.on) {
        out->least += QUARANTINE_LEAST;
        out->wish += QUARANTINE_WISH;
    }
    if (!m->sample)
        return NRW_OK;
    out->least = first_state(m);
    late = out->least > have / 4 || any_text(m, m->per, m->n_per) || any_text(m, m->of, m->n_of)
               ? first_late_least(m)
               : 0;
    out->wish = room_add(out->least, codes + late);
    out->least = (out->least > have / 4 ? some : out->least) + late;
    if (out->wish > have / 2 + late)
        out->wish = room_at_least(have / 2 + late, out->least);
    return NRW_OK;
}

/* What of the operator's grant its state leaves for codes of dictionaries. */
size_t move_codes_room(const move *m)
{
    uint64_t grant = m->grants[PART_OP] - move_first_late(m), state = first_state(m);

    return (size_t)(grant > state ? grant - state : 0);
}

/* Pages that are kept go from file to file through one window; of the writer there is little at
 * work but its books. */
static nrw_status keep_budgets(move *m, uint64_t *least, uint64_t *wish, nrw_error *err)
{
    budget b = parquet_keep_budget(&m->kept);

    for (int i = 0; i < PARTS; i++)
        least[i] = wish[i] = 0;
    least[PART_READ] = b.least;
    wish[PART_READ] = b.wish;
    TRY(output_budget(&m->to, 1, &b, err));
    least[PART_WRITE] = wish[PART_WRITE] = b.least;
    return NRW_OK;
}

/* Rows of files become files of about the same size, those that are generated half of their values'
 * bytes. A condition, and groups, leave a quarter, as a guess. */
static output_flow flow_of(const move *m)
{
    const schema *s = scan_schema(m->in.scan);
    int64_t all = scan_rows(m->in.scan);
    double rows = (double)(all < 0 ? 0 : all), bytes = (double)scan_bytes(m->in.scan), part = 1;
    output_flow f = {all < 0 ? UINT64_MAX : (uint64_t)all, UINT64_MAX, 1};

    for (uint32_t c = 0; m->in.gen && c < m->n_out; c++)
        bytes +=
            rows / 2 * (type_is_view(&m->out.fields[c].type) ? 32 : m->out.fields[c].type.width);
    if (bytes <= 0)
        return f;
    if (!m->in.gen && s->n_fields)
        part = (double)m->n_out / (s->n_fields > m->n_out ? s->n_fields : m->n_out);
    if (m->where.p || m->sample)
        part /= 4;
    if (m->limit != INT64_MAX && m->limit < f.rows) {
        part *= rows > 0 ? (double)m->limit / rows : 1;
        f.rows = m->limit;
    }
    f.stored = (uint64_t)(bytes * part);
    return f;
}

static nrw_status budgets(move *m, uint64_t *least, uint64_t *wish, nrw_error *err)
{
    const uint64_t selection = 128 * KIB;
    budget b;

    if (m->keep)
        return keep_budgets(m, least, wish, err);
    TRY(scan_budget(m->in.scan, m->cols, m->n_cols, m->workers, &b, err));
    least[PART_READ] = b.least;
    wish[PART_READ] = b.wish;
    where_reading(&m->where, &least[PART_READ], &wish[PART_READ]);
    where_budget(&m->where, &b);
    least[PART_FILTER] = b.least;
    wish[PART_FILTER] = b.wish;
    TRY(op_budget(m, &b));
    least[PART_OP] = b.least;
    wish[PART_OP] = b.wish;
    m->to.flow = flow_of(m);
    m->to.write.rows_most = m->to.flow.rows == UINT64_MAX ? 0 : m->to.flow.rows;
    TRY(output_budget(&m->to, m->workers, &b, err));
    least[PART_WRITE] = b.least;
    wish[PART_WRITE] = b.wish;
    /* of each worker: pieces of a column under way (read, sliced), the selection, held keys */
    least[PART_BATCHES] = m->workers * (4 * 64 * KIB + selection + m->n_cols * 64);
    wish[PART_BATCHES] = m->workers * (4 * MIB + selection + m->n_cols * 64);
    where_batches(&m->where, m->workers, &least[PART_BATCHES], &wish[PART_BATCHES]);
    b = output_held(&m->to);
    least[PART_BATCHES] += m->workers * b.least;
    wish[PART_BATCHES] += m->workers * b.wish;
    return NRW_OK;
}

/* The least ceiling that would do, in a sentence: exit 4. */
static nrw_status refuse(const move *m, uint64_t needs, nrw_error *err)
{
    char need[TEXT_NUMBER], have[TEXT_NUMBER], option[TEXT_NUMBER];
    char n[TEXT_NUMBER];

    err_at_object(err, m->to.name);
    text_size_option(needs, option);
    text_size(needs, need);
    text_size(m->job->limits.ceiling, have);
    err_next(err, "give --memory %s or more", option);
    return err_set(err, NRW_E_MEMLIMIT,
                   "to write %s columns takes at least %s, --memory is %s, nothing was read",
                   text_group(m->n_out, n), need, have);
}

/* Whether threads get along: with little above its least the reader gives pages up that it needs
 * again, and a sample writes rows again that wait; more threads are slower than fewer then. */
static bool roomy(const move *m, const uint64_t *wish)
{
    const uint64_t some = room_at_most(wish[PART_OP], m->job->limits.ceiling / 6);

    return m->workers == 1 || ((m->grants[PART_READ] - m->least[PART_READ]) * 4 >=
                                   wish[PART_READ] - m->least[PART_READ] &&
                               m->grants[PART_OP] >= some);
}

nrw_status move_share_memory(move *m, nrw_error *err)
{
    uint64_t *least = m->least, wish[PARTS], needs;

    job_hold(m->job);
    m->groups = m->sample ? groups_at_most(m) : 0;
    for (m->workers = m->keep ? 1 : m->job->limits.workers;; m->workers--) {
        TRY(budgets(m, least, wish, err));
        nrw_status st = job_share(m->job, least, wish, PARTS, m->grants, &needs);
        if (st >= 0 && roomy(m, wish))
            break;
        if (m->workers == 1)
            return refuse(m, needs, err);
    }
    m->piece = (size_t)(m->grants[PART_BATCHES] / m->workers / (6 + m->where.n));
    m->piece = m->piece > MIB / 2 ? MIB / 2 : m->piece;
    m->job->plan.from = needs;
    if (m->workers > 1) { /* would it run with one worker from less? */
        uint32_t workers = m->workers;
        uint64_t alone[PARTS], grants[PARTS];
        m->workers = 1;
        TRY(budgets(m, alone, wish, err));
        m->workers = workers;
        if (job_share(m->job, alone, wish, PARTS, grants, &needs) >= 0)
            m->job->plan.from = needs;
    }
    return NRW_OK;
}

/* ---- plan ---- */

static plan_step *add_step(move *m, const char *how, int part, int64_t rows)
{
    plan_step *s = &m->job->plan.steps[m->job->plan.n++];

    *s = (plan_step){.how = how, .least = m->least[part], .grant = m->grants[part], .rows = rows};
    return s;
}

static void name_columns(const move *m, char *out, size_t cap)
{
    size_t n = 0;

    for (uint32_t i = 0; i < m->n_cols && n + 48 < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%.32s", i ? ", " : " ",
                              scan_schema(m->in.scan)->fields[m->cols[i]].name);
}

static void add_batches(move *m)
{
    plan_step *s = add_step(m, "streams", PART_BATCHES, -1);

    snprintf(s->what, sizeof s->what, "batches in flight, %u threads", m->workers);
}

void move_plan(move *m)
{
    job_plan *p = &m->job->plan;
    int64_t rows = scan_rows(m->in.scan);
    char names[96] = "", number[TEXT_NUMBER];
    plan_step *s;

    name_columns(m, names, sizeof names);
    p->n = 0;
    s = add_step(m, "streams", PART_READ, rows);
    job_describe_source(&m->in, s);
    if (m->keep)
        snprintf(s->what, sizeof s->what, "copy pages");
    snprintf(s->what + strlen(s->what), sizeof s->what - strlen(s->what), "%s", names);
    if (m->where.p) {
        s = add_step(m, "streams", PART_FILTER, rows);
        s->rows_bound = true;
        where_describe(&m->where, s->what, 46);
    }
    if (m->sample) {
        const room_rows r = first_rows(m);
        const uint64_t late = move_first_late(m);
        s = add_step(m, late ? "spills" : "bounded", PART_OP, rows);
        s->rows_bound = true;
        if (late)
            s->spill = room_at_most(
                op_first_spill(&r, (uint32_t)m->first, m->grants[PART_OP], late, m->workers),
                m->job->limits.spill_limit);
        snprintf(s->what, sizeof s->what, "first %llu%s%s", (unsigned long long)m->first,
                 m->n_of ? " ids" : " rows", m->n_per ? " of each group" : "");
        if (rows >= 0)
            snprintf(s->detail, sizeof s->detail,
                     "at most %s groups; other columns are read where rows stay",
                     text_group(m->groups, number));
    }
    s = add_step(m, "streams", PART_WRITE, -1);
    output_describe(&m->to, s);
    if (!m->keep)
        add_batches(m);
    p->peak = m->job->limits.baseline + m->job->limits.held;
    for (int i = 0; i < PARTS; i++)
        p->peak += m->grants[i];
    p->spill = m->job->limits.spill_limit;
}

/* The filter's step is told how many rows may come to it. */
nrw_status move_plan_estimate(move *m, nrw_error *err)
{
    plan_step *s = m->job->plan.steps;
    int64_t rows;

    TRY(where_estimate(&m->where, &m->in, s[0].detail, sizeof s[0].detail, &rows, err));
    if (rows >= 0)
        s[1].rows = rows;
    return NRW_OK;
}
