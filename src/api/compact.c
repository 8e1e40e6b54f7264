/* compact: a dataset's small files, merged in place. Files that stand behind each other in the
 * order of their names become one, called as the first of them, so rows keep their order. The rest
 * of the dataset stays as it is; all of it is published at once. */
#include "api/move.h"
#include "api/output.h"
#include "base/text.h"
#include "codec/codec.h"
#include "io/dataset_target.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MIB ((uint64_t)1 << 20)

typedef struct compaction {
    nrw_job *job;
    const char *dir;
    uint64_t size; /* of a merged file at most */
    path_list files;
    dataset_target *to;
    path_list group; /* a part of files */
    uint64_t group_bytes;
    uint64_t merged, made, groups_bytes;
    job_result sum;
} compaction;

/* ---- which files ---- */

/* Metadata of all files, and what other programs keep beside them, are not asked about. */
static bool is_taken(const char *path, uint64_t *bytes)
{
    const output_format *f = output_format_of(path);
    struct stat st;

    if (!f || !f->parquet || stat(path, &st) != 0)
        return false;
    *bytes = (uint64_t)st.st_size;
    return true;
}

static size_t folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) : 0;
}

static bool same_folder(const char *a, const char *b)
{
    size_t n = folder_of(a);

    return n == folder_of(b) && memcmp(a, b, n) == 0;
}

/* ---- a group ---- */

/* In the dataset. */
static const char *inner_name(const compaction *c, const char *path)
{
    size_t n = strlen(c->dir);

    path += n;
    while (*path == '/')
        path++;
    return path;
}

/* Not told otherwise, the merged file is compressed as the first one is: then pages need not be
 * decoded. */
static nrw_status take_codec(nrw_job *job, const char *path, nrw_error *err)
{
    const codec *found = NULL;
    pq_chunk chunk;
    reader *r;
    pq_meta *meta;
    nrw_status st = NRW_OK;

    if (job_last(job, "compression"))
        return NRW_OK;
    TRY(job_open_file(job, path, &r, err));
    meta = parquet_reader_meta(r);
    if (meta && pq_meta_row_groups(meta) > 0) {
        st = pq_meta_chunk(meta, 0, 0, job->a, &chunk, err);
        found = st >= 0 ? codec_by_id(chunk.codec) : NULL;
    }
    r->class->close(r);
    if (st >= 0 && found)
        st = nrw_job_option(job, "compression", found->name, err);
    return st;
}

static void add_up(compaction *c)
{
    job_result *r = &c->job->result;

    c->sum.rows_in += r->rows_in;
    c->sum.rows_out += r->rows_out;
    c->sum.row_groups += r->row_groups;
    c->sum.bytes_in += r->bytes_in;
    c->sum.bytes_out += r->bytes_out;
    bytes_clear(&r->columns);
    bytes_clear(&r->sources);
}

static nrw_status merge_into(compaction *c, target *t, nrw_error *err)
{
    nrw_job *job = c->job;
    path_list sources = job->sources;
    nrw_status st;

    st = take_codec(job, c->group.at[0], err);
    job->sources = c->group;
    if (st >= 0)
        st = move_merge(job, c->group.at[0], t, err);
    job->sources = sources;
    return st;
}

/* What a group takes of memory goes with it. */
static nrw_status merge_group(compaction *c, nrw_error *err)
{
    nrw_job *job = c->job;
    const size_t words = job->n_words;
    arena *kept = job->a;
    target *t;
    nrw_status st;

    TRY(dataset_target_file(c->to, inner_name(c, c->group.at[0]), &t, err));
    st = arena_new(job->root, &job->a, err);
    if (st >= 0)
        st = merge_into(c, t, err);
    if (st >= 0)
        add_up(c);
    arena_free(job->a);
    job->a = kept;
    job->n_words = words;
    target_close(t);
    for (size_t i = 1; st >= 0 && i < c->group.n; i++)
        st = dataset_target_drop(c->to, inner_name(c, c->group.at[i]), err);
    return st;
}

static nrw_status end_group(compaction *c, bool plan_only, nrw_error *err)
{
    nrw_status st = NRW_OK;

    if (c->group.n > 1) {
        c->merged += c->group.n;
        c->made++;
        c->groups_bytes += c->group_bytes;
        if (!plan_only)
            st = merge_group(c, err);
    }
    c->group = (path_list){0};
    c->group_bytes = 0;
    return st;
}

static nrw_status walk(compaction *c, bool plan_only, nrw_error *err)
{
    for (size_t i = 0; i < c->files.n; i++) {
        uint64_t bytes = 0;
        bool small = is_taken(c->files.at[i], &bytes) && bytes < c->size / 2;
        if (c->group.n && (!small || c->group_bytes + bytes > c->size ||
                           !same_folder(c->group.at[0], c->files.at[i])))
            TRY(end_group(c, plan_only, err));
        if (!small)
            continue;
        if (!c->group.n)
            c->group.at = c->files.at + i;
        c->group.n++;
        c->group_bytes += bytes;
    }
    return end_group(c, plan_only, err);
}

/* ---- the whole ---- */

static nrw_status prepare(compaction *c, nrw_error *err)
{
    nrw_job *job = c->job;
    struct stat st;

    if (!job->target) {
        err_next(err, "as in narrows compact ds/");
        return err_set(err, NRW_E_ARG, "compact: no dataset is given");
    }
    c->dir = job->target;
    err_at_object(err, c->dir);
    if (stat(c->dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return err_set(err, NRW_E_ARG, "is no folder: a dataset is one");
    if (err)
        err->object[0] = '\0';
    TRY(job_limits_settle(job, err));
    TRY(job_size(job, "file-size-bytes", 0, 256 * MIB, &c->size, err));
    TRY(nrw_job_option(job, "read", "hive_partitioning=false", err)); /* keys stay in paths */
    return job_add_files(job->a, c->dir, &c->files, err);
}

static void fill_plan(compaction *c)
{
    job_plan *p = &c->job->plan;
    char a[TEXT_NUMBER], b[TEXT_NUMBER], size[TEXT_NUMBER];

    *p = (job_plan){.n = 1, .peak = c->job->limits.ceiling, .spill = c->job->limits.spill_limit};
    p->from = c->job->limits.baseline + 8 * MIB;
    p->steps[0] = (plan_step){.how = "streams", .rows = -1};
    p->steps[0].grant = c->job->limits.ceiling - c->job->limits.baseline;
    snprintf(p->steps[0].what, sizeof p->steps[0].what, "merge %s files into %s",
             text_group(c->merged, a), text_group(c->made, b));
    snprintf(p->steps[0].detail, sizeof p->steps[0].detail, "%.160s: %s of %zu files", c->dir,
             text_size10(c->groups_bytes, size), c->files.n);
}

static void tell(void *self, const char *line)
{
    compaction *c = self;
    nrw_error unused = NRW_ERROR_INIT;

    if (bytes_printf(&c->job->result.notes, &unused, "\nnote   %s: %s", c->dir, line) < 0)
        bytes_clear(&c->job->result.notes);
}

static nrw_status run(compaction *c, nrw_error *err)
{
    const dataset_options o = {.policy = DATASET_OVERWRITE_OR_IGNORE, .tell = tell, .ctx = c};
    job_result *r = &c->job->result;
    char n[TEXT_NUMBER], a[TEXT_NUMBER], b[TEXT_NUMBER];

    TRY(dataset_target_open(c->job->root, c->dir, &o, &c->to, err));
    TRY(walk(c, false, err));
    c->job->phase = "publish";
    if (c->made)
        TRY(dataset_target_publish(c->to, err));
    r->rows_in = c->sum.rows_in;
    r->rows_out = c->sum.rows_out;
    r->row_groups = c->sum.row_groups;
    r->bytes_in = c->sum.bytes_in;
    r->bytes_out = c->sum.bytes_out;
    r->files = (int64_t)c->made;
    return bytes_printf(&r->notes, err, "\nnote   of %s files %s were merged into %s",
                        text_group(c->files.n, n), text_group(c->merged, a),
                        text_group(c->made, b));
}

nrw_status job_compact(nrw_job *job, bool plan_only, nrw_error *err)
{
    compaction c = {.job = job};
    nrw_status st = prepare(&c, err);

    if (st >= 0)
        st = plan_only ? walk(&c, true, err) : run(&c, err);
    if (st >= 0 && plan_only)
        fill_plan(&c);
    dataset_target_close(c.to);
    return st;
}
