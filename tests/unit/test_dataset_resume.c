/* Going on with a killed run: it is killed before each of its system calls, and so is the run that
 * goes on, and that one's. What comes in the end is what an unbroken run would have left. */
#include "dataset_made.h"

#include "base/fault.h"
#include "io/file.h"

#include <signal.h>
#include <sys/wait.h>

#define MIB ((uint64_t)1 << 20)

/* ---- a run that can be resumed ---- */

typedef struct made_run {
    int policy;
    const char *facts[4]; /* up to a NULL */
    bool resume;
    int kept; /* files that were there */
    char told[256];
} made_run;

static made_run run_of(int policy)
{
    return (made_run){.policy = policy, .facts = {"--with this", "input a", "input b"}};
}

static nrw_status fact_of(void *ctx, uint64_t i, dataset_fact *out, nrw_error *err)
{
    const made_run *r = ctx;

    (void)err;
    *out = (dataset_fact){r->facts[i], i};
    return r->facts[i] ? NRW_OK : NRW_END;
}

static void tell(void *ctx, const char *line)
{
    made_run *r = ctx;

    snprintf(r->told, sizeof r->told, "%s", line);
}

static nrw_status keep_or_put(made_run *r, dataset_target *d, const char *folder, const char *text,
                              nrw_error *err)
{
    uint32_t number;
    uint64_t carried;
    char name[64];
    io_file *f;
    nrw_status st;

    TRY(dataset_target_next(d, folder, &number, err));
    snprintf(name, sizeof name, "%s/part-%u.parquet", folder, number);
    st = dataset_target_kept(d, name, &f, err);
    if (st == NRW_END) {
        TRY(dataset_target_carry(d, name, strlen(folder), err));
        return put(d, name, text, err);
    }
    TRY(st);
    st = f->size == strlen(text) ? NRW_OK : NRW_E_CORRUPT;
    file_close(f);
    if (st == NRW_OK)
        st = dataset_target_carried(d, name, &carried, err);
    r->kept++;
    return st == NRW_OK && carried != strlen(folder) ? NRW_E_CORRUPT : st;
}

static nrw_status put_files(made_run *r, dataset_target *d, nrw_error *err)
{
    TRY(keep_or_put(r, d, "dt=1", "new 1", err));
    TRY(keep_or_put(r, d, "dt=3", "new 3", err));
    TRY(put(d, "_common_metadata", "schema", err));
    return dataset_target_publish(d, err);
}

static nrw_status write_run(mem *m, const char *path, made_run *r, nrw_error *err)
{
    const dataset_options o = {.policy = (dataset_policy)r->policy,
                               .number_prefix = "part-",
                               .number_suffix = ".parquet",
                               .tell = tell,
                               .ctx = r,
                               .fact = fact_of,
                               .resume = r->resume};
    dataset_target *d;
    nrw_status st = dataset_target_open(m, path, &o, &d, err);

    if (st != NRW_OK)
        return st;
    st = put_files(r, d, err);
    dataset_target_close(d);
    return st;
}

#ifdef NARROWS_FAULTS

#ifdef NARROWS_SANITIZED
#define STEP 17
#else
#define STEP 1
#endif

static const struct way {
    int policy;
    unsigned lacks;
} ways[] = {{DATASET_FAIL, 0},
            {DATASET_REPLACE, 0},
            {DATASET_REPLACE, 1 << LACK_EXCHANGE},
            {DATASET_REPLACE, 1 << LACK_SIBLING},
            {DATASET_APPEND, 0},
            {DATASET_APPEND, 1 << LACK_SIBLING | 1 << LACK_NOREPLACE},
            {DATASET_REPLACE_PARTITIONS, 0}};
#define N_WAYS (sizeof ways / sizeof *ways)

static void set_lacks(unsigned bits)
{
    for (int i = 0; i < FAULT_LACKS; i++)
        fault_set_lack((fault_lack)i, bits >> i & 1);
}

static void prepare(temp_folder *f, const struct way *w)
{
    temp_folder_make_in(f, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (w->policy != DATASET_FAIL)
        old_dataset(f);
    set_lacks(w->lacks);
}

static const char *behind(int policy)
{
    return policy == DATASET_FAIL ? NEW_TREE : result_of(policy);
}

/* True: it ended before its n-th system call. */
static bool killed_at(temp_folder *f, made_run r, uint64_t n)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        mem *m;
        if (mem_root(MIB, &m, NULL) < 0)
            _exit(2);
        fault_kill(n);
        (void)write_run(m, temp_path(f, "out"), &r, NULL);
        _exit(0);
    }
    assert_true(child > 0);
    waitpid(child, &status, 0);
    return !WIFSIGNALED(status);
}

/* What a user does: goes on, or where nothing can be gone on with, recovers and looks. The files
 * that were kept. */
static int gone_on(temp_folder *f, mem *m, int policy)
{
    nrw_error err = NRW_ERROR_INIT;
    made_run r = run_of(policy);
    nrw_status st;

    r.resume = true;
    st = write_run(m, temp_path(f, "out"), &r, &err);
    if (st == NRW_E_NOTFOUND) {
        assert_true(dataset_recover(m, temp_path(f, "out"), NULL, NULL, &err) >= 0);
        r.resume = false;
        if (strcmp(tree(f->path), behind(policy)) != 0)
            assert_ok(write_run(m, temp_path(f, "out"), &r, &err), &err);
    } else {
        assert_status(st == NRW_END ? NRW_END : NRW_OK, st, &err);
        assert_true(st == NRW_OK || r.told[0]);
    }
    assert_string_equal(tree(f->path), behind(policy));
    assert_int_equal(dataset_recover(m, temp_path(f, "out"), NULL, NULL, &err), NRW_END);
    return r.kept;
}

static void kills_before_every_call(void **state)
{
    mem *m = test_mem_open(MIB);
    int kills = 0, kept = 0;

    (void)state;
    for (size_t w = 0; w < N_WAYS; w++)
        for (uint64_t n = 1, ended = 0; !ended; n += 2 * STEP) {
            temp_folder f;
            prepare(&f, &ways[w]);
            ended = killed_at(&f, run_of(ways[w].policy), n);
            kills += !ended;
            if (!ended)
                kept += gone_on(&f, m, ways[w].policy);
            temp_folder_remove(&f);
            assert_true(n < 1000);
        }
    set_lacks(0);
    assert_true(kills > 150 / STEP && kept > 50 / STEP);
    test_mem_close(m);
}

/* Who goes on is killed before each of its calls, too, each time a few calls further. */
static void kills_of_who_goes_on(void **state)
{
    mem *m = test_mem_open(MIB);
    int kills = 0, kept = 0;

    (void)state;
    for (size_t w = 0; w < N_WAYS; w++)
        for (uint64_t n = 30; n < 60; n += 9)
            for (uint64_t k = 1, ended = 0; !ended; k += 6 * STEP) {
                made_run r = run_of(ways[w].policy);
                temp_folder f;
                prepare(&f, &ways[w]);
                killed_at(&f, r, n);
                r.resume = true;
                ended = killed_at(&f, r, k);
                kills += !ended;
                if (!ended) {
                    killed_at(&f, r, k + n % 7);
                    kept += gone_on(&f, m, ways[w].policy);
                }
                temp_folder_remove(&f);
                assert_true(k < 1000);
            }
    set_lacks(0);
    assert_true(kills > 100 / STEP && kept > 50 / STEP);
    test_mem_close(m);
}

/* Each call and allocation of who goes on fails: an error that says so, and the dataset as it was
 * or as it is to be. */
static void every_call_fails(void **state)
{
    mem *m = test_mem_open(MIB);
    int failures = 0;

    (void)state;
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        for (size_t w = 1; w < N_WAYS; w += 3)
            for (uint64_t n = 1, ended = 0; !ended; n++) {
                nrw_error err = NRW_ERROR_INIT;
                made_run r = run_of(ways[w].policy);
                temp_folder f;
                nrw_status st;
                prepare(&f, &ways[w]);
                killed_at(&f, r, 55);
                r.resume = true;
                fault_arm((fault_kind)kind, n);
                st = write_run(m, temp_path(&f, "out"), &r, &err);
                ended = fault_count((fault_kind)kind) < n;
                fault_arm((fault_kind)kind, 0);
                mem_trim();
                assert_int_equal(mem_used(m), 0);
                failures += st < 0;
                assert_true(st >= 0 || err.message[0]);
                assert_true(dataset_recover(m, temp_path(&f, "out"), NULL, NULL, &err) >= 0);
                assert_true(strcmp(tree(f.path), behind(r.policy)) == 0 ||
                            (st < 0 &&
                             strcmp(tree(f.path), r.policy == DATASET_FAIL ? "" : OLD_TREE) == 0));
                temp_folder_remove(&f);
                assert_true(n < 1000);
            }
    set_lacks(0);
    assert_true(failures > 100);
    test_mem_close(m);
}

/* How its journal and the files begin; not the lock, which names who looked last. */
static const char *journal_of(temp_folder *f)
{
    char *at = strstr(tree(f->path), ".dataset/files"), *lock = at ? strstr(at, "/lock=") : NULL;

    assert_non_null(lock);
    *lock = '\0';
    return at;
}

/* Another run's rest is left as it is, whatever differs. */
static void other_facts(void **state)
{
    static const char *const others[][4] = {{"--with that", "input a", "input b"},
                                            {"--with this", "input a"},
                                            {"--with this", "input a", "input b2"},
                                            {NULL}};
    mem *m = test_mem_open(MIB);
    char rest[4096];
    temp_folder f;

    (void)state;
    prepare(&f, &ways[4]);
    assert_false(killed_at(&f, run_of(DATASET_APPEND), 55));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        nrw_error err = NRW_ERROR_INIT;
        made_run r = run_of(DATASET_APPEND);
        r.resume = true;
        memcpy(r.facts, others[i], sizeof others[i]);
        snprintf(rest, sizeof rest, "%s", journal_of(&f));
        assert_status(NRW_E_ARG, write_run(m, temp_path(&f, "out"), &r, &err), &err);
        assert_non_null(strstr(err.message, "cannot be resumed: the killed run had "));
        assert_string_equal(rest, journal_of(&f));
    }
    assert_true(gone_on(&f, m, DATASET_APPEND) > 0);
    temp_folder_remove(&f);
    test_mem_close(m);
}
#endif

static void nothing_to_resume(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    made_run r = run_of(DATASET_APPEND);
    temp_folder f;

    (void)state;
    temp_folder_make_in(&f, "/tmp");
    r.resume = true;
    assert_status(NRW_E_NOTFOUND, write_run(m, temp_path(&f, "out"), &r, &err), &err);
    assert_string_equal(tree(f.path), "");
    temp_folder_remove(&f);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef NARROWS_FAULTS
        cmocka_unit_test(kills_before_every_call), cmocka_unit_test(kills_of_who_goes_on),
        cmocka_unit_test(every_call_fails),        cmocka_unit_test(other_facts),
#endif
        cmocka_unit_test(nothing_to_resume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
