#include "api/output_set.h"

#include "api/move.h"
#include "base/text.h"
#include "column/json_out.h"
#include "exec/op_limit.h"
#include "exec/op_partition.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ROLL ((uint64_t)32 << 10) /* names and the list of files, beside the writer */

struct output_set {
    dataset_options options;
    file_pattern names;
    uint64_t file_bytes, file_groups;
    bool write_keys, common, full;
    schema files;      /* columns of each file */
    uint32_t *columns; /* their places in the batch */
    field *key_fields;
    file_maker maker;
    dataset_target *to;
    mem *grant;
    op *partition; /* by keys */
    file_roll *roll;
    op *skip;                  /* before a roll: rows that are in finished files */
    _Atomic int64_t kept_rows; /* of files that a killed run had finished */
    _Atomic uint64_t kept_bytes;
    char fact[4608]; /* longer than any path */
};

/* ---- from words ---- */

bool output_set_is_meant(const nrw_job *job, const char *name)
{
    static const char *const words[] = {
        "partition-by",     "write-partition-columns", "file-size-bytes", "row-groups-per-file",
        "filename-pattern", "common-metadata",         "full-metadata"};
    struct stat s;
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (job_last(job, words[i]))
            return true;
    return (n > 0 && name[n - 1] == '/') || (stat(name, &s) == 0 && S_ISDIR(s.st_mode));
}

static const struct {
    const char *word;
    dataset_policy policy;
} policies[] = {{"fail", DATASET_FAIL},
                {"replace", DATASET_REPLACE},
                {"overwrite", DATASET_REPLACE},
                {"replace-partitions", DATASET_REPLACE_PARTITIONS},
                {"append", DATASET_APPEND},
                {"skip", DATASET_SKIP},
                {"overwrite-or-ignore", DATASET_OVERWRITE_OR_IGNORE}};

static nrw_status choose_policy(output *o, nrw_error *err)
{
    const char *word = job_last(o->job, "on-exists");

    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (strcmp(word ? word : "fail", policies[i].word) == 0) {
            o->set->options.policy = policies[i].policy;
            return NRW_OK;
        }
    return err_set(err, NRW_E_ARG,
                   "--on-exists of a dataset is fail, replace, replace-partitions, append, skip or "
                   "overwrite-or-ignore, not %s",
                   word);
}

/* What is around the number, as texts of their own. */
static nrw_status choose_names(output *o, nrw_error *err)
{
    const char *pattern = job_last(o->job, "filename-pattern");
    output_set *s = o->set;
    nrw_status st = file_pattern_parse(pattern ? pattern : FILE_PATTERN_DEFAULT, &s->names, err);
    char *before, *after;

    if (st < 0)
        return err_wrap(err, st, "--filename-pattern");
    TRY(arena_strndup(o->job->a, (const char *)s->names.before.data, s->names.before.len, &before,
                      err));
    TRY(arena_strndup(o->job->a, (const char *)s->names.after.data, s->names.after.len, &after,
                      err));
    s->options.number_prefix = s->names.uuid ? NULL : before;
    s->options.number_suffix = s->names.uuid ? NULL : after;
    return NRW_OK;
}

/* What was done with the rest of a run that was killed. */
static void tell(void *self, const char *line)
{
    output *o = self;
    nrw_error unused = NRW_ERROR_INIT;

    if (bytes_printf(&o->job->result.notes, &unused, "\nnote   %s: %s", o->name, line) < 0)
        bytes_clear(&o->job->result.notes);
}

static bool is_key(const output *o, uint32_t c)
{
    for (uint32_t i = 0; i < o->n_keys; i++)
        if (o->keys[i] == c)
            return true;
    return false;
}

static nrw_status set_columns(output *o, const schema *s, nrw_error *err)
{
    output_set *set = o->set;
    arena *a = o->job->a;
    uint32_t n = 0;

    TRY(schema_new(a, s->n_fields, &set->files, err));
    TRY(arena_alloc(a, s->n_fields * sizeof *set->columns + 1, (void **)&set->columns, err));
    TRY(arena_alloc(a, o->n_keys * sizeof *set->key_fields + 1, (void **)&set->key_fields, err));
    for (uint32_t c = 0; c < s->n_fields; c++)
        if (set->write_keys || !is_key(o, c)) {
            set->files.fields[n] = s->fields[c];
            set->columns[n++] = c;
        }
    set->files.n_fields = n;
    for (uint32_t i = 0; i < o->n_keys; i++)
        set->key_fields[i] = s->fields[o->keys[i]];
    o->schema = &set->files;
    return NRW_OK;
}

/* ---- what it takes ---- */

static partition_spec partition_of(const output *o, uint32_t workers, uint64_t memory)
{
    const output_set *s = o->set;

    return (partition_spec){.written = &s->files,
                            .columns = s->columns,
                            .n_keys = o->n_keys,
                            .keys = o->keys,
                            .key_fields = s->key_fields,
                            .options = &o->write,
                            .names = s->names,
                            .file_bytes = s->file_bytes,
                            .file_groups = (int64_t)s->file_groups,
                            .row_groups = s->full,
                            .maker = &s->maker,
                            .workers = workers,
                            .memory = memory,
                            .folders = o->flow.folders,
                            .stored = o->flow.stored,
                            .held = o->held,
                            .cancel = &o->job->cancelled};
}

static nrw_status set_budget(const output *o, uint32_t workers, budget *out, nrw_error *err)
{
    if (o->n_keys)
        return op_partition_budget(o->schema, &o->write, workers, o->flow.folders, o->flow.stored,
                                   out, err);
    TRY(parquet_write_budget(o->schema, &o->write, workers, out, err));
    parquet_wish_for(o->schema, &o->write, o->flow.rows, o->flow.stored, out);
    out->least += ROLL;
    out->wish += ROLL;
    return NRW_OK;
}

static nrw_status set_spill(const output *o, uint32_t workers, uint64_t memory,
                            const output_rows *r, uint64_t *out, nrw_error *err)
{
    const output_set *set = o->set;
    const partition_spec spec = partition_of(o, workers, memory);
    pq_flow flow = output_pq_flow(o, r);
    uint64_t *distinct;

    TRY(arena_alloc(o->job->a, set->files.n_fields * sizeof *distinct + 1, (void **)&distinct,
                    err));
    for (uint32_t i = 0; i < set->files.n_fields; i++)
        distinct[i] = r->distinct[set->columns[i]];
    flow.distinct = distinct;
    if (o->n_keys)
        return op_partition_spill(&spec, &r->rows, &flow, out, err);
    return parquet_write_spill(&set->files, &o->write, workers, memory - ROLL, &flow, out, err);
}

static void set_describe(const output *o, plan_step *s)
{
    size_t n = (size_t)snprintf(s->what, sizeof s->what, "write parquet");

    if (o->n_keys) {
        s->how = "spills";
        n += (size_t)snprintf(s->what + n, sizeof s->what - n, ", partition by");
    }
    for (uint32_t i = 0; i < o->n_keys && n + 40 < sizeof s->what; i++)
        n += (size_t)snprintf(s->what + n, sizeof s->what - n, "%s%.32s", i ? ", " : " ",
                              o->set->key_fields[i].name);
    snprintf(s->detail, sizeof s->detail, "%.150s: a dataset, one file a folder%s%s", o->name,
             o->set->file_bytes || o->set->file_groups ? " or more" : "",
             o->set->options.resume ? "; finished files of a killed run are kept" : "");
}

/* ---- the run ---- */

static nrw_status set_fact(void *self, uint64_t i, dataset_fact *out, nrw_error *err)
{
    const output *o = self;

    return output_set_fact(o, i, o->set->fact, sizeof o->set->fact, out, err);
}

static nrw_status set_stage(output *o, nrw_error *err)
{
    return dataset_target_open(o->job->root, o->name, &o->set->options, &o->set->to, err);
}

static nrw_status open_file(void *self, const char *path, target **out, nrw_error *err)
{
    output *o = self;

    return dataset_target_file(o->set->to, path, out, err);
}

static nrw_status first_number(void *self, const char *folder, uint64_t *out, nrw_error *err)
{
    output *o = self;
    uint32_t n;

    TRY(dataset_target_next(o->set->to, folder, &n, err));
    *out = n;
    return NRW_OK;
}

static nrw_status kept_file(void *self, const char *path, parquet_footers *list, int64_t *rows,
                            nrw_error *err)
{
    output *o = self;
    io_file *f;
    nrw_status st = dataset_target_kept(o->set->to, path, &f, err);

    if (st != NRW_OK)
        return st;
    st = parquet_footers_keep(list, o->job->root, f, path, rows, err);
    if (st == NRW_OK) {
        o->set->kept_rows += *rows;
        o->set->kept_bytes += f->size;
    }
    file_close(f);
    return st;
}

static nrw_status file_carry(void *self, const char *path, int64_t number, nrw_error *err)
{
    output *o = self;

    return dataset_target_carry(o->set->to, path, (uint64_t)number, err);
}

static nrw_status file_carried(void *self, const char *path, int64_t *out, nrw_error *err)
{
    output *o = self;
    uint64_t number;

    TRY(dataset_target_carried(o->set->to, path, &number, err));
    *out = (int64_t)number;
    return NRW_OK;
}

static nrw_status open_partition(output *o, uint32_t workers, nrw_error *err)
{
    output_set *s = o->set;
    const partition_spec spec = partition_of(o, workers, mem_limit(s->grant));

    TRY(op_partition_new(s->grant, &spec, o->job->spill, &s->partition, err));
    o->sink = s->partition;
    return NRW_OK;
}

static nrw_status open_roll(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    output_set *s = o->set;
    int64_t kept;

    TRY(file_roll_new(grant, o->job->spill, &s->maker, &s->names, s->file_bytes,
                      (int64_t)s->file_groups, s->full, &s->roll, err));
    TRY(parquet_writer_open_files(grant, o->job->spill, file_roll_files(s->roll), o->schema,
                                  &o->write, workers, &o->writer, err));
    o->to = op_write_of(o->writer);
    o->sink = &o->to.base;
    kept = file_roll_kept(s->roll);
    if (!kept)
        return NRW_OK;
    TRY(op_limit_new(grant, (uint64_t)kept, UINT64_MAX, &s->skip, err));
    s->skip->next = o->sink;
    o->sink = s->skip;
    return NRW_OK;
}

static nrw_status set_open(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    output_set *s = o->set;

    s->grant = grant;
    s->maker = (file_maker){.self = o,
                            .open = open_file,
                            .first_number = first_number,
                            .kept = s->options.resume ? kept_file : NULL,
                            .carry = file_carry,
                            .carried = s->options.resume ? file_carried : NULL};
    return o->n_keys ? open_partition(o, workers, err) : open_roll(o, grant, workers, err);
}

/* ---- its end ---- */

static nrw_status write_metadata(output *o, const char *name, const parquet_footers *of,
                                 nrw_error *err)
{
    target *t;
    nrw_status st;

    TRY(dataset_target_file(o->set->to, name, &t, err));
    st = parquet_write_metadata(o->set->grant, o->job->spill, t, o->schema, &o->write, of, err);
    if (st >= 0)
        st = target_publish(t, err);
    target_close(t);
    return st;
}

/* A partition's files stand together. */
typedef struct partitions {
    output *o;
    char folder[512];
    uint64_t files;
    file_summary sum;
} partitions;

static nrw_status note_partition(partitions *p, nrw_error *err)
{
    job_result *r = &p->o->job->result;
    nrw_status st;

    if (p->files == 0)
        return NRW_OK;
    r->partitions++;
    if (r->targets.len + 2048 >
        r->targets.max) { /* a report of many folders tells the first ones */
        r->targets_left++;
        return NRW_OK;
    }
    TRY(bytes_printf(&r->targets, err, "%s{\"folder\":", r->targets.len ? "," : ""));
    st = json_string(&r->targets, p->folder, strlen(p->folder), err);
    if (st >= 0)
        st = bytes_printf(&r->targets, err,
                          ",\"files\":%llu,\"rows\":%lld,\"row_groups\":%lld,\"bytes\":%llu}",
                          (unsigned long long)p->files, (long long)p->sum.rows,
                          (long long)p->sum.row_groups, (unsigned long long)p->sum.bytes);
    return st;
}

static nrw_status note_file(void *self, const parquet_written *w, nrw_error *err)
{
    partitions *p = self;
    const char *slash = strrchr(w->path, '/');
    size_t n = slash ? (size_t)(slash - w->path) : 0;

    if (p->files == 0 || strlen(p->folder) != n || memcmp(p->folder, w->path, n) != 0) {
        TRY(note_partition(p, err));
        snprintf(p->folder, sizeof p->folder, "%.*s", (int)n, w->path);
        p->files = 0;
        p->sum = (file_summary){0};
    }
    p->files++;
    p->sum.rows += w->is.rows;
    p->sum.row_groups += w->is.row_groups;
    p->sum.bytes += w->is.bytes;
    p->o->job->result.files++;
    return NRW_OK;
}

static nrw_status note_resumed(output *o, nrw_error *err)
{
    const output_set *s = o->set;
    job_result *r = &o->job->result;
    char files[TEXT_NUMBER], rows[TEXT_NUMBER], size[TEXT_NUMBER];

    r->resumed = s->options.resume;
    if (!r->resumed)
        return NRW_OK;
    r->kept_files = dataset_target_resumed(s->to);
    r->kept_rows = s->kept_rows;
    r->kept_bytes = s->kept_bytes;
    return bytes_printf(&r->notes, err,
                        "\nnote   resumed: %s file%s of the killed run kept, %s rows, %s",
                        text_group(r->kept_files, files), r->kept_files == 1 ? "" : "s",
                        text_group((uint64_t)r->kept_rows, rows), text_size10(r->kept_bytes, size));
}

static nrw_status set_finish(output *o, file_summary *out, nrw_error *err)
{
    output_set *s = o->set;
    const parquet_footers *files;
    partitions p = {.o = o};
    uint64_t n;

    if (s->partition)
        TRY(s->partition->class->finish(s->partition, err));
    else
        TRY(o->writer->class->finish(o->writer, out, err));
    files = s->partition ? op_partition_files(s->partition) : file_roll_footers(s->roll);
    *out = parquet_footers_sum(files, &n);
    TRY(parquet_footers_walk(files, note_file, &p, err));
    TRY(note_partition(&p, err));
    TRY(note_resumed(o, err));
    if (s->common)
        TRY(write_metadata(o, "_common_metadata", NULL, err));
    return s->full ? write_metadata(o, "_metadata", files, err) : NRW_OK;
}

static nrw_status set_publish(output *o, nrw_error *err)
{
    return dataset_target_publish(o->set->to, err);
}

static void set_close(output *o)
{
    output_set *s = o->set;

    op_close(s->partition);
    op_close(s->skip);
    file_roll_close(s->roll);
    dataset_target_close(s->to);
    s->partition = s->skip = NULL;
    s->roll = NULL;
    s->to = NULL;
}

static const output_class set_class = {.columns = set_columns,
                                       .budget = set_budget,
                                       .spill = set_spill,
                                       .describe = set_describe,
                                       .stage = set_stage,
                                       .open = set_open,
                                       .finish = set_finish,
                                       .publish = set_publish,
                                       .close = set_close};

static nrw_status check_resume(const output_set *s, nrw_error *err)
{
    if (!s->names.uuid)
        return NRW_OK;
    err_next(err, "run it without --resume");
    return err_set(err, NRW_E_ARG, "--resume: names with {uuid} are others in each run");
}

nrw_status output_set_choose(output *o, nrw_error *err)
{
    nrw_job *job = o->job;
    const char *format = job_last(job, "format");
    output_set *s;

    o->format = output_format_named(format ? format : "parquet");
    if (!o->format || !o->format->parquet) {
        err_next(err, "name a file for %s", format);
        return err_set(err, NRW_E_ARG, "a dataset is made of Parquet files, not of %s", format);
    }
    TRY(arena_alloc(job->a, sizeof *s, (void **)&s, err));
    *s = (output_set){
        .options = {
            .tell = tell, .ctx = o, .fact = set_fact, .resume = job_switch(job, "resume", false)}};
    o->set = s;
    o->class = &set_class;
    TRY(choose_policy(o, err));
    TRY(choose_names(o, err));
    TRY(job_size(job, "file-size-bytes", 0, 0, &s->file_bytes, err));
    TRY(job_count(job, "row-groups-per-file", 1, INT64_MAX, 0, &s->file_groups, err));
    s->write_keys = job_switch(job, "write-partition-columns", false);
    s->common = job_switch(job, "common-metadata", false);
    s->full = job_switch(job, "full-metadata", false);
    return s->options.resume ? check_resume(s, err) : NRW_OK;
}
