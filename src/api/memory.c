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

/* What is left goes in equal parts to those that still wish for more: small wishes are met in full,
 * for who wishes for much can do with less. */
static void share_rest(const uint64_t *least, const uint64_t *wish, uint32_t n, uint64_t left,
                       uint64_t *grants)
{
    uint32_t open = n;

    for (uint32_t i = 0; i < n; i++)
        grants[i] = least[i];
    while (open && left >= n) {
        uint64_t part = left / open;

        open = 0;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t more = wish[i] > grants[i] ? wish[i] - grants[i] : 0;
            uint64_t given = more < part ? more : part;
            grants[i] += given;
            left -= given;
            open += more > given;
        }
    }
}

#define ALL (UINT64_MAX / 4)

nrw_status job_share(const nrw_job *job, const uint64_t *least, const uint64_t *wish, uint32_t n,
                     uint64_t *grants, uint64_t *needs)
{
    uint64_t have = job_room(job), sum = job->limits.held;

    for (uint32_t i = 0; i < n; i++) /* one may be all there is */
        sum = least[i] < ALL - sum ? sum + least[i] : ALL;
    /* what the process holds at its start differs a little from run to run: who gives what a
     * refusal names shall not be refused again */
    *needs = job_needs(job, sum) + MIB / 4;
    if (sum > have)
        return NRW_E_MEMLIMIT;
    share_rest(least, wish, n, have - sum, grants);
    return NRW_OK;
}
