/* Makes allocations and system calls of queries fail.
 *
 *     query_faults DIR SEED < RECORDS
 *
 * A record is: name, points, target, then a statement of SQL and the values of options as
 * NAME=VALUE; fields end with \x1f, records with \x1e. The target is a name in DIR/out, or empty
 * where the statement says where it writes. Each query runs whole first, which also counts its
 * calls. `points` is what fails then:
 *
 *     each, N         each call, or N by chance: every one in a run of its own
 *     forked, ~N      each call, or about N by chance: in children of one run (children.h), which
 *                     must have one thread; those behind the first change of names as above
 *     new             as forked, but only calls that were not met by the same last dozen callers
 *     alloc:N         that one, or io:N, enospc:N: for a debugger, in this process
 *
 * Of what follows a failed call: an error of a kind that it explains and nothing in DIR/out, or all
 * that the whole run wrote; no file is open that was not before, the heap has lost nothing, and all
 * accounts are closed empty (base/mem.c aborts). DIR/at says which query is at hand, for who finds
 * the process dead. Prints "NAME\tPOINT\tWHAT" for each point where that was not so, and
 * "done QUERIES FAULTS REFUSED CALLS DONE_WITHOUT" at the end: of the calls of all whole runs
 * FAULTS failed, and DONE_WITHOUT of them the run could do without. */
#include "base/hash.h"
#include "children.h"
#include "narrows/job.h"

#include <execinfo.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS 64
/* At most half as many call stacks are told apart, by so many calls. */
#define STACKS      ((size_t)1 << 20)
#define STACK_DEPTH 16

typedef struct record {
    char *fields[FIELDS];
    int n;
} record;

/* A query, and what its whole run was like. */
typedef struct query {
    const record *r;
    uint64_t whole;               /* digest of what it writes */
    uint64_t counts[FAULT_KINDS]; /* its calls */
    uint64_t all;                 /* the sum of them */
    uint64_t some;                /* of them about so many shall fail; 0: all */
    bool new_only;                /* those that were not met by the same calls before */
    holding before;
} query;

static const char *const kinds[] = {"alloc", "io", "enospc"};
static char out_dir[512], at_path[512];
static uint64_t state;
static long queries, faults, refused, without;
static uint64_t calls;

static uint64_t next_random(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

/* ---- what lies in DIR/out ---- */

/* Staging folders, `.narrows-*`, are kept apart: see leftover_is_good. */
static uint64_t digest, staged;

static int add_file(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    static char data[1 << 16];
    uint64_t sum = hash_bytes(path, strlen(path));
    ssize_t n;
    int f;

    (void)s;
    if (at->level == 0)
        return 0;
    if (kind == FTW_F && (f = open(path, O_RDONLY)) >= 0) {
        while ((n = read(f, data, sizeof data)) > 0)
            sum = hash_combine(sum, hash_bytes(data, (size_t)n));
        close(f);
    }
    *(strstr(path, "/.narrows-") ? &staged : &digest) += sum;
    return 0;
}

static uint64_t digest_of_output(void)
{
    digest = staged = 0;
    nftw(out_dir, add_file, 8, FTW_PHYS);
    return digest;
}

static int remove_it(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    if (at->level > 0)
        (void)(kind == FTW_DP ? rmdir(path) : unlink(path));
    return 0;
}

static void empty_output(void)
{
    nftw(out_dir, remove_it, 8, FTW_PHYS | FTW_DEPTH);
}

/* ---- runs ---- */

static nrw_status set_up(nrw_job *job, const record *r, nrw_error *err)
{
    nrw_status st = nrw_job_source(job, r->fields[3], err);
    char target[1024];

    if (st >= 0 && r->fields[2][0]) {
        snprintf(target, sizeof target, "%s/%s", out_dir, r->fields[2]);
        st = nrw_job_option(job, "output", target, err);
    }
    for (int i = 4; st >= 0 && i < r->n; i++) {
        char *equals = strchr(r->fields[i], '=');
        *equals = '\0';
        st = nrw_job_option(job, r->fields[i], equals + 1, err);
        *equals = '=';
    }
    return st;
}

static nrw_status run(const record *r, nrw_error *err)
{
    nrw_job *job;
    nrw_status st = nrw_job_new("sql", &job, err);

    if (st < 0)
        return st;
    st = set_up(job, r, err);
    if (st >= 0)
        st = nrw_job_run(job, err);
    nrw_job_free(job);
    return st;
}

static void tell(const query *q, fault_kind kind, uint64_t n, const char *what)
{
    printf("%s\t%s:%llu\t%s\n", q->r->fields[0], kinds[kind], (unsigned long long)n, what);
}

/* A run that cannot take back its staging folder, because that call failed, leaves it to the next
 * one. Nothing that is removed or locked needs memory or room. */
static bool leftover_is_good(const query *q, fault_kind kind)
{
    nrw_error err = NRW_ERROR_INIT;

    return kind == FAULT_IO && run(q->r, &err) >= 0 && digest_of_output() == q->whole && !staged;
}

/* Of a failed run: nothing is there, or all, where it is no more than the folder that could not be
 * synchronised, or what was replaced that could not be removed. */
static bool target_is_good(const query *q, fault_kind kind, const nrw_error *err)
{
    uint64_t now = digest_of_output();

    if (now)
        return now == q->whole && strstr(err->message, "is written, but");
    return !staged || leftover_is_good(q, kind);
}

/* What is wrong with the end of a run in which a call failed, or NULL. */
static const char *judge(const query *q, fault_kind kind, nrw_status st, const nrw_error *err)
{
    static char text[400];

    if (st >= 0)
        return digest_of_output() != q->whole ? "success, but not the whole result" : NULL;
    if (!err->message[0])
        return "an error without a message";
    if (!target_is_good(q, kind, err))
        return "something is left at the target";
    if (st == NRW_E_IO || (kind == FAULT_ALLOC && (st == NRW_E_NOMEM || st == NRW_E_MEMLIMIT)))
        return NULL;
    snprintf(text, sizeof text, "an error of another kind: %d, %.300s", (int)st, err->message);
    return text;
}

/* ---- a run a point ---- */

typedef struct point {
    const query *q;
    fault_kind kind;
    uint64_t n;
} point;

/* What a child says of itself at its end; 0 where it died before. */
enum { NOT_REACHED = 1, FAILED, WITHOUT };

/* Of a child: the run is over. */
static _Noreturn void end_run(const query *q, fault_kind kind, nrw_status st, const nrw_error *err)
{
    const char *what = judge(q, kind, st, err);

    child_end(what ? what : holding_left(&q->before));
}

static void run_armed(void *ctx)
{
    const point *p = ctx;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st;
    bool hit;

    fault_arm(p->kind, p->n);
    st = run(p->q->r, &err);
    hit = fault_count(p->kind) >= p->n;
    fault_arm(p->kind, 0);
    child_note(!hit ? NOT_REACHED : st < 0 ? FAILED : WITHOUT);
    end_run(p->q, p->kind, st, &err);
}

static void count(const query *q, fault_kind kind, uint64_t n, const char *what)
{
    faults++;
    without += child_noted() == WITHOUT;
    if (what)
        tell(q, kind, n, what);
}

/* False: the run made fewer calls than n. */
static bool run_point(const query *q, fault_kind kind, uint64_t n)
{
    const char *what;

    empty_output();
    what = child_run(run_armed, &(point){q, kind, n});
    if (!what && child_noted() == NOT_REACHED)
        return false;
    count(q, kind, n, what);
    return true;
}

static void run_each(const query *q)
{
    for (int k = 0; k < FAULT_KINDS; k++)
        for (uint64_t n = 1; n <= 2 * q->counts[k] && run_point(q, (fault_kind)k, n); n++)
            continue;
}

static void run_some(const query *q, long points)
{
    for (long i = 0; i < points; i++) {
        fault_kind k = (fault_kind)next_random(FAULT_KINDS);
        if (q->counts[k])
            run_point(q, k, 1 + next_random(q->counts[k]));
    }
}

/* For a debugger. */
static void run_here(const query *q, const char *name)
{
    for (int k = 0; k < FAULT_KINDS; k++)
        if (!strncmp(name, kinds[k], strlen(kinds[k]))) {
            uint64_t n = strtoull(strchr(name, ':') + 1, NULL, 10);
            nrw_error err = NRW_ERROR_INIT;
            nrw_status st;
            empty_output();
            fault_arm((fault_kind)k, n);
            st = run(q->r, &err);
            fault_arm((fault_kind)k, 0);
            printf("%d %s: %s\n", (int)st, err.message, judge(q, (fault_kind)k, st, &err));
        }
}

/* ---- points in children ---- */

/* Whether this process has not been here yet by the same calls. */
static bool stack_is_new(fault_kind kind)
{
    static uint64_t seen[STACKS];
    static size_t n;
    void *frames[STACK_DEPTH];
    uint64_t hash, at;

    hash = hash_bytes(frames, (size_t)backtrace(frames, STACK_DEPTH) * sizeof *frames);
    hash = hash_combine(hash, kind) | 1;
    for (at = hash % STACKS; seen[at] && seen[at] != hash; at = (at + 1) % STACKS)
        continue;
    if (seen[at] || n >= STACKS / 2)
        return !seen[at];
    seen[at] = hash;
    n++;
    return true;
}

static bool is_wanted(void *ctx, fault_kind kind)
{
    const query *q = ctx;

    if (q->new_only)
        return stack_is_new(kind);
    return !q->some || next_random(q->all) < q->some;
}

static void ended(void *ctx, fault_kind kind, uint64_t n, const char *what)
{
    count(ctx, kind, n, what);
    if (what || child_noted() == WITHOUT)
        empty_output();
}

static void run_forked(query *q)
{
    children c = {.wanted = is_wanted, .ended = ended, .ctx = q, .folder = out_dir};
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st;

    empty_output();
    for (int k = 0; k < FAULT_KINDS; k++)
        fault_arm((fault_kind)k, 0);
    children_start(&c);
    st = run(q->r, &err);
    if (children_stop()) {
        child_note(st < 0 ? FAILED : WITHOUT);
        end_run(q, c.kind, st, &err);
    }
    if (st < 0 || digest_of_output() != q->whole)
        tell(q, FAULT_ALLOC, 0, "the run whose calls failed in children is not as the whole one");
    holding_now(&q->before);
    for (size_t i = 0; i < c.n_later; i++)
        run_point(q, c.later[i].kind, c.later[i].n);
    free(c.later);
}

/* ---- queries ---- */

/* False: it is refused. */
static bool run_whole(query *q)
{
    nrw_error err = NRW_ERROR_INIT;

    empty_output();
    for (int k = 0; k < FAULT_KINDS; k++)
        fault_arm((fault_kind)k, 0);
    if (run(q->r, &err) < 0) {
        fprintf(stderr, "%s: %s\n", q->r->fields[0], err.message);
        return false;
    }
    q->whole = digest_of_output();
    for (int k = 0; k < FAULT_KINDS; k++)
        q->all += q->counts[k] = fault_count((fault_kind)k);
    holding_now(&q->before);
    return true;
}

static void say_where(const record *r)
{
    FILE *at = fopen(at_path, "w");

    if (at) {
        fprintf(at, "%s\n", r->fields[0]);
        fclose(at);
    }
}

static void run_record(const record *r)
{
    const char *points = r->fields[1];
    query q = {.r = r};

    say_where(r);
    if (!run_whole(&q)) {
        refused++;
        return;
    }
    queries++;
    calls += q.all;
    if (*points == '~')
        q.some = strtoull(points + 1, NULL, 10);
    q.new_only = !strcmp(points, "new");
    if (*points == '~' || q.new_only || !strcmp(points, "forked"))
        run_forked(&q);
    else if (!strcmp(points, "each"))
        run_each(&q);
    else if (strchr(points, ':'))
        run_here(&q, points);
    else
        run_some(&q, atol(points));
}

/* ---- records ---- */

static bool cut_record(char *text, record *out)
{
    out->n = 0;
    for (char *end; out->n < FIELDS && (end = strchr(text, 0x1f)); text = end + 1) {
        *end = '\0';
        out->fields[out->n++] = text;
    }
    return out->n >= 4;
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    char *line = NULL;
    size_t cap = 0;
    void *frame;
    record r;

    if (argc != 3)
        return 2;
    snprintf(out_dir, sizeof out_dir, "%s/out", argv[1]);
    snprintf(at_path, sizeof at_path, "%s/at", argv[1]);
    state = strtoull(argv[2], NULL, 10);
    children_init();
    /* what is made only once is there before anybody looks at the heap */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    backtrace(&frame, 1);
    nrw_process_init();
    while (getdelim(&line, &cap, 0x1e, stdin) > 0)
        if (cut_record(line, &r))
            run_record(&r);
    free(line);
    printf("done %ld %ld %ld %llu %ld\n", queries, faults, refused, (unsigned long long)calls,
           without);
    return 0;
}
