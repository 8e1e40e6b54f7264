#include "exec/crew.h"

#include "base/clock.h"

enum {
    COUNT_ALONE = 16,   /* one thread goes on alone when it carries so many morsels ... */
    ALONE_NS = 1000000, /* ... in this time */
    COUNT_ALL = 256,    /* after so many by all, one is tried again ... */
    TRY_NS = 240000     /* ... unless each was more work than this */
};

void crew_init(crew *c, uint32_t workers)
{
    pthread_condattr_t attr;

    *c = (crew){.workers = workers, .alone = workers > 1, .since = clock_nanoseconds()};
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void crew_release(crew *c)
{
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
}

static void begin(crew *c, bool alone, uint64_t now)
{
    c->alone = alone;
    c->since = now;
    c->taken = 0;
    if (!alone)
        pthread_cond_broadcast(&c->changed);
}

/* Counts a morsel; looks at the clock when there were enough. */
static void count(crew *c)
{
    if (c->taken++ < (c->alone ? COUNT_ALONE : COUNT_ALL))
        return;
    uint64_t now = clock_nanoseconds(), spent = now - c->since;
    if (c->alone)
        begin(c, spent <= ALONE_NS, now);
    else /* no more than this, if all were at work all the time */
        begin(c, spent * c->workers / COUNT_ALL < TRY_NS, now);
}

/* Waits while one thread is to be alone, and joins it when it is late: its morsels are heavy. */
static void sit_out(crew *c)
{
    uint64_t until = c->since + ALONE_NS;
    struct timespec t = {(time_t)(until / 1000000000), (long)(until % 1000000000)};

    pthread_cond_timedwait(&c->changed, &c->lock, &t);
    uint64_t now = clock_nanoseconds();
    if (c->alone && now - c->since > ALONE_NS)
        begin(c, false, now);
}

void crew_enter(crew *c, uint32_t i)
{
    if (c->workers < 2)
        return;
    pthread_mutex_lock(&c->lock);
    while (i && c->alone && !c->over)
        sit_out(c);
    count(c);
    pthread_mutex_unlock(&c->lock);
}

void crew_end(crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->over = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}
