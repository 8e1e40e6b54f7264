/* Makes allocations and system calls of queries fail, many points in one process.
 *
 *     query_faults DIR SEED < RECORDS
 *
 * A record is: name, points, target, then a statement of SQL and the values of options as
 * NAME=VALUE; fields end with \x1f, records with \x1e. The target is a name in DIR/out, or empty
 * where the statement says where it writes. `points` is how many allocations or calls fail, chosen
 * by the seed, or 0: each in turn. Each query runs whole first, which also counts its calls. A run
 * with a fault must end with an error and nothing in DIR/out, or with all that the whole run wrote.
 * DIR/at says where it stands, for who finds the process dead. Prints "NAME\tPOINT\tWHAT" for each
 * run that did not, and "done QUERIES FAULTS REFUSED CALLS" at the end: of the calls of all whole
 * runs FAULTS failed. */
#include "base/fault.h"
#include "base/hash.h"
#include "narrows/job.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS 64

typedef struct record {
    char *fields[FIELDS];
    int n;
} record;

static const char *const kinds[] = {"alloc", "io", "enospc"};
static char out_dir[512], at_path[512];
static uint64_t state;
static long queries, faults, refused;
static uint64_t calls;

static uint64_t next_random(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

/* ---- what lies in DIR/out ---- */

static uint64_t digest;

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
    digest += sum;
    return 0;
}

static uint64_t digest_of_output(void)
{
    digest = 0;
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

static void tell(const record *r, fault_kind kind, uint64_t n, const char *what)
{
    printf("%s\t%s:%llu\t%s\n", r->fields[0], kinds[kind], (unsigned long long)n, what);
}

/* Of a failed run: nothing is there, or all, where it is no more than the folder that could not be
 * synchronised. */
static bool target_is_good(const nrw_error *err, uint64_t whole)
{
    uint64_t now = digest_of_output();

    return now == 0 || (now == whole && strstr(err->message, "is written, but"));
}

/* False: the run made fewer calls than n. */
static bool run_point(const record *r, fault_kind kind, uint64_t n, uint64_t whole)
{
    nrw_error err = NRW_ERROR_INIT;
    FILE *at = fopen(at_path, "w");
    nrw_status st;
    bool hit;

    if (at) {
        fprintf(at, "%s %s:%llu\n", r->fields[0], kinds[kind], (unsigned long long)n);
        fclose(at);
    }
    empty_output();
    fault_arm(kind, n);
    st = run(r, &err);
    hit = fault_count(kind) >= n;
    fault_arm(kind, 0);
    faults += hit;
    if (st >= 0 && digest_of_output() != whole)
        tell(r, kind, n, "success, but not the whole result");
    if (st < 0 && !err.message[0])
        tell(r, kind, n, "an error without a message");
    if (st < 0 && !target_is_good(&err, whole))
        tell(r, kind, n, "something is left at the target");
    return hit;
}

static void run_record(const record *r)
{
    nrw_error err = NRW_ERROR_INIT;
    uint64_t counts[FAULT_KINDS], whole;
    long points = atol(r->fields[1]);

    empty_output();
    for (int k = 0; k < FAULT_KINDS; k++)
        fault_arm((fault_kind)k, 0);
    if (run(r, &err) < 0) {
        fprintf(stderr, "%s: %s\n", r->fields[0], err.message);
        refused++;
        return;
    }
    queries++;
    whole = digest_of_output();
    for (int k = 0; k < FAULT_KINDS; k++)
        calls += counts[k] = fault_count((fault_kind)k);
    for (long i = 0; i < points; i++) {
        fault_kind k = (fault_kind)next_random(FAULT_KINDS);
        if (counts[k])
            run_point(r, k, 1 + next_random(counts[k]), whole);
    }
    for (int k = 0; points == 0 && k < FAULT_KINDS; k++)
        for (uint64_t n = 1; run_point(r, (fault_kind)k, n, whole); n++)
            continue;
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
    char *line = NULL;
    size_t cap = 0;
    record r;

    if (argc != 3)
        return 2;
    snprintf(out_dir, sizeof out_dir, "%s/out", argv[1]);
    snprintf(at_path, sizeof at_path, "%s/at", argv[1]);
    state = strtoull(argv[2], NULL, 10);
    nrw_process_init();
    while (getdelim(&line, &cap, 0x1e, stdin) > 0)
        if (cut_record(line, &r))
            run_record(&r);
    free(line);
    printf("done %ld %ld %ld %llu\n", queries, faults, refused, (unsigned long long)calls);
    return 0;
}
