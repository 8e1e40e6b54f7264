/* Writes columns of a Parquet file into folders by year and month of its last column, a date:
 * partition [-tTHREADS] [-mMIB] [-sDAYS] [-dDIRECT] FILE FOLDER COLUMN... Of rows before -sDAYS
 * (since 1970) nothing is written. With -n the last column is a whole number, by which rows go to
 * folders as it is, and which leaves the files. -dDIRECT: at most so many writers open at once.
 * Prints the seconds of the clock and of the CPU, the peak of the process in MiB, rows and files.
 * The folder must be there and empty. Memory bounds the whole process, as --memory does. */
#include "base/civil.h"
#include "base/clock.h"
#include "exec/dense.h"
#include "exec/op_partition.h"
#include "exec/pipeline.h"
#include "format/parquet/parquet.h"
#include "narrows/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MIB         ((uint64_t)1 << 20)
#define MORSEL      ((size_t)4 << 20)
#define MAX_COLUMNS 64

typedef struct arguments {
    uint32_t threads, direct;
    uint64_t memory;
    int32_t since;
    bool number;
    const char *file, *folder;
    char **columns;
    uint32_t n_columns;
} arguments;

/* ---- rows after a day, with year and month behind them ---- */

typedef struct derive {
    op base;
    uint32_t n;
    int32_t since;
} derive;

static nrw_status derived(const vector *dates, const uint16_t *sel, uint32_t n, batch *to,
                          uint32_t at, nrw_error *err)
{
    const type t = type_of(TYPE_INT64);
    vector v[2] = {0};
    nrw_status st;

    TRY_OUT(vector_flat(to->m, &t, n, &v[0], err));
    TRY_OUT(vector_flat(to->m, &t, n, &v[1], err));
    for (uint32_t i = 0; i < n; i++) {
        civil c = civil_of_days((int32_t)load_u32(dates->data + 4 * (size_t)sel[i]));
        store_u64(v[0].data + 8 * (size_t)i, (uint64_t)c.year);
        store_u64(v[1].data + 8 * (size_t)i, (uint64_t)c.month);
    }
    v[0].len = v[1].len = n;
    TRY_OUT(dense_put(to, at, &v[0], err));
    st = dense_put(to, at + 1, &v[1], err);
out:
    vector_release(&v[0]);
    vector_release(&v[1]);
    return st;
}

static nrw_status derive_rows(derive *o, const batch *b, const vector *in, uint16_t *sel,
                              nrw_error *err)
{
    vector dates;
    uint32_t n = 0;
    batch to;
    nrw_status st;

    TRY(vector_flatten(&in[o->n - 1], b->m, &dates, err));
    for (uint32_t i = 0; i < dates.len; i++)
        if ((int32_t)load_u32(dates.data + 4 * (size_t)i) >= o->since)
            sel[n++] = (uint16_t)i;
    TRY_OUT(dense_new(b, o->n + 2, n, &to, err));
    for (uint32_t c = 0; st == NRW_OK && n && c < o->n; c++) {
        vector v;
        st = vector_take(&in[c], sel, n, b->m, &v, err);
        if (st == NRW_OK)
            st = dense_put(&to, c, &v, err);
    }
    if (st == NRW_OK && n)
        st = derived(&dates, sel, n, &to, o->n, err);
    if (st == NRW_OK)
        st = op_pass(&o->base, &to, err);
    dense_free(&to, o->n + 2);
out:
    vector_release(&dates);
    return st;
}

static nrw_status derive_push(op *base, batch *b, nrw_error *err)
{
    derive *o = (derive *)base;
    static _Thread_local uint16_t sel[BATCH_MAX_ROWS];
    vector in[MAX_COLUMNS] = {0};
    nrw_status st;

    if (!batch_alive(b))
        return op_pass(base, b, err);
    TRY(dense_take(b, NULL, o->n, MIB, in, err));
    st = derive_rows(o, b, in, sel, err);
    for (uint32_t c = 0; c < o->n; c++)
        vector_release(&in[c]);
    return st;
}

static const op_class derive_class = {.name = "derive", .push = derive_push};

/* ---- files ---- */

typedef struct maker {
    mem *m;
    const char *folder;
} maker;

static nrw_status make_file(void *self, const char *path, target **out, nrw_error *err)
{
    const maker *k = self;
    char text[4096];

    snprintf(text, sizeof text, "%s/%s", k->folder, path);
    for (char *at = text + strlen(k->folder) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(text, 0777);
        *at = '/';
    }
    return target_open(k->m, text, EXISTS_FAIL, out, err);
}

/* ---- running ---- */

static bool read_arguments(int argc, char **argv, arguments *a)
{
    int i = 1;

    *a = (arguments){.threads = 1, .memory = 1024 * MIB, .since = INT32_MIN};
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *value = argv[i] + 2;
        switch (argv[i][1]) {
        case 't': a->threads = (uint32_t)strtoul(value, NULL, 10); break;
        case 'm': a->memory = strtoull(value, NULL, 10) * MIB; break;
        case 's': a->since = (int32_t)strtol(value, NULL, 10); break;
        case 'd': a->direct = (uint32_t)strtoul(value, NULL, 10); break;
        case 'n': a->number = true; break;
        default: return false;
        }
    }
    if (argc - i < 3 || argc - i > MAX_COLUMNS)
        return false;
    a->file = argv[i++];
    a->folder = argv[i++];
    a->columns = argv + i;
    a->n_columns = (uint32_t)(argc - i);
    return a->threads >= 1 && a->threads <= PIPELINE_MAX_WORKERS;
}

static nrw_status open_file(const void *self, mem *m, reader **out, nrw_error *err)
{
    const arguments *a = self;
    const pq_read_options none = {0};
    io_file *f;

    TRY(file_open(m, a->file, NULL, &f, err));
    return parquet_open(m, f, &none, out, err);
}

typedef struct plan {
    field fields[MAX_COLUMNS], keys[2];
    uint32_t cols[MAX_COLUMNS], key_at[2], written_at[MAX_COLUMNS];
    schema written;
    pq_column_options columns[MAX_COLUMNS];
    pq_write_options options;
    uint32_t n_keys;
} plan;

static nrw_status choose(const arguments *a, const schema *s, plan *p, nrw_error *err)
{
    for (uint32_t i = 0; i < a->n_columns; i++) {
        int32_t at = schema_find(s, a->columns[i]);
        if (at < 0)
            return err_set(err, NRW_E_ARG, "there is no column %s", a->columns[i]);
        p->cols[i] = (uint32_t)at;
        p->fields[i] = s->fields[at];
        p->written_at[i] = i;
    }
    p->options = pq_write_defaults();
    for (uint32_t i = 0; i < a->n_columns; i++)
        p->columns[i] = p->options.added;
    p->options.columns = p->columns;
    p->written = (schema){.n_fields = a->n_columns - a->number, .fields = p->fields};
    p->n_keys = a->number ? 1 : 2;
    p->keys[0] = (field){.name = "year", .type = type_of(TYPE_INT64), .nullable = true};
    p->keys[1] = (field){.name = "month", .type = type_of(TYPE_INT64), .nullable = true};
    p->key_at[0] = a->n_columns - a->number;
    p->key_at[1] = a->n_columns + 1;
    if (a->number)
        p->keys[0] = p->fields[a->n_columns - 1];
    return NRW_OK;
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static nrw_status write_all(const arguments *a, const plan *p, scan *in, mem *root, spill *sp,
                            nrw_error *err)
{
    maker k = {root, a->folder};
    const file_maker make = {.self = &k, .open = make_file};
    source_scan from = source_scan_of(in, a->n_columns);
    derive d = {.base.class = &derive_class, .n = a->n_columns, .since = a->since};
    partition_spec spec = {.written = &p->written,
                           .columns = p->written_at,
                           .n_keys = p->n_keys,
                           .keys = p->key_at,
                           .key_fields = p->keys,
                           .options = &p->options,
                           .row_groups = true,
                           .maker = &make,
                           .workers = a->threads,
                           .direct = a->direct,
                           .memory = mem_room(root) / 8 * 5,
                           .held = MIB};
    pipeline run = {.source = &from.base, .batches = root, .workers = a->threads, .limit = -1};
    double began = clock_seconds(), cpu = cpu_seconds();
    uint64_t files;
    op *o;
    nrw_status st;

    TRY(file_pattern_parse(FILE_PATTERN_DEFAULT, &spec.names, err));
    TRY(op_partition_new(root, &spec, sp, &o, err));
    fprintf(stderr, "%u direct\n", op_partition_direct(o));
    if (!a->number)
        pipeline_add(&run, &d.base);
    pipeline_add(&run, o);
    st = pipeline_run(&run, err);
    fprintf(stderr, "rows in: %.3f s\n", clock_seconds() - began);
    if (st == NRW_OK)
        st = pipeline_finish(o, err);
    if (st == NRW_OK) {
        file_summary sum = parquet_footers_sum(op_partition_files(o), &files);
        printf("%.3f s, %.3f s of CPU, peak %.1f MiB, %lld rows, %llu files, %lld row groups, "
               "%llu bytes, %llu spilled\n",
               clock_seconds() - began, cpu_seconds() - cpu,
               (double)mem_process_peak() / (double)MIB, (long long)sum.rows,
               (unsigned long long)files, (long long)sum.row_groups, (unsigned long long)sum.bytes,
               (unsigned long long)spill_written(sp));
    }
    op_close(o);
    return st;
}

static nrw_status run(const arguments *a, mem *root, spill *sp, nrw_error *err)
{
    static plan p;
    const batch_shape shape = {.max_rows = BATCH_MAX_ROWS,
                               .column_bytes = MORSEL,
                               .batch_bytes = MORSEL,
                               .workers = a->threads};
    const scan_input input = {a->file, open_file, a};
    mem *reading = NULL;
    scan *in = NULL;
    nrw_status st;

    TRY(mem_child(root, "reading", mem_room(root) / 4, &reading, err));
    TRY_OUT(scan_open(reading, &input, 1, &in, err));
    TRY_OUT(choose(a, scan_schema(in), &p, err));
    TRY_OUT(scan_start(in, p.cols, a->n_columns, &shape, reading, sp, err));
    st = write_all(a, &p, in, root, sp, err);
out:
    scan_close(in);
    mem_free_account(reading);
    return st;
}

int main(int argc, char **argv)
{
    const uint64_t touched_later = 3 * MIB;
    nrw_error err = NRW_ERROR_INIT;
    arguments a;
    mem *root = NULL;
    spill *sp = NULL;
    char text[1200];
    nrw_status st;
    uint64_t base;

    nrw_process_init();
    if (!read_arguments(argc, argv, &a))
        return fprintf(stderr, "partition [-tTHREADS] [-mMIB] [-sDAYS] [-n] FILE FOLDER "
                               "COLUMN...\n"),
               2;
    base = mem_process_rss() + touched_later;
    st = mem_root(a.memory > base ? a.memory - base : 0, &root, &err);
    if (st >= 0)
        st = spill_new(root, NULL, (uint64_t)64 << 30, &sp, &err);
    if (st >= 0)
        st = run(&a, root, sp, &err);
    nrw_error_print(&err, text, sizeof text);
    if (st < 0)
        fprintf(stderr, "%s\n", text);
    spill_close(sp);
    mem_free_account(root);
    return st < 0;
}
