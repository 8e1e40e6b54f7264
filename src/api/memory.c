/* The ceiling of a run: what of it is base, and how the rest is shared.
 *
 * Baseline: what this process holds before any job (code, libraries, main stack), measured when
 * the process began, and what comes with running that no account sees: stacks of the workers, code
 * touched for the first time, slack of the allocator. */
#include "api/job.h"
#include "base/text.h"
#include "base/threads.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define MIB       ((uint64_t)1 << 20)
#define LOOK_ROOM (16 * MIB)

static _Atomic uint64_t idle_rss;

void nrw_process_init(void)
{
    mem_tune_process();
    atomic_store(&idle_rss, mem_process_rss());
}

static uint64_t baseline(uint32_t workers)
{
    const uint64_t touched_later = 2 * MIB + MIB / 2, per_worker = 160 << 10;
    uint64_t rss = atomic_load(&idle_rss);

    /* a library inside another program bounds its own accounts only */
    return rss ? rss + touched_later + workers * per_worker : 0;
}

static uint64_t free_disk(const char *dir)
{
    struct statvfs s;

    if (!dir)
        dir = getenv("TMPDIR");
    if (statvfs(dir ? dir : "/var/tmp", &s) != 0)
        return 0;
    return (uint64_t)s.f_bavail * s.f_frsize;
}

nrw_status job_limits_settle(nrw_job *job, nrw_error *err)
{
    const char *dir = job_last(job, "spill-dir");
    uint64_t physical = threads_memory(), threads, disk = free_disk(dir);
    uint32_t runs;

    if (job->root)
        return NRW_OK;
    TRY(job_size(job, "memory", physical, physical / 10 * 7, &job->limits.ceiling, err));
    TRY(job_count(job, "threads", 1, 64, threads_usable(), &threads, err));
    TRY(job_size(job, "spill-limit", disk, disk / 2, &job->limits.spill_limit, err));
    pthread_mutex_lock(&job->running_lock); /* progress may be asked already */
    job->stood.memory = job->limits.ceiling;
    pthread_mutex_unlock(&job->running_lock);
    job->limits.workers = threads > 64 ? 64 : (uint32_t)threads;
    runs = job->limits.runs ? job->limits.runs : 1;
    job->limits.spill_limit /= runs;
    job->limits.baseline = baseline(runs * job->limits.workers + runs - 1);
    /* A ceiling that is too small is refused when it is known how much would do: until then the
     * metadata have this much room. */
    TRY(mem_root(job_room(job) > LOOK_ROOM ? job_room(job) : LOOK_ROOM, &job->root, err));
    return spill_new(job->root, dir, job->limits.spill_limit, &job->spill, err);
}

void job_use_workers(nrw_job *job, uint32_t n)
{
    job_limits *l = &job->limits;

    l->used = l->used > n ? l->used : n; /* stacks of threads that have ended stay for others */
    if (l->runs <= 1)
        l->baseline = baseline(l->used);
}

uint64_t job_room(const nrw_job *job)
{
    const job_limits *l = &job->limits;

    return l->ceiling > l->baseline ? (l->ceiling - l->baseline) / (l->runs ? l->runs : 1) : 0;
}

uint64_t job_needs(const nrw_job *job, uint64_t books)
{
    return job->limits.baseline + books * (job->limits.runs ? job->limits.runs : 1);
}

nrw_status job_limits_check(nrw_job *job, nrw_error *err)
{
    uint64_t needs = job->limits.baseline + mem_peak(job->root) + MIB;
    char size[TEXT_NUMBER], have[TEXT_NUMBER];

    if (job->limits.ceiling >= needs) {
        mem_set_limit(job->root, job->limits.ceiling - job->limits.baseline);
        return NRW_OK;
    }
    err_next(err, "give --memory %s or more", text_size_option(needs, size));
    return err_set(err, NRW_E_MEMLIMIT, "the program takes %s, --memory is %s",
                   text_size(needs, size), text_size(job->limits.ceiling, have));
}

void job_hold(nrw_job *job)
{
    const uint64_t slack = MIB / 2; /* free blocks between two uses, small parts of the job */

    mem_trim();
    job->limits.held = mem_used(job->root) + slack;
}

#define ALL (UINT64_MAX / 4)

/* One part may be all there is. */
static uint64_t stage_sum(const job_stages *stages, uint32_t s, const uint64_t *parts, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        if (stages->takes[i * stages->n + s])
            sum = parts[i] < ALL - sum ? sum + parts[i] : ALL;
    return sum;
}

uint64_t job_stages_most(const job_stages *stages, const uint64_t *parts, uint32_t n)
{
    uint64_t most = 0;

    for (uint32_t s = 0; s < stages->n; s++) {
        uint64_t sum = stage_sum(stages, s, parts, n);
        most = sum > most ? sum : most;
    }
    return most;
}

/* Parts that may still get more, of all stages and each. */
typedef struct sharing {
    const job_stages *stages;
    uint32_t n, n_open;
    bool *open;
    uint64_t *left; /* of each stage */
    uint32_t *count;
} sharing;

static void close_part(sharing *w, uint32_t i)
{
    if (!w->open[i])
        return;
    w->open[i] = false;
    w->n_open--;
    for (uint32_t s = 0; s < w->stages->n; s++)
        w->count[s] -= w->stages->takes[i * w->stages->n + s];
}

/* What every open part can get at once. */
static uint64_t next_step(const sharing *w, const uint64_t *wish, const uint64_t *grants)
{
    uint64_t step = UINT64_MAX;

    for (uint32_t i = 0; i < w->n; i++)
        if (w->open[i] && wish[i] - grants[i] < step)
            step = wish[i] - grants[i];
    for (uint32_t s = 0; s < w->stages->n; s++)
        if (w->count[s] && w->left[s] / w->count[s] < step)
            step = w->left[s] / w->count[s];
    return step;
}

/* What is left goes in equal parts to those that still wish for more: small wishes are met in full,
 * for who wishes for much can do with less. Parts of a stage that is full get no more. */
static void share_rest(sharing *w, const uint64_t *wish, uint64_t *grants)
{
    while (w->n_open) {
        uint64_t step = next_step(w, wish, grants);
        for (uint32_t s = 0; s < w->stages->n; s++)
            w->left[s] -= step * w->count[s];
        for (uint32_t i = 0; i < w->n; i++)
            grants[i] += w->open[i] ? step : 0;
        for (uint32_t i = 0; i < w->n; i++)
            if (grants[i] >= wish[i])
                close_part(w, i);
        for (uint32_t s = 0; s < w->stages->n; s++)
            for (uint32_t i = 0; w->left[s] < w->count[s] && i < w->n; i++)
                if (w->stages->takes[i * w->stages->n + s])
                    close_part(w, i);
    }
}

/* Each stage may take so much. */
static void share_stages(const job_stages *stages, uint64_t each, const uint64_t *wish, uint32_t n,
                         uint64_t *grants)
{
    uint64_t left[stages->n];
    uint32_t count[stages->n];
    bool open[n];
    sharing w = {.stages = stages, .n = n, .open = open, .left = left, .count = count};

    memset(count, 0, sizeof count);
    for (uint32_t s = 0; s < stages->n; s++)
        left[s] = each - stage_sum(stages, s, grants, n);
    for (uint32_t i = 0; i < n; i++) {
        open[i] = wish[i] > grants[i];
        w.n_open += open[i];
        for (uint32_t s = 0; open[i] && s < stages->n; s++)
            count[s] += stages->takes[i * stages->n + s];
    }
    share_rest(&w, wish, grants);
}

nrw_status job_share_stages(const nrw_job *job, const job_stages *stages, const uint64_t *least,
                            const uint64_t *wish, uint32_t n, uint64_t *grants, uint64_t *needs)
{
    uint64_t have = job_room(job), held = job->limits.held;
    uint64_t most = job_stages_most(stages, least, n);

    most = most < ALL - held ? most + held : ALL;
    /* what the process holds at its start differs a little from run to run: who gives what a
     * refusal names shall not be refused again */
    *needs = job_needs(job, most) + MIB / 4;
    if (most > have)
        return NRW_E_MEMLIMIT;
    memcpy(grants, least, n * sizeof *grants);
    share_stages(stages, have - held, wish, n, grants);
    return NRW_OK;
}

void job_share_left(const job_stages *stages, const uint64_t *wish, uint32_t n, uint64_t *grants)
{
    share_stages(stages, job_stages_most(stages, grants, n), wish, n, grants);
}

nrw_status job_share(const nrw_job *job, const uint64_t *least, const uint64_t *wish, uint32_t n,
                     uint64_t *grants, uint64_t *needs)
{
    bool takes[n];

    memset(takes, true, sizeof takes);
    return job_share_stages(job, &(job_stages){1, takes}, least, wish, n, grants, needs);
}
