/* Rows through programs (--pipe) or operators of the caller's. Two runs beside each other: one
 * feeds them with what the verb gives, as an Arrow stream; the other one copies what comes back to
 * the target. Each has its thread and half of the memory, so neither waits for the other but
 * through the programs, which may hold back as much as they like. Nothing is published before all
 * programs have ended well and the first run has. */
#include "api/operators.h"

#include "base/text.h"
#include "column/json_out.h"
#include "io/program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { PIPES_MOST = 8 };

#define DOOR_NAME   "--pipe"
#define DOOR_MEMORY ((size_t)4 << 20) /* of what comes back and is not yet through */

typedef struct through {
    nrw_job *job, *feeder;
    job_operator *operators; /* the job's, which has none while the second run is on */
    door door;
    way_out out;
    uint32_t n;
    program *programs[PIPES_MOST];
    pthread_t thread;
    bool feeding;  /* the thread is to be joined */
    nrw_status st; /* of the feeder, once it was joined */
    nrw_error err;
} through;

/* ---- words ---- */

/* Where rows go and how they are written is the second run's; limits are for both. */
static bool is_of_writing(const nrw_option *o)
{
    return strcmp(o->group, "write") == 0 || strcmp(o->name, "format") == 0;
}

static nrw_status check_words(const nrw_job *job, nrw_error *err)
{
    const char *bad_rows = job_last(job, "on-bad-row");

    if (job->operators && job_last(job, "pipe"))
        return err_set(err, NRW_E_ARG, "--pipe does not go with operators");
    if (bad_rows && strcmp(bad_rows, "fail") != 0) {
        err_next(err, "copy the sound rows to a file first");
        return err_set(err, NRW_E_ARG, "--on-bad-row %s does not go with %s", bad_rows,
                       job->operators ? "operators" : "--pipe");
    }
    if (job_each(job, "pipe", PIPES_MOST))
        return err_set(err, NRW_E_ARG, "--pipe is given more than %d times", PIPES_MOST);
    return NRW_OK;
}

static nrw_status make_feeder(through *t, nrw_error *err)
{
    nrw_job *job = t->job, *f;

    TRY(nrw_job_new(job->verb->name, &f, err));
    t->feeder = f;
    atomic_store(&job->feeder, f);
    f->doors = job->doors;
    f->out = &t->out;
    f->target = t->out.name = job->target ? job->target : "the stream";
    f->limits.runs = 2;
    for (size_t i = 0; i < job->sources.n; i++)
        TRY(nrw_job_source(f, job->sources.at[i], err));
    for (size_t i = 0; i < job->n_words; i++) {
        const job_word *w = &job->words[i];
        char name[80];
        if (is_of_writing(w->option) || strcmp(w->option->name, "pipe") == 0)
            continue;
        snprintf(name, sizeof name, "%s%.60s", w->negated ? "no-" : "", w->option->name);
        TRY(nrw_job_option(f, name, w->value, err));
    }
    return NRW_OK;
}

/* ---- the first run ---- */

static void kill_programs(through *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        program_kill(t->programs[i]);
}

static void *feed(void *self)
{
    through *t = self;
    sigset_t broken;

    /* a pipe that nobody reads is an error here, whatever the process does with signals */
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, NULL);
    t->st = nrw_job_run(t->feeder, &t->err);
    if (t->out.outlet)
        outlet_end(t->out.outlet, t->st, &t->err);
    target_close(t->out.to);
    if (t->st < 0 && t->st != NRW_E_PIPE)
        kill_programs(t);
    return NULL;
}

static nrw_status start_feeding(through *t, nrw_error *err)
{
    int e = pthread_create(&t->thread, NULL, feed, t);

    if (e) {
        target_close(t->out.to);
        return err_errno(err, NRW_E_NOMEM, e, "cannot start a thread");
    }
    t->feeding = true;
    return NRW_OK;
}

static nrw_status start_operators(through *t, nrw_error *err)
{
    TRY(outlet_new(t->job->root, &t->out.outlet, err));
    return start_feeding(t, err);
}

static nrw_status start_programs(through *t, nrw_error *err)
{
    const job_word *w;
    int fd = -1;

    for (uint32_t i = 0; (w = job_each(t->job, "pipe", i)); i++) {
        int in = i ? t->programs[i - 1]->out : -1;
        if (i)
            t->programs[i - 1]->out = -1;
        TRY(program_start(t->job->root, w->value, in, i ? NULL : &fd, &t->programs[i], err));
        t->n++;
        if (i)
            continue;
        TRY(target_over_stream(t->job->root, fd, w->value, &t->out.to, err));
        TRY(start_feeding(t, err));
    }
    return NRW_OK;
}

/* ---- how it ended ---- */

static void wait_for_all(through *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        (void)!program_wait(t->programs[i], &t->job->cancelled, NULL);
    if (t->feeding)
        pthread_join(t->thread, NULL);
    t->feeding = false;
}

/* A program that lost its reader did not begin it: the one behind it did. */
static program *failed_program(const through *t)
{
    program *found = NULL;

    for (uint32_t i = 0; i < t->n; i++) {
        program *p = t->programs[i];
        if (p->exit && !p->killed && (!found || found->exit == 128 + SIGPIPE))
            found = p;
    }
    return found;
}

/* Of all that went wrong what was first; all have ended. */
static nrw_status verdict(const through *t, nrw_error *err)
{
    program *p = failed_program(t);

    if (t->st < 0 && t->st != NRW_E_PIPE && t->st != NRW_E_CANCELLED) {
        if (err)
            *err = t->err;
        return t->st;
    }
    if (p)
        return program_wait(p, NULL, err);
    if (t->st >= 0 || t->n == 0)
        return NRW_OK;
    err_at_object(err, t->programs[0]->command);
    err_next(err, "a program of --pipe reads to the end; --limit gives it fewer rows");
    return err_set(err, NRW_E_IO, "the program ended before it had read all rows");
}

static nrw_status output_ended(void *self, nrw_error *err)
{
    through *t = self;

    wait_for_all(t);
    return verdict(t, err);
}

/* ---- the second run ---- */

static nrw_status open_output(door *d, mem *m, io_file **out, nrw_error *err)
{
    through *t = (through *)((char *)d - offsetof(through, door));
    struct ArrowArrayStream rows;

    if (t->operators) {
        TRY(operators_stream(t->job->a, t->operators, t->out.outlet, &rows, err));
        return arrow_file_of_stream(m, "operator", &rows, out, err);
    }
    const program *last = t->programs[t->n - 1];
    const pipe_options o = {.name = last->command,
                            .spill = t->job->spill,
                            .memory = DOOR_MEMORY,
                            .stop = &t->job->cancelled,
                            .ended = output_ended,
                            .self = t};

    return file_open_pipe(m, last->out, &o, out, err);
}

static const nrw_verb *copying(void)
{
    return nrw_verb_at(0);
}

/* A copy from the door to the target, by the words of writing. */
static nrw_status take_back(through *t, nrw_error *err)
{
    nrw_job *job = t->job;
    const nrw_job before = {.verb = job->verb,
                            .sources = job->sources,
                            .words = job->words,
                            .n_words = job->n_words,
                            .doors = job->doors,
                            .operators = job->operators};
    char *name = DOOR_NAME;
    job_word *words;
    nrw_status st;

    TRY(arena_alloc(job->a, job->n_words * sizeof *words + 1, (void **)&words, err));
    job->n_words = 0;
    for (size_t i = 0; i < before.n_words; i++) {
        const nrw_option *o = before.words[i].option;
        if (strcmp(o->name, "pipe") != 0 && (is_of_writing(o) || strcmp(o->group, "run") == 0))
            words[job->n_words++] = before.words[i];
    }
    t->door = (door){.name = DOOR_NAME, .open = open_output};
    job->verb = copying();
    job->sources = (path_list){.at = &name, .n = 1, .cap = 1};
    job->words = words;
    job->doors = &t->door;
    job->operators = NULL;
    st = job_do(job, false, err);
    job->verb = before.verb;
    job->sources = before.sources;
    job->words = before.words;
    job->n_words = before.n_words;
    job->doors = before.doors;
    job->operators = before.operators;
    return st;
}

/* The second run failed: because of the programs or the first run, or by itself. */
static nrw_status blame(through *t, nrw_status st, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    nrw_status other;

    if (st != NRW_E_CANCELLED && st != NRW_E_CORRUPT && st != NRW_E_UNSUPPORTED &&
        !(st == NRW_E_IO && t->out.outlet))
        return st;
    other = verdict(t, &why);
    if (st == NRW_E_CANCELLED && atomic_load(&t->job->cancelled))
        return st;
    if (other < 0 && other != NRW_E_CANCELLED) {
        if (err)
            *err = why;
        return other;
    }
    if (t->n)
        err_next(err,
                 "a program of --pipe writes one Arrow IPC stream to its output, nothing else");
    return st;
}

/* ---- what it did ---- */

static nrw_status take_text(bytes *to, const bytes *from, nrw_error *err)
{
    bytes_clear(to);
    return bytes_append(to, from->data, from->len, err);
}

static nrw_status note_programs(through *t, nrw_error *err)
{
    job_result *r = &t->job->result;

    for (uint32_t i = 0; i < t->n; i++) {
        const program *p = t->programs[i];
        TRY(bytes_printf(&r->pipes, err, "%s{\"command\":", i ? "," : ""));
        TRY(json_string(&r->pipes, p->command, strlen(p->command), err));
        TRY(bytes_printf(&r->pipes, err, ",\"exit\":%d,\"memory\":%llu}", p->exit,
                         (unsigned long long)p->memory));
        r->pipes_memory += p->memory;
    }
    return NRW_OK;
}

/* The books of both runs as one: what comes in is the first one's, what goes out the second's. */
static nrw_status join_books(through *t, nrw_error *err)
{
    job_result *r = &t->job->result;
    const job_result *in = &t->feeder->result;

    t->job->plan.peak += t->feeder->plan.peak - t->feeder->limits.baseline;
    r->piped_in = in->rows_out;
    r->piped_out = r->rows_in;
    r->rows_in = in->rows_in;
    r->rows_filtered += in->rows_filtered;
    r->rows_limited += in->rows_limited;
    r->pruned = in->pruned;
    r->bytes_in = in->bytes_in;
    r->spilled += in->spilled;
    r->files_read = in->files_read;
    r->files_of = in->files_of;
    TRY(take_text(&r->sources, &in->sources, err));
    TRY(take_text(&r->columns, &in->columns, err));
    TRY(bytes_append(&r->notes, in->notes.data, in->notes.len, err));
    return note_programs(t, err);
}

/* ---- plan ---- */

static void plan_through(through *t)
{
    const job_plan *first = &t->feeder->plan;
    job_plan *p = &t->job->plan;
    const char *how = t->operators ? "operators" : job_each(t->job, "pipe", 0)->value;
    plan_step *s;

    *p = *first;
    p->peak += job_room(t->job);
    p->spill += first->spill;
    for (uint32_t i = 0; i < p->n; i++)
        if (strncmp(p->steps[i].what, "hand on ", 8) == 0)
            snprintf(p->steps[i].detail, sizeof p->steps[i].detail, "%.200s", how);
    s = &p->steps[p->n < JOB_MAX_STEPS ? p->n++ : JOB_MAX_STEPS - 1];
    *s = (plan_step){.how = "streams", .grant = job_room(t->job), .rows = -1};
    snprintf(s->what, sizeof s->what, "read and write what comes back");
}

/* ---- all of it ---- */

static nrw_status run_through(through *t, nrw_error *err)
{
    nrw_status st = t->operators ? start_operators(t, err) : start_programs(t, err);

    if (st >= 0)
        st = take_back(t, err);
    if (st < 0) {
        if (t->feeder)
            nrw_job_cancel(t->feeder);
        if (t->out.outlet)
            outlet_shut(t->out.outlet);
        kill_programs(t);
    }
    wait_for_all(t);
    if (st < 0)
        st = blame(t, st, err);
    else if (st != NRW_END)
        st = join_books(t, err) < 0 ? NRW_E_NOMEM : st;
    return st;
}

nrw_status job_through(nrw_job *job, bool plan_only, nrw_error *err)
{
    through t = {.job = job, .operators = job->operators, .err = NRW_ERROR_INIT};
    nrw_status st;

    if (job_last(job, "output"))
        job->target = job_last(job, "output");
    if (!job->target && !job->verb->moves_rows && !job->out)
        job->target = "-";
    nrw_job_free(atomic_exchange(&job->feeder, NULL));
    job->limits.runs = 2;
    TRY(check_words(job, err));
    TRY(job_limits_settle(job, err));
    TRY(make_feeder(&t, err));
    if (plan_only) {
        TRY(job_do(t.feeder, true, err));
        plan_through(&t);
        return NRW_OK;
    }
    st = run_through(&t, err);
    for (uint32_t i = 0; i < t.n; i++)
        program_close(t.programs[i]);
    outlet_free(t.out.outlet);
    t.feeder->out = NULL;
    t.feeder->doors = NULL; /* they are this job's */
    return st;
}
