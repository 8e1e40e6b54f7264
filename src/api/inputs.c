/* From a job's words to its inputs. */
#include "api/move.h"

#include "dataset/gen.h"

#include <stdio.h>
#include <string.h>

static nrw_status open_files(nrw_job *job, job_inputs *in, nrw_error *err)
{
    files_words words;

    TRY(files_words_of(job, &words, err));
    TRY(job_files(job, &in->files.all, err));
    TRY(files_list(job, in->a, &words, &in->files, err));
    TRY(files_where(job, in->a, &in->files, err));
    TRY(files_inputs(job, in->a, &in->files, err));
    in->inputs = in->files.inputs;
    in->n = in->files.left.n;
    in->name = in->inputs[0].name;
    job->result.files_read = in->n;
    job->result.files_of = in->files.all.n;
    return NRW_OK;
}

static nrw_status open_gen(const void *self, mem *m, reader **out, nrw_error *err)
{
    return gen_open(m, self, out, err);
}

/* --range and --column in the order they were given. */
static nrw_status gen_words(nrw_job *job, job_inputs *in, gen_options *o, nrw_error *err)
{
    gen_column *columns;
    const job_word *w;
    uint32_t n = 0;

    TRY(arena_alloc(in->a, (job->n_words + 1) * sizeof *columns, (void **)&columns, err));
    for (size_t i = 0; i < job->n_words; i++) {
        const char *name = job->words[i].option->name;
        bool range = strcmp(name, "range") == 0;
        if (range || strcmp(name, "column") == 0)
            TRY(gen_column_parse(in->a, job->words[i].value, range, &columns[n++], err));
    }
    if (n == 0) {
        err_next(err, "give --range NAME=COUNT or --column NAME=TYPE");
        return err_set(err, NRW_E_ARG, "gen: no column is given");
    }
    for (size_t i = 0; (w = job_each(job, "nulls", i)); i++)
        TRY(gen_nulls_parse(columns, n, w->value, err));
    TRY(job_count(job, "rows", 1, INT64_MAX, 0, &o->rows, err));
    TRY(job_count(job, "seed", 0, UINT64_MAX, 0, &o->seed, err));
    o->shuffle = job_switch(job, "shuffle", false);
    o->columns = columns;
    o->n_columns = n;
    return NRW_OK;
}

static nrw_status open_generator(nrw_job *job, job_inputs *in, nrw_error *err)
{
    gen_options *o;

    TRY(arena_alloc(in->a, sizeof *o, (void **)&o, err));
    TRY(gen_words(job, in, o, err));
    TRY(arena_alloc(in->a, sizeof *in->inputs, (void **)&in->inputs, err));
    in->inputs[0] = (scan_input){"gen", open_gen, o};
    in->n = 1;
    in->gen = o;
    in->name = "gen";
    return NRW_OK;
}

nrw_status job_inputs_open(nrw_job *job, job_inputs *in, nrw_error *err)
{
    nrw_status st;

    *in = (job_inputs){0};
    TRY(mem_child(job->root, "metadata", MEM_NO_LIMIT, &in->m, err));
    TRY_OUT(arena_new(in->m, &in->a, err));
    if (strcmp(job->verb->name, "gen") == 0)
        TRY_OUT(open_generator(job, in, err));
    else
        TRY_OUT(open_files(job, in, err));
    st = scan_open(in->m, in->inputs, in->n, &in->files.options, &in->scan, err);
    if (st >= 0 && job_last(job, "where"))
        scan_filtered(in->scan);
out:
    if (st < 0)
        job_inputs_close(in);
    return st;
}

void job_describe_source(const job_inputs *in, plan_step *s)
{
    const reader *r = scan_first(in->scan);
    char text[100] = "";

    if (in->gen) {
        snprintf(s->what, sizeof s->what, "generate");
        return;
    }
    snprintf(s->what, sizeof s->what, "read %s", r->class->name);
    if (in->files.all.n > 1) {
        files_describe(&in->files, in->scan, s->detail, sizeof s->detail);
        return;
    }
    r->class->describe(r, text, sizeof text);
    snprintf(s->detail, sizeof s->detail, "%.120s: %s", in->name, text);
}

void job_inputs_close(job_inputs *in)
{
    scan_close(in->scan);
    arena_free(in->a);
    mem_free_account(in->m);
    *in = (job_inputs){0};
}

nrw_status job_count_rows(nrw_job *job, const char *path, int64_t *rows, nrw_error *err)
{
    reader *r;
    nrw_status st = NRW_OK;

    TRY(job_open_file(job, path, &r, err));
    if (r->class->count)
        st = r->class->count(r, rows, err);
    else
        *rows = r->class->rows(r);
    r->class->close(r);
    return st;
}
