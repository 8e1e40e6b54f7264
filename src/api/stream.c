/* Streams of arrays at a job's ends. A job that is pulled from runs on a thread of its own. */
#include "api/job.h"
#include "api/outlet.h"

#include <string.h>

/* ---- a job as a stream ---- */

typedef struct pulled {
    nrw_job *job;
    way_out out;
    pthread_t thread;
    bool joined;
    char message[1600]; /* of the last error */
} pulled;

static void *run_job(void *self)
{
    pulled *p = self;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st = nrw_job_run(p->job, &err);

    outlet_end(p->out.outlet, st, &err);
    return NULL;
}

static void join(pulled *p)
{
    if (!p->joined)
        pthread_join(p->thread, NULL);
    p->joined = true;
}

static int tell(pulled *p, nrw_status st, const nrw_error *err)
{
    if (st >= 0)
        return 0;
    nrw_error_print(err, p->message, sizeof p->message);
    return nrw_status_errno(st);
}

static int pulled_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    pulled *p = s->private_data;
    nrw_error err = NRW_ERROR_INIT;

    return tell(p, outlet_schema(p->out.outlet, out, &err), &err);
}

/* Behind the last batch the job is over, and may be asked what it did. */
static int pulled_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    pulled *p = s->private_data;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st = outlet_next(p->out.outlet, out, &err);

    if (st < 0 || !out->release)
        join(p);
    return tell(p, st, &err);
}

static const char *pulled_error(struct ArrowArrayStream *s)
{
    const pulled *p = s->private_data;

    return p->message[0] ? p->message : NULL;
}

static void pulled_free(pulled *p)
{
    p->job->out = NULL;
    outlet_free(p->out.outlet);
    mem_free(p->job->words_mem, p, sizeof *p);
}

static void pulled_release(struct ArrowArrayStream *s)
{
    pulled *p = s->private_data;

    if (!p->joined) {
        nrw_job_cancel(p->job);
        outlet_shut(p->out.outlet);
    }
    join(p);
    atomic_store(&p->job->cancelled, 0);
    pulled_free(p);
    s->release = NULL;
}

static nrw_status check(const nrw_job *job, nrw_error *err)
{
    const char *verb = job->verb->name;
    bool gives = (job->verb->moves_rows && strcmp(verb, "compact") != 0) ||
                 strcmp(verb, "sql") == 0 || strcmp(verb, "head") == 0 || strcmp(verb, "tail") == 0;

    if (!gives)
        return err_set(err, NRW_E_ARG, "%s gives no rows", verb);
    if (job->target || job_last(job, "output"))
        return err_set(err, NRW_E_ARG, "%s has a target already, its rows cannot be taken too",
                       verb);
    if (job->out)
        return err_set(err, NRW_E_ARG, "the job's rows are being taken");
    return NRW_OK;
}

static nrw_status begin(nrw_job *job, pulled **out, nrw_error *err)
{
    pulled *p;
    nrw_status st;
    void *at;
    int e;

    TRY(mem_zalloc(job->words_mem, sizeof *p, &at, err));
    p = at;
    p->job = job;
    p->out.name = "the stream";
    st = outlet_new(job->words_mem, &p->out.outlet, err);
    if (st < 0) {
        mem_free(job->words_mem, p, sizeof *p);
        return st;
    }
    job->out = &p->out;
    e = pthread_create(&p->thread, NULL, run_job, p);
    if (e) {
        pulled_free(p);
        return err_errno(err, NRW_E_NOMEM, e, "cannot start a thread");
    }
    *out = p;
    return NRW_OK;
}

nrw_status nrw_job_stream(nrw_job *job, struct ArrowArrayStream *out, nrw_error *err)
{
    pulled *p = NULL;

    *out = (struct ArrowArrayStream){0};
    TRY(check(job, err));
    TRY(begin(job, &p, err));
    *out = (struct ArrowArrayStream){.get_schema = pulled_schema,
                                     .get_next = pulled_next,
                                     .get_last_error = pulled_error,
                                     .release = pulled_release,
                                     .private_data = p};
    return NRW_OK;
}

/* ---- a stream as a source ---- */

typedef struct stream_door {
    door base;
    struct ArrowArrayStream stream;
} stream_door;

static nrw_status open_stream(door *d, mem *m, io_file **out, nrw_error *err)
{
    return arrow_file_of_stream(m, d->name, &((stream_door *)d)->stream, out, err);
}

static void close_stream(door *d)
{
    stream_door *s = (stream_door *)d;

    if (s->stream.release)
        s->stream.release(&s->stream);
}

nrw_status nrw_job_source_stream(nrw_job *job, const char *name, struct ArrowArrayStream *stream,
                                 nrw_error *err)
{
    struct ArrowArrayStream taken = *stream;
    nrw_status st = NRW_OK;
    stream_door *d;
    char *copy;
    void *p = NULL;

    *stream = (struct ArrowArrayStream){0};
    if (!taken.release)
        return err_set(err, NRW_E_ARG, "the stream was released already");
    if (door_named(job->doors, name))
        st = err_set(err, NRW_E_ARG, "there is a stream %.100s already", name);
    if (st >= 0)
        st = arena_strndup(job->a, name, strlen(name), &copy, err);
    if (st >= 0)
        st = arena_alloc(job->a, sizeof *d, &p, err);
    if (st >= 0 && strcmp(job->verb->name, "sql") != 0)
        st = nrw_job_source(job, name, err);
    if (st < 0) {
        taken.release(&taken);
        return st;
    }
    d = p;
    *d = (stream_door){
        .base = {.name = copy, .open = open_stream, .close = close_stream, .next = job->doors},
        .stream = taken};
    job->doors = &d->base;
    return NRW_OK;
}
