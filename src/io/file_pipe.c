/* The reading end of a pipe: stretches of it, as long as somebody may read them.
 *
 * A stretch is a list of parts, one each time more of it was expected. A part lies in memory while
 * there is room of what was reserved, else in the spill file; so a message of any length takes no
 * more memory than another. Small parts are served from what was read ahead. */
#include "base/text.h"
#include "io/file.h"
#include "io/spill.h"
#include "io/sys.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#define AHEAD      ((size_t)64 << 10)
#define STOP_AFTER 100 /* ms without data until the stop flag is looked at */

typedef struct part {
    uint64_t stretch; /* where that begins */
    uint64_t at;
    size_t len;
    uint8_t *data; /* NULL: spilled */
    uint64_t region;
    struct part *next;
} part;

typedef struct pipe_file {
    io_file file;
    pipe_options o;
    int fd;
    _Atomic uint32_t stopped;
    bool ended;
    nrw_status failed; /* it stays so, for `why` */
    nrw_error why;
    uint8_t *ahead; /* [from, to): read, not yet expected */
    size_t from, to;
    uint64_t stretch, end; /* the newest, and where it ends so far */

    pthread_mutex_t lock; /* guards what follows; data of a part does not change */
    part *parts;          /* the newest first */
    size_t room;          /* of what was reserved */
} pipe_file;

/* ---- room ---- */

/* What was taken and is free again. */
static void give_room(pipe_file *p, uint64_t cost)
{
    if (!mem_try_reserve(p->file.m, cost))
        return;
    pthread_mutex_lock(&p->lock);
    p->room += cost;
    pthread_mutex_unlock(&p->lock);
}

/* Memory for a part out of what was reserved; NULL: there is no room. */
static uint8_t *take_room(pipe_file *p, size_t len)
{
    uint64_t cost = mem_cost(len);
    uint8_t *data;

    pthread_mutex_lock(&p->lock);
    if (cost > p->room) {
        pthread_mutex_unlock(&p->lock);
        return NULL;
    }
    p->room -= cost;
    pthread_mutex_unlock(&p->lock);
    mem_release(p->file.m, cost);
    data = mem_try_alloc(p->file.m, len);
    if (!data)
        give_room(p, cost);
    return data;
}

static void drop_part(pipe_file *p, part *x)
{
    if (!x->data) {
        spill_region_free(p->o.spill, x->region, x->len);
    } else {
        mem_free(p->file.m, x->data, x->len);
        give_room(p, mem_cost(x->len));
    }
    mem_free(p->file.m, x, sizeof *x);
}

/* ---- reading on ---- */

/* Waits until there is something to read, or the end, or it is to stop. */
static nrw_status wait_for_data(pipe_file *p, nrw_error *err)
{
    struct pollfd at = {.fd = p->fd, .events = POLLIN};

    for (;;) {
        int n = poll(&at, 1, STOP_AFTER);
        if (atomic_load_explicit(&p->stopped, memory_order_relaxed) ||
            (p->o.stop && atomic_load_explicit(p->o.stop, memory_order_relaxed)))
            return err_set(err, NRW_E_CANCELLED, "interrupted");
        if (n > 0)
            return NRW_OK;
        if (n < 0 && errno != EINTR)
            return err_errno(err, NRW_E_IO, errno, "cannot wait for the pipe");
    }
}

/* Some bytes of the pipe; *n 0: its end. */
static nrw_status read_some(pipe_file *p, void *dst, size_t cap, size_t *n, nrw_error *err)
{
    int e;

    *n = 0;
    if (p->ended)
        return NRW_OK;
    TRY(wait_for_data(p, err));
    e = sys_read(p->fd, dst, cap, n);
    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot read the pipe");
    if (*n)
        return NRW_OK;
    p->ended = true;
    return p->o.ended ? p->o.ended(p->o.self, err) : NRW_OK;
}

/* The next `len` bytes. NRW_END: there are fewer. */
static nrw_status read_whole(pipe_file *p, uint8_t *dst, size_t len, nrw_error *err)
{
    size_t n;

    while (len) {
        if (p->from == p->to && len >= AHEAD) {
            TRY(read_some(p, dst, len, &n, err));
        } else {
            if (p->from == p->to) {
                p->from = p->to = 0;
                TRY(read_some(p, p->ahead, AHEAD, &p->to, err));
            }
            n = size_min(len, p->to - p->from);
            memcpy(dst, p->ahead + p->from, n);
            p->from += n;
        }
        if (!n)
            return NRW_END;
        dst += n;
        len -= n;
    }
    return NRW_OK;
}

/* The same into the spill file, a window at a time. */
static nrw_status read_spilled(pipe_file *p, part *x, nrw_error *err)
{
    nrw_status st = spill_region(p->o.spill, x->len, &x->region, err);
    uint8_t *window;
    void *at;

    TRY(st);
    st = mem_alloc(p->file.m, AHEAD, &at, err);
    window = at;
    for (size_t done = 0, n; st == NRW_OK && done < x->len; done += n) {
        n = size_min(AHEAD, x->len - done);
        st = read_whole(p, window, n, err);
        if (st == NRW_OK)
            st = spill_region_write(p->o.spill, x->region + done, (span){window, n}, err);
    }
    mem_free(p->file.m, at, AHEAD);
    if (st != NRW_OK)
        spill_region_free(p->o.spill, x->region, x->len);
    return st;
}

static nrw_status read_part(pipe_file *p, part *x, nrw_error *err)
{
    nrw_status st;

    x->data = take_room(p, x->len);
    if (!x->data)
        return read_spilled(p, x, err);
    st = read_whole(p, x->data, x->len, err);
    if (st != NRW_OK)
        mem_free(p->file.m, x->data, x->len);
    return st;
}

static nrw_status pipe_expect(io_file *f, uint64_t at, uint64_t len, nrw_error *err)
{
    pipe_file *p = (pipe_file *)f;
    nrw_status st;
    part *x;
    void *m;

    if (len <= p->end && at <= p->end - len)
        return NRW_OK;
    if (p->failed) {
        if (err)
            *err = p->why;
        return p->failed;
    }
    if (len > FILE_LIVE_SIZE - at)
        return NRW_END;
    if (at == p->end)
        p->stretch = at;
    TRY(mem_zalloc(f->m, sizeof *x, &m, err));
    x = m;
    *x = (part){.stretch = p->stretch, .at = p->end, .len = (size_t)(at + len - p->end)};
    st = read_part(p, x, &p->why);
    if (st != NRW_OK) {
        mem_free(f->m, x, sizeof *x);
        p->failed = st < 0 ? st : NRW_OK;
        if (st < 0 && err)
            *err = p->why;
        return st;
    }
    p->end += x->len;
    pthread_mutex_lock(&p->lock);
    x->next = p->parts;
    p->parts = x;
    pthread_mutex_unlock(&p->lock);
    return NRW_OK;
}

static void pipe_forget(io_file *f, uint64_t at)
{
    pipe_file *p = (pipe_file *)f;
    part *gone = NULL, *x;

    pthread_mutex_lock(&p->lock);
    for (part **link = &p->parts; *link;) {
        x = *link;
        if (x->stretch != at) {
            link = &x->next;
            continue;
        }
        *link = x->next;
        x->next = gone;
        gone = x;
    }
    pthread_mutex_unlock(&p->lock);
    while ((x = gone)) {
        gone = x->next;
        drop_part(p, x);
    }
}

/* ---- the class ---- */

static const part *find_part(pipe_file *p, uint64_t at)
{
    const part *x;

    pthread_mutex_lock(&p->lock);
    for (x = p->parts; x && (at < x->at || at - x->at >= x->len);)
        x = x->next;
    pthread_mutex_unlock(&p->lock);
    return x;
}

static nrw_status pipe_read(io_file *f, uint64_t offset, void *dst, size_t len, nrw_error *err)
{
    pipe_file *p = (pipe_file *)f;

    for (size_t n; len; len -= n, offset += n, dst = (uint8_t *)dst + n) {
        const part *x = find_part(p, offset);
        if (!x)
            return err_set(err, NRW_E_CORRUPT, "%zu bytes should lie here, the stream has fewer",
                           len);
        n = size_min(len, x->len - (size_t)(offset - x->at));
        if (x->data)
            memcpy(dst, x->data + (offset - x->at), n);
        else
            TRY(spill_region_read(p->o.spill, x->region + (offset - x->at), dst, n, err));
    }
    return NRW_OK;
}

static void pipe_stop(io_file *f)
{
    atomic_store(&((pipe_file *)f)->stopped, 1);
}

static void pipe_close(io_file *f)
{
    pipe_file *p = (pipe_file *)f;

    while (p->parts) {
        part *x = p->parts;
        p->parts = x->next;
        drop_part(p, x);
    }
    mem_release(f->m, p->room);
    mem_free(f->m, p->ahead, AHEAD);
    pthread_mutex_destroy(&p->lock);
    mem_free(f->m, f, sizeof(pipe_file));
}

static const file_class pipe_class = {.name = "pipe",
                                      .read_at = pipe_read,
                                      .close = pipe_close,
                                      .expect = pipe_expect,
                                      .forget = pipe_forget,
                                      .stop = pipe_stop};

nrw_status file_open_pipe(mem *m, int fd, const pipe_options *o, io_file **out, nrw_error *err)
{
    pipe_file *p;
    nrw_status st;
    void *at;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *p, &at, err));
    p = at;
    pthread_mutex_init(&p->lock, NULL);
    p->fd = fd;
    p->why = (nrw_error)NRW_ERROR_INIT;
    st = file_set_up(&p->file, &pipe_class, m, o->name, err);
    p->o = *o;
    p->file.size = FILE_LIVE_SIZE;
    if (st >= 0)
        st = mem_alloc(m, AHEAD, &at, err);
    if (st >= 0) {
        p->ahead = at;
        st = mem_reserve(m, o->memory, err);
    }
    if (st < 0) {
        file_close(&p->file);
        return st;
    }
    p->room = o->memory;
    *out = &p->file;
    return NRW_OK;
}
