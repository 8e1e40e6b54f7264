#include "api/outlet.h"

#include "column/arrow_c_schema.h"

#include <pthread.h>

enum { WAITING_MOST = 2 };

struct outlet {
    arrow_taker taker;
    mem *m;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bytes schema;
    bool known, ended, shut; /* shut: nobody takes, or the job has failed */
    struct ArrowArray waiting[WAITING_MOST];
    uint32_t n;
    nrw_status st;
    nrw_error err;
};

/* ---- the job's side ---- */

static outlet *of(arrow_taker *t)
{
    return (outlet *)(void *)t;
}

static nrw_status put_schema(arrow_taker *t, span message, nrw_error *err)
{
    outlet *o = of(t);
    nrw_status st;

    pthread_mutex_lock(&o->lock);
    bytes_clear(&o->schema);
    st = bytes_append(&o->schema, message.data, message.len, err);
    o->known = st >= 0;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
    return st;
}

static nrw_status put_array(arrow_taker *t, struct ArrowArray *array, nrw_error *err)
{
    outlet *o = of(t);
    nrw_status st = NRW_OK;

    pthread_mutex_lock(&o->lock);
    while (o->n == WAITING_MOST && !o->shut)
        pthread_cond_wait(&o->changed, &o->lock);
    if (o->shut) {
        st = err_set(err, NRW_E_CANCELLED, "nobody takes the rows any more");
    } else {
        o->waiting[o->n++] = *array;
        *array = (struct ArrowArray){0};
        pthread_cond_broadcast(&o->changed);
    }
    pthread_mutex_unlock(&o->lock);
    return st;
}

/* Under the lock. */
static void drop_waiting(outlet *o)
{
    while (o->n) {
        o->n--;
        o->waiting[o->n].release(&o->waiting[o->n]);
    }
}

static void shut(arrow_taker *t)
{
    outlet_shut(of(t));
}

nrw_status outlet_drain(outlet *o, nrw_error *err)
{
    nrw_status st;

    pthread_mutex_lock(&o->lock);
    while (o->n && !o->shut)
        pthread_cond_wait(&o->changed, &o->lock);
    st = o->shut ? err_set(err, NRW_E_CANCELLED, "nobody takes the rows any more") : NRW_OK;
    pthread_mutex_unlock(&o->lock);
    return st;
}

void outlet_end(outlet *o, nrw_status st, const nrw_error *err)
{
    pthread_mutex_lock(&o->lock);
    drop_waiting(o);
    o->ended = true;
    o->st = st;
    o->err = *err;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

/* ---- the taker's side ---- */

/* Under the lock: how the job ended, as an error of who waits for its rows. */
static nrw_status ended_so(const outlet *o, nrw_error *err)
{
    if (o->st >= 0)
        return NRW_OK;
    if (err)
        *err = o->err;
    return o->st;
}

nrw_status outlet_schema(outlet *o, struct ArrowSchema *out, nrw_error *err)
{
    nrw_status st;

    pthread_mutex_lock(&o->lock);
    while (!o->known && !o->ended)
        pthread_cond_wait(&o->changed, &o->lock);
    st = o->known ? arrow_c_schema_export((span){o->schema.data, o->schema.len}, out, err)
                  : ended_so(o, err);
    if (st >= 0 && !o->known)
        st = err_set(err, NRW_E_ARG, "the job gives no rows");
    pthread_mutex_unlock(&o->lock);
    return st;
}

nrw_status outlet_next(outlet *o, struct ArrowArray *out, nrw_error *err)
{
    nrw_status st = NRW_OK;

    *out = (struct ArrowArray){0};
    pthread_mutex_lock(&o->lock);
    while (!o->n && !o->ended)
        pthread_cond_wait(&o->changed, &o->lock);
    if (o->n) {
        *out = o->waiting[0];
        o->waiting[0] = o->waiting[1];
        o->n--;
        arrow_c_hand_out(out, o->taker.books);
        pthread_cond_broadcast(&o->changed);
    } else {
        st = ended_so(o, err);
    }
    pthread_mutex_unlock(&o->lock);
    return st;
}

void outlet_shut(outlet *o)
{
    pthread_mutex_lock(&o->lock);
    o->shut = true;
    drop_waiting(o);
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

/* ---- life ---- */

nrw_status outlet_new(mem *m, outlet **out, nrw_error *err)
{
    nrw_status st;
    outlet *o;
    void *p;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, &p, err));
    o = p;
    o->m = m;
    o->err = (nrw_error)NRW_ERROR_INIT;
    o->schema = bytes_init(m, INT32_MAX);
    o->taker = (arrow_taker){.schema = put_schema, .take = put_array, .stop = shut};
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->changed, NULL);
    st = arrow_books_new(&o->taker.books, err);
    if (st < 0)
        outlet_free(o);
    else
        *out = o;
    return st;
}

arrow_taker *outlet_taker(outlet *o)
{
    return &o->taker;
}

void outlet_free(outlet *o)
{
    if (!o)
        return;
    drop_waiting(o);
    bytes_release(&o->schema);
    arrow_books_unref(o->taker.books);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
    mem_free(o->m, o, sizeof *o);
}
