#include "api/operators.h"

#include "column/arrow_c_schema.h"

#include <string.h>

nrw_status nrw_job_operator(nrw_job *job, const nrw_operator *op, nrw_error *err)
{
    job_operator **at = &job->operators, *o;
    nrw_status st = NRW_OK;
    void *p;

    if (!job->verb->moves_rows && strcmp(job->verb->name, "sql") != 0)
        st = err_set(err, NRW_E_ARG, "%s moves no rows", job->verb->name);
    else if (strcmp(job->verb->name, "compact") == 0)
        st = err_set(err, NRW_E_ARG, "compact leaves rows as they are");
    else if (!op->batch)
        st = err_set(err, NRW_E_ARG, "an operator takes batches");
    if (st >= 0)
        st = arena_alloc(job->a, sizeof *o, &p, err);
    if (st < 0) {
        if (op->release)
            op->release(op->self);
        return st;
    }
    o = p;
    *o = (job_operator){.op = *op};
    while (*at)
        at = &(*at)->next;
    *at = o;
    return NRW_OK;
}

void operators_release(nrw_job *job)
{
    for (job_operator *o = job->operators; o; o = o->next)
        if (o->op.release)
            o->op.release(o->op.self);
    job->operators = NULL;
}

/* ---- one behind the other ---- */

typedef struct step {
    outlet *from;       /* of the first one */
    struct step *below; /* of others */
    const nrw_operator *op;
    bool ended; /* all batches came */
    char message[1600];
} step;

static nrw_status next(step *s, struct ArrowArray *out, nrw_error *err);

static nrw_status next_below(step *s, struct ArrowArray *out, nrw_error *err)
{
    return s->below ? next(s->below, out, err) : outlet_next(s->from, out, err);
}

static nrw_status columns(step *s, struct ArrowSchema *out, nrw_error *err)
{
    struct ArrowSchema in = {0};
    nrw_status st;

    TRY(s->below ? columns(s->below, &in, err) : outlet_schema(s->from, &in, err));
    *out = in;
    if (!s->op->schema)
        return NRW_OK;
    *out = (struct ArrowSchema){0};
    st = s->op->schema(s->op->self, &in, out, err);
    in.release(&in);
    if (st >= 0 && !out->release)
        st = err_set(err, NRW_E_ARG, "an operator gave no schema");
    return st;
}

static nrw_status finish(step *s, struct ArrowArray *out, nrw_error *err)
{
    return s->op->finish ? s->op->finish(s->op->self, out, err) : NRW_OK;
}

static nrw_status next(step *s, struct ArrowArray *out, nrw_error *err)
{
    struct ArrowArray in;
    nrw_status st = NRW_OK;

    *out = (struct ArrowArray){0};
    while (st >= 0 && !out->release && !s->ended) {
        TRY(next_below(s, &in, err));
        s->ended = !in.release;
        if (!s->ended)
            st = s->op->batch(s->op->self, &in, out, err);
        if (in.release)
            in.release(&in);
    }
    if (st >= 0 && !out->release)
        st = finish(s, out, err);
    if (st < 0 && out->release)
        out->release(out);
    return st < 0 ? st : NRW_OK;
}

/* ---- as a stream ---- */

static int tell(step *s, nrw_status st, nrw_error *err)
{
    if (st >= 0)
        return 0;
    if (!err->message[0]) /* an operator that said nothing */
        err_set(err, st, "an operator failed: %s", nrw_status_text(st));
    nrw_error_print(err, s->message, sizeof s->message);
    return nrw_status_errno(st);
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    step *s = stream->private_data;
    nrw_error err = NRW_ERROR_INIT;

    return tell(s, columns(s, out, &err), &err);
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    step *s = stream->private_data;
    nrw_error err = NRW_ERROR_INIT;

    return tell(s, next(s, out, &err), &err);
}

static const char *stream_error(struct ArrowArrayStream *stream)
{
    return ((const step *)stream->private_data)->message;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

nrw_status operators_stream(arena *a, const job_operator *list, outlet *from,
                            struct ArrowArrayStream *out, nrw_error *err)
{
    step *top = NULL;
    void *p;

    for (const job_operator *o = list; o; o = o->next) {
        TRY(arena_alloc(a, sizeof *top, &p, err));
        *(step *)p = (step){.from = from, .below = top, .op = &o->op};
        top = p;
    }
    *out = (struct ArrowArrayStream){.get_schema = stream_schema,
                                     .get_next = stream_next,
                                     .get_last_error = stream_error,
                                     .release = stream_release,
                                     .private_data = top};
    return NRW_OK;
}
