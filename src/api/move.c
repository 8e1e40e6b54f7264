/* copy, sample, gen: source -> (operator) -> sink, from a job's words to a published target. */
#include "api/move.h"
#include "api/quarantine.h"
#include "api/where.h"

#include "base/clock.h"
#include "base/text.h"
#include "column/json_out.h"
#include "dataset/gen.h"
#include "exec/op_first.h"
#include "exec/op_limit.h"
#include "exec/op_range.h"
#include "format/text/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

enum { PART_READ, PART_FILTER, PART_OP, PART_WRITE, PART_BATCHES, PARTS };

/* Everything a run holds; released by move_release whatever was reached. */
typedef struct move {
    nrw_job *job;
    job_inputs in;
    uint32_t *cols; /* of the batches: the output's first, then what only operators look at */
    uint32_t n_cols, n_out;
    schema out;
    bool sample, tail;
    uint64_t first;
    uint64_t groups;    /* at most so many */
    uint32_t *of, *per; /* places in the batch */
    uint32_t n_of, n_per;
    uint64_t limit;
    where where;
    int64_t matches; /* tail: rows that pass the condition */

    const char *target_name;
    bool parquet;
    text_kind text;
    text_options text_options;
    on_exists on_exists;
    pq_write_options write;

    uint32_t workers;
    uint64_t least[PARTS], grants[PARTS];
    size_t piece; /* bytes of a column's piece */
    mem *books[PARTS];
    target *target;
    op *except, *filter, *op; /* op: first, range or limit */
    quarantine quarantine;
    writer *writer;
    pipeline pipeline;
} move;

static const char *const part_names[PARTS] = {"read", "filter", "first", "write", "batches"};

static void move_release(move *m)
{
    if (m->writer)
        m->writer->class->close(m->writer);
    op_close(m->op);
    op_close(m->filter);
    op_close(m->except);
    target_close(m->target);
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

/* ---- target ---- */

static nrw_status choose_policy(move *m, nrw_error *err)
{
    const char *what = job_last(m->job, "on-exists");

    m->on_exists = EXISTS_FAIL;
    if (!what || strcmp(what, "fail") == 0)
        return NRW_OK;
    if (strcmp(what, "replace") == 0 || strcmp(what, "overwrite") == 0)
        m->on_exists = EXISTS_REPLACE;
    else if (strcmp(what, "skip") == 0)
        m->on_exists = EXISTS_SKIP;
    else
        return err_set(err, NRW_E_ARG, "--on-exists is fail, replace or skip, not %s", what);
    return NRW_OK;
}

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), e = strlen(end);

    return n > e && strcmp(s + n - e, end) == 0;
}

static const struct {
    const char *name, *extension;
    bool parquet;
    text_kind kind;
} formats[] = {{"parquet", ".parquet", true, 0},
               {"csv", ".csv", false, TEXT_CSV},
               {"json", ".json", false, TEXT_JSON},
               {"jsonl", ".jsonl", false, TEXT_JSON},
               {"ndjson", ".ndjson", false, TEXT_JSON},
               {"table", ".txt", false, TEXT_TABLE},
               {"parquet", ".pq", true, 0}};

static const char *const text_names[] = {
    [TEXT_CSV] = "csv", [TEXT_JSON] = "json", [TEXT_TABLE] = "table"};

static bool is_folder(const char *path)
{
    struct stat s;
    size_t n = strlen(path);

    return (n > 0 && path[n - 1] == '/') || (stat(path, &s) == 0 && S_ISDIR(s.st_mode));
}

static nrw_status choose_format(move *m, nrw_error *err)
{
    const char *name = job_last(m->job, "format"), *to = m->target_name;
    const size_t n = sizeof formats / sizeof *formats;

    for (size_t i = 0; i < n; i++) {
        if (name ? strcmp(formats[i].name, name) != 0 : !ends_in(to, formats[i].extension))
            continue;
        m->parquet = formats[i].parquet;
        m->text = formats[i].kind;
        if (!m->parquet || strcmp(to, "-") != 0 || !isatty(STDOUT_FILENO))
            return NRW_OK;
        err_next(err, "send it to a file or a pipe");
        return err_set(err, NRW_E_ARG, "Parquet is binary: it does not go to a terminal");
    }
    if (name)
        return err_set(err, NRW_E_ARG, "--format is parquet, table, csv or json, not %s", name);
    if (strcmp(to, "-") == 0) { /* rows on a terminal are a table, in a pipe CSV */
        m->text = isatty(STDOUT_FILENO) ? TEXT_TABLE : TEXT_CSV;
        return NRW_OK;
    }
    err_at_object(err, to);
    if (is_folder(to)) {
        err_next(err, "name a file in it, such as %.200s%sout.parquet", to,
                 to[strlen(to) - 1] == '/' ? "" : "/");
        return err_set(err, NRW_E_ARG, "the target is a folder");
    }
    err_next(err, "give --format parquet, csv or json");
    return err_set(err, NRW_E_ARG, "the extension does not say a format");
}

/* Options that would change nothing are not passed over in silence. */
static nrw_status check_words(const move *m, nrw_error *err)
{
    const nrw_job *job = m->job;

    for (size_t i = 0; i < job->n_words && !m->parquet; i++) {
        const nrw_option *o = job->words[i].option;
        if (strcmp(o->group, "write") == 0 && strcmp(o->name, "format") != 0 &&
            strcmp(o->name, "on-exists") != 0)
            return err_set(err, NRW_E_ARG, "--%s is for Parquet, what is written is %s", o->name,
                           text_names[m->text]);
    }
    return NRW_OK;
}

static nrw_status choose_target(move *m, nrw_error *err)
{
    m->target_name = m->job->target;
    if (!m->target_name && !m->job->verb->moves_rows)
        m->target_name = "-";
    if (!m->target_name) {
        err_next(err, "narrows help %s", m->job->verb->name);
        return err_set(err, NRW_E_ARG, "%s: no target is given", m->job->verb->name);
    }
    TRY(choose_policy(m, err));
    TRY(choose_format(m, err));
    return check_words(m, err);
}

/* Number among the file's leaves of a column that is one; -1: nested. */
static int32_t leaf_of(const move *m, uint32_t column)
{
    const pq_node *n;

    if (m->in.gen)
        return (int32_t)column;
    n = pq_meta_column(parquet_reader_meta(scan_first(m->in.scan)), column);
    return n->n_children ? -1 : (int32_t)n->first_leaf;
}

/* The rows keep their order, so what the one input is sorted by stays true as far as its leading
 * columns are taken. */
static nrw_status keep_sorting(move *m, const pq_sorting *from, uint32_t n, nrw_error *err)
{
    pq_sorting *kept;

    TRY(arena_alloc(m->job->a, (n + 1) * sizeof *kept, (void **)&kept, err));
    m->write.sorting = kept;
    m->write.n_sorting = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = 0;
        while (place < m->n_out && leaf_of(m, m->cols[place]) != from[i].column)
            place++;
        if (place == m->n_out)
            break;
        kept[i] = from[i];
        kept[i].column = (int32_t)place;
        m->write.n_sorting++;
    }
    return NRW_OK;
}

static nrw_status parquet_options(move *m, nrw_error *err)
{
    pq_key_value *kv = NULL;
    pq_sorting *sorting = NULL;
    uint32_t n_kv = 0, n_sorting = 0;

    if (!m->in.gen) {
        pq_meta *meta = parquet_reader_meta(scan_first(m->in.scan));
        TRY(pq_meta_key_values(meta, m->job->a, &n_kv, &kv, err));
        if (scan_files(m->in.scan) == 1 && pq_meta_row_groups(meta) > 0 && !m->sample)
            TRY(pq_meta_sorting(meta, 0, m->job->a, &n_sorting, &sorting, err));
        if (pq_meta_row_groups(meta) > 1) /* sorted inside row groups, which may be cut anew */
            n_sorting = 0;
    } else {
        n_sorting = gen_sorted_prefix(m->in.gen);
        TRY(arena_alloc(m->job->a, (n_sorting + 1) * sizeof *sorting, (void **)&sorting, err));
        for (uint32_t i = 0; i < n_sorting; i++)
            sorting[i] = (pq_sorting){.column = (int32_t)i};
    }
    TRY(job_write_options(m->job, &m->out, kv, n_kv, &m->write, err));
    return keep_sorting(m, sorting, n_sorting, err);
}

/* ---- memory ---- */

/* Rows are counted behind the filter; without one the source gives no more than are wanted. */
static bool counts_behind(const move *m)
{
    return m->where.p && (m->tail || m->limit != INT64_MAX);
}

/* At most so many different values are in column c of the inputs: by the footers of a single file
 * where it is a whole number, else as many as there are rows. */
static uint64_t distinct_at_most(move *m, uint32_t c)
{
    uint64_t rows = (uint64_t)scan_rows(m->in.scan);
    const field *f = &scan_schema(m->in.scan)->fields[c];
    int64_t min = INT64_MAX, max = INT64_MIN;
    pq_meta *meta;

    if (m->in.gen || scan_files(m->in.scan) > 1 || f->type.id < TYPE_INT8 ||
        f->type.id > TYPE_INT64)
        return rows;
    meta = parquet_reader_meta(scan_first(m->in.scan));
    for (int32_t rg = 0; rg < pq_meta_row_groups(meta); rg++) {
        int64_t lo, hi;
        if (!pq_meta_bounds(meta, m->in.m, rg, (uint32_t)leaf_of(m, c), &lo, &hi))
            return rows;
        min = lo < min ? lo : min;
        max = hi > max ? hi : max;
    }
    if (max < min || (uint64_t)max - (uint64_t)min >= rows)
        return rows;
    return (uint64_t)max - (uint64_t)min + 1 + f->nullable;
}

static uint64_t groups_at_most(move *m)
{
    uint64_t rows = (uint64_t)scan_rows(m->in.scan), n = 1;

    for (uint32_t i = 0; i < m->n_per; i++)
        if (__builtin_mul_overflow(n, distinct_at_most(m, m->cols[m->per[i]]), &n) || n > rows)
            return rows;
    return n;
}

/* The operator's tables at most. */
static uint64_t first_state(const move *m)
{
    return 256 * KIB + op_first_memory(m->groups, (uint32_t)m->first, m->groups * m->first, 24);
}

static nrw_status op_budget(const move *m, budget *out)
{
    const uint64_t some = 256 * KIB, codes = 2 * MIB; /* of two dictionaries of usual size */
    uint64_t have = mem_limit(m->job->root);

    out->least = out->wish = m->tail || counts_behind(m) ? 4 * KIB : 0;
    out->spill = 0;
    if (!m->sample)
        return NRW_OK;
    out->least = first_state(m);
    out->wish = out->least + codes;
    if (out->least > have / 4)
        out->least = some;
    if (out->wish > have / 4)
        out->wish = have / 4 > out->least ? have / 4 : out->least;
    return NRW_OK;
}

/* What of the operator's grant its state leaves for codes of dictionaries. */
static size_t codes_room(const move *m)
{
    uint64_t grant = m->grants[PART_OP], state = first_state(m);

    return (size_t)(grant > state ? grant - state : 0);
}

static nrw_status budgets(move *m, uint64_t *least, uint64_t *wish, nrw_error *err)
{
    const uint64_t selection = 128 * KIB;
    budget b;

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
    if (m->parquet)
        TRY(parquet_write_budget(&m->out, &m->write, m->workers, &b, err));
    else
        TRY(text_write_budget(&m->out, m->text, &m->text_options, m->workers, &b, err));
    least[PART_WRITE] = b.least;
    wish[PART_WRITE] = b.wish;
    /* of each worker: pieces of a column under way (read, sliced), the selection, held keys */
    least[PART_BATCHES] = m->workers * (4 * 64 * KIB + selection + m->n_cols * 64);
    wish[PART_BATCHES] = m->workers * (4 * MIB + selection + m->n_cols * 64);
    where_batches(&m->where, m->workers, &least[PART_BATCHES], &wish[PART_BATCHES]);
    if (!m->parquet) { /* rows as text need all columns at once */
        budget held = text_write_held(&m->out);
        least[PART_BATCHES] += m->workers * held.least;
        wish[PART_BATCHES] += m->workers * held.wish;
    }
    return NRW_OK;
}

/* The least ceiling that would do, in a sentence: exit 4. */
static nrw_status refuse(const move *m, uint64_t needs, nrw_error *err)
{
    char need[TEXT_NUMBER], have[TEXT_NUMBER], option[TEXT_NUMBER];
    char n[TEXT_NUMBER];

    err_at_object(err, m->target_name);
    text_size_option(needs, option);
    text_size(needs, need);
    text_size(m->job->limits.ceiling, have);
    err_next(err, "give --memory %s or more", option);
    return err_set(err, NRW_E_MEMLIMIT,
                   "to write %s columns takes at least %s, --memory is %s, nothing was read",
                   text_group(m->n_out, n), need, have);
}

static nrw_status share_memory(move *m, nrw_error *err)
{
    uint64_t *least = m->least, wish[PARTS], needs;

    job_hold(m->job);
    m->groups = m->sample ? groups_at_most(m) : 0;
    for (m->workers = m->job->limits.workers;; m->workers--) {
        TRY(budgets(m, least, wish, err));
        if (job_share(m->job, least, wish, PARTS, m->grants, &needs) >= 0)
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

static void plan_fill(move *m)
{
    job_plan *p = &m->job->plan;
    int64_t rows = scan_rows(m->in.scan);
    size_t files = scan_files(m->in.scan);
    char names[96] = "", number[TEXT_NUMBER];
    plan_step *s;

    name_columns(m, names, sizeof names);
    p->n = 0;
    s = add_step(m, "streams", PART_READ, rows);
    snprintf(s->what, sizeof s->what, "%s%s", m->in.gen ? "generate" : "read parquet", names);
    if (!m->in.gen && files == 1)
        snprintf(s->detail, sizeof s->detail, "%.120s: %d row groups", m->in.name,
                 pq_meta_row_groups(parquet_reader_meta(scan_first(m->in.scan))));
    else if (!m->in.gen)
        snprintf(s->detail, sizeof s->detail, "%zu files, at most two open at a time", files);
    if (m->where.p) {
        s = add_step(m, "streams", PART_FILTER, rows);
        s->rows_bound = true;
        where_describe(&m->where, s->what, 46);
    }
    if (m->sample) {
        s = add_step(m, "bounded", PART_OP, rows);
        s->rows_bound = true;
        snprintf(s->what, sizeof s->what, "first %llu%s%s", (unsigned long long)m->first,
                 m->n_of ? " ids" : " rows", m->n_per ? " of each group" : "");
        snprintf(s->detail, sizeof s->detail,
                 "at most %s groups; other columns are read where rows stay",
                 text_group(m->groups, number));
    }
    s = add_step(m, "streams", PART_WRITE, -1);
    snprintf(s->what, sizeof s->what, "write %s", m->parquet ? "parquet" : text_names[m->text]);
    snprintf(s->detail, sizeof s->detail, "%.200s", m->target_name);
    s = add_step(m, "streams", PART_BATCHES, -1);
    snprintf(s->what, sizeof s->what, "batches in flight, %u threads", m->workers);
    p->peak = m->job->limits.baseline + m->job->limits.held;
    for (int i = 0; i < PARTS; i++)
        p->peak += m->grants[i];
    p->spill = m->job->limits.spill_limit;
}

/* The filter's step is told how many rows may come to it. */
static nrw_status plan_estimate(move *m, nrw_error *err)
{
    plan_step *s = m->job->plan.steps;
    int64_t rows;

    TRY(where_estimate(&m->where, &m->in, s[0].detail, sizeof s[0].detail, &rows, err));
    if (rows >= 0)
        s[1].rows = rows;
    return NRW_OK;
}

/* ---- run ---- */

static nrw_status open_books(move *m, nrw_error *err)
{
    for (int i = 0; i < PARTS; i++)
        TRY(mem_child(m->job->root, part_names[i], m->grants[i], &m->books[i], err));
    return NRW_OK;
}

/* --limit behind a filter: the first rows that pass, or the last. */
static nrw_status open_limit(move *m, nrw_error *err)
{
    uint64_t skip = m->tail && (uint64_t)m->matches > m->limit ? m->matches - m->limit : 0;

    TRY(op_limit_new(m->books[PART_OP], skip, m->limit, &m->op, err));
    m->pipeline.enough = op_limit_reached(m->op);
    return NRW_OK;
}

static nrw_status open_parts(move *m, nrw_error *err)
{
    /* of the batch's account a third: a column is read in pieces that overlap a little */
    const size_t whole = (size_t)(m->grants[PART_BATCHES] / m->workers / 3);
    const batch_shape shape = {.max_rows = BATCH_MAX_ROWS,
                               .column_bytes = m->piece,
                               .batch_bytes = m->parquet ? 0 : whole,
                               .workers = m->workers,
                               .filter = where_filter(&m->where)};

    /* what the plan said binds the run: cached free blocks count, too */
    mem_set_limit(m->job->root, m->job->plan.peak - m->job->limits.baseline);
    if (m->parquet)
        TRY(parquet_writer_open(m->books[PART_WRITE], m->job->spill, m->target, &m->out, &m->write,
                                m->workers, &m->writer, err));
    else
        TRY(text_writer_open(m->books[PART_WRITE], m->target, &m->out, m->text, &m->text_options,
                             m->workers, &m->writer, err));
    TRY(scan_start(m->in.scan, m->cols, m->n_cols, &shape, m->books[PART_READ], m->job->spill,
                   err));
    if (m->where.p)
        TRY(where_open(&m->where, m->books[PART_FILTER], 2 * m->piece, &m->filter, err));
    if (counts_behind(m))
        TRY(open_limit(m, err));
    else if (m->tail)
        TRY(op_range_new(m->books[PART_OP], scan_rows(m->in.scan) - (int64_t)m->limit, INT64_MAX,
                         &m->op, err));
    if (m->sample)
        TRY(op_first_new(m->books[PART_OP], (uint32_t)m->first, m->of, m->n_of, m->per, m->n_per,
                         codes_room(m), &m->op, err));
    m->pipeline.source = m->in.scan;
    m->pipeline.n_cols = m->n_cols;
    if (m->quarantine.n)
        TRY(op_except_new(m->job->root, m->quarantine.ranges, m->quarantine.n, &m->except, err));
    if (m->except)
        m->pipeline.ops[m->pipeline.n_ops++] = m->except;
    if (m->filter)
        m->pipeline.ops[m->pipeline.n_ops++] = m->filter;
    if (m->op)
        m->pipeline.ops[m->pipeline.n_ops++] = m->op;
    m->pipeline.sink = m->writer;
    m->pipeline.batches = m->books[PART_BATCHES];
    m->pipeline.workers = m->workers;
    m->pipeline.limit = m->limit == INT64_MAX || m->tail || m->where.p ? -1 : (int64_t)m->limit;
    return NRW_OK;
}

static int64_t filtered_by(const op *o)
{
    return o ? (int64_t)atomic_load(&o->rows_filtered) : 0;
}

/* What a run did to its rows, each counted where it happened. */
static void count_rows(move *m, const file_summary *sum)
{
    job_result *r = &m->job->result;

    scan_pruned(m->in.scan, &r->pruned);
    r->rows_in = (int64_t)(atomic_load(&m->pipeline.rows_in) + r->pruned.rows);
    r->rows_filtered = filtered_by(m->filter);
    if (counts_behind(m))
        r->rows_limited = filtered_by(m->op);
    else
        r->rows_filtered += filtered_by(m->op);
    r->rows_rejected = filtered_by(m->except);
    r->rows_out = sum->rows;
}

/* The source's footers, the cutter, the operators and the written footer must agree. */
static nrw_status balance(const move *m, nrw_error *err)
{
    const job_result *r = &m->job->result;
    int64_t said = scan_rows(m->in.scan), pruned = (int64_t)r->pruned.rows;

    if (m->pipeline.limit >= 0 && said > m->pipeline.limit)
        said = m->pipeline.limit;
    if (m->pipeline.enough && atomic_load(m->pipeline.enough) && r->rows_in < said)
        said = r->rows_in; /* nobody asked for the rest */
    if (r->rows_in != said)
        return err_set(err, NRW_E_CORRUPT, "%lld rows were promised and %lld were read",
                       (long long)said, (long long)r->rows_in);
    if (r->rows_in != r->rows_out + r->rows_filtered + r->rows_rejected + r->rows_limited + pruned)
        return err_set(err, NRW_E_CORRUPT,
                       "the books do not close: %lld rows in, %lld pruned, %lld filtered, %lld "
                       "written",
                       (long long)r->rows_in, (long long)pruned, (long long)r->rows_filtered,
                       (long long)r->rows_out);
    return NRW_OK;
}

static nrw_status note_files(move *m, nrw_error *err)
{
    bytes *out = &m->job->result.sources;

    for (size_t i = 0; i < scan_files(m->in.scan); i++) {
        scan_file_counts f = scan_file(m->in.scan, i);
        TRY(bytes_printf(out, err, "%s{\"name\":", i ? "," : ""));
        TRY(json_string(out, f.name, strlen(f.name), err));
        TRY(bytes_printf(out, err, ",\"rows\":%lld}", (long long)f.rows));
    }
    return NRW_OK;
}

static nrw_status note_columns(move *m, nrw_error *err)
{
    bytes *out = &m->job->result.columns;

    for (uint32_t i = 0; i < m->n_cols; i++) {
        const char *name = scan_schema(m->in.scan)->fields[m->cols[i]].name;
        reader_counts n;
        scan_counts(m->in.scan, i, &n);
        TRY(bytes_printf(out, err, "%s{\"name\":", i ? "," : ""));
        TRY(json_string(out, name, strlen(name), err));
        TRY(bytes_printf(out, err,
                         ",\"pages_decompressed\":%llu,\"pages_skipped\":%llu,"
                         "\"bytes_decompressed\":%llu}",
                         (unsigned long long)n.pages_decompressed,
                         (unsigned long long)n.pages_skipped,
                         (unsigned long long)n.bytes_decompressed));
    }
    return NRW_OK;
}

static void note_result(move *m, const file_summary *sum)
{
    job_result *r = &m->job->result;

    r->row_groups = sum->row_groups;
    r->bytes_out = sum->bytes;
    atomic_store(&m->job->bytes_out, sum->bytes);
    r->bytes_in = scan_bytes_read(m->in.scan);
    r->spilled = spill_written(m->job->spill);
}

static nrw_status run(move *m, nrw_error *err)
{
    nrw_job *job = m->job;
    file_summary sum = {0};
    nrw_status st;

    st = target_open(job->root, m->target_name, m->on_exists, &m->target, err);
    if (st != NRW_OK)
        return st;
    TRY(open_books(m, err));
    TRY(quarantine_search(&m->quarantine, &m->in, m->cols, m->n_cols, err));
    TRY(open_parts(m, err));
    job->phase = job->verb->name;
    atomic_store(&job->rows_total, scan_rows(m->in.scan));
    job_set_running(job, &m->pipeline);
    st = pipeline_run(&m->pipeline, err);
    if (st >= 0)
        st = m->writer->class->finish(m->writer, &sum, err);
    job_set_running(job, NULL);
    TRY(st);
    count_rows(m, &sum);
    TRY(balance(m, err));
    job->phase = "publish";
    TRY(target_publish(m->target, err));
    note_result(m, &sum);
    TRY(quarantine_publish(&m->quarantine, m->target_name, err));
    TRY(note_files(m, err));
    TRY(note_columns(m, err));
    return job->result.rows_rejected ? NRW_REJECTED : NRW_OK;
}

static nrw_status prepare(move *m, bool plan_only, nrw_error *err)
{
    nrw_job *job = m->job;

    TRY(job_limits_settle(job, err));
    TRY(choose_target(m, err));
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
    TRY(choose_columns(m, err));
    if (m->parquet)
        TRY(parquet_options(m, err));
    TRY(quarantine_init(&m->quarantine, job, job->root, err));
    TRY(share_memory(m, err));
    plan_fill(m);
    if (plan_only)
        return plan_estimate(m, err);
    return NRW_OK;
}

/* How the target stands after a failure that was not about it. */
static void tell_target(const move *m, nrw_status st, nrw_error *err)
{
    if (!m->target || strcmp(m->target_name, "-") == 0)
        return;
    if (st == NRW_E_CANCELLED)
        err_next(err, "%.200s is as it was", m->target_name);
    else if (st == NRW_E_CORRUPT && err && err->object[0] && err->column[0])
        err_next(err, "%.80s is as it was; narrows verify %.80s lists all damage", m->target_name,
                 err->object);
}

nrw_status job_move(nrw_job *job, bool plan_only, nrw_error *err)
{
    move m = {.job = job};
    nrw_status st = prepare(&m, plan_only, err);

    if (st >= 0 && !plan_only)
        st = run(&m, err);
    tell_target(&m, st, err);
    move_release(&m);
    return st;
}
