/* Runs that end in every way: a run is killed before each of its system calls, each of them fails,
 * each allocation fails. The dataset is the old or the new one, and recover leaves nothing else. */
#include "dataset_made.h"

#include "base/fault.h"

#include <signal.h>
#include <sys/wait.h>

#define MIB ((uint64_t)1 << 20)

/* In memory where that can be, for the syncs. */
static void make_folder(temp_folder *f)
{
    temp_folder_make_in(f, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

#ifdef NARROWS_FAULTS

/* A process under a sanitizer takes long to begin: there only some of the calls are killed. */
#ifdef NARROWS_SANITIZED
#define KILL_STEP 17
#else
#define KILL_STEP 1
#endif

/* All ways of publishing: a policy, and what the system lacks as bits of LACK_. */
static const struct way {
    int policy;
    unsigned lacks;
} ways[] = {{DATASET_FAIL, 0},
            {DATASET_REPLACE, 0},
            {DATASET_REPLACE, 1 << LACK_EXCHANGE},
            {DATASET_REPLACE, 1 << LACK_SIBLING},
            {DATASET_REPLACE_PARTITIONS, 0},
            {DATASET_REPLACE_PARTITIONS, 1 << LACK_SIBLING},
            {DATASET_APPEND, 0},
            {DATASET_APPEND, 1 << LACK_SIBLING | 1 << LACK_NOREPLACE},
            {DATASET_OVERWRITE_OR_IGNORE, 0}};
#define N_WAYS (sizeof ways / sizeof *ways)

static void set_lacks(unsigned bits)
{
    for (int i = 0; i < FAULT_LACKS; i++)
        fault_set_lack((fault_lack)i, bits >> i & 1);
}

/* DATASET_FAIL writes where nothing is. */
static void prepare(temp_folder *f, int policy)
{
    make_folder(f);
    if (policy != DATASET_FAIL)
        old_dataset(f);
}

static const char *before(int policy)
{
    return policy == DATASET_FAIL ? "" : OLD_TREE;
}

static const char *behind(int policy)
{
    return policy == DATASET_FAIL ? NEW_TREE : result_of(policy);
}

/* The tree without staging. */
static const char *visible(temp_folder *f)
{
    static char text[4096];
    const char *all = tree(f->path);
    size_t n = 0;

    while (*all) {
        size_t len = strcspn(all, "\n") + 1;
        if (!memmem(all, len, ".narrows-", 9)) {
            memcpy(text + n, all, len);
            n += len;
        }
        all += len;
    }
    text[n] = '\0';
    return text;
}

static bool is_one_of_both(const char *now, int policy)
{
    return strcmp(now, before(policy)) == 0 || strcmp(now, behind(policy)) == 0;
}

typedef nrw_status (*run_fn)(mem *m, const char *path, int policy);

static nrw_status run_write(mem *m, const char *path, int policy)
{
    return write_dataset(m, path, policy, NULL, NULL);
}

static nrw_status run_recover(mem *m, const char *path, int policy)
{
    (void)policy;
    return dataset_recover(m, path, NULL, NULL, NULL);
}

/* In a process that is killed before its n-th system call; true: there were fewer. */
static bool killed_at(run_fn run, temp_folder *f, int policy, uint64_t n)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        mem *m;
        if (mem_root(MIB, &m, NULL) < 0)
            _exit(2);
        fault_kill(n);
        _exit(run(m, temp_path(f, "out"), policy) < 0 ? 1 : 0);
    }
    assert_true(child > 0);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return false;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static void recovered(temp_folder *f, mem *m, int policy)
{
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st = dataset_recover(m, temp_path(f, "out"), NULL, NULL, &err);

    assert_status(st == NRW_END ? NRW_END : NRW_OK, st, &err);
    assert_true(is_one_of_both(tree(f->path), policy));
    assert_int_equal(dataset_recover(m, temp_path(f, "out"), NULL, NULL, &err), NRW_END);
}

static void kills_before_every_call(void **state)
{
    mem *m = test_mem_open(MIB);
    int kills = 0, old = 0, fresh = 0;

    (void)state;
    for (size_t w = 0; w < N_WAYS; w++)
        for (uint64_t n = 1, ended = 0; !ended; n += KILL_STEP) {
            int policy = ways[w].policy;
            temp_folder f;
            prepare(&f, policy);
            set_lacks(ways[w].lacks);
            ended = killed_at(run_write, &f, policy, n);
            kills += !ended;
            recovered(&f, m, policy);
            if (ended)
                assert_string_equal(tree(f.path), behind(policy));
            old += strcmp(tree(f.path), before(policy)) == 0;
            fresh += strcmp(tree(f.path), behind(policy)) == 0;
            temp_folder_remove(&f);
            assert_true(n < 1000);
        }
    set_lacks(0);
    assert_true(kills > 300 / KILL_STEP && old > 150 / KILL_STEP && fresh > 50 / KILL_STEP);
    test_mem_close(m);
}

/* Recovery is killed, too, again and again, and then left to the next run, which comes to the same.
 * What was decided stays decided. */
static void kills_of_recovery(void **state)
{
    mem *m = test_mem_open(MIB);
    int kills = 0;

    (void)state;
    for (size_t w = 1; w < N_WAYS; w++)
        for (uint64_t n = 20, ended = 0; !ended; n += 2 * KILL_STEP + 1) {
            const dataset_options o = {.policy = DATASET_APPEND};
            nrw_error err = NRW_ERROR_INIT;
            int policy = ways[w].policy;
            dataset_target *d;
            temp_folder f;
            prepare(&f, policy);
            set_lacks(ways[w].lacks);
            ended = killed_at(run_write, &f, policy, n);
            for (uint64_t k = 1 + n % 7; !killed_at(run_recover, &f, policy, k); k += 7)
                kills++;
            if (n % 2 == 0)
                recovered(&f, m, policy);
            assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
            dataset_target_close(d);
            assert_true(is_one_of_both(tree(f.path), policy));
            temp_folder_remove(&f);
        }
    set_lacks(0);
    assert_true(kills > 150 / KILL_STEP);
    test_mem_close(m);
}

static void every_call_fails(void **state)
{
    mem *m = test_mem_open(MIB);
    int failures = 0, to_complete = 0;

    (void)state;
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        for (size_t w = 0; w < N_WAYS; w++)
            for (uint64_t n = 1, ended = 0; !ended; n++) {
                nrw_error err = NRW_ERROR_INIT;
                int policy = ways[w].policy;
                temp_folder f;
                nrw_status st;
                prepare(&f, policy);
                set_lacks(ways[w].lacks);
                fault_arm((fault_kind)kind, n);
                st = write_dataset(m, temp_path(&f, "out"), policy, NULL, &err);
                ended = fault_count((fault_kind)kind) < n;
                fault_arm((fault_kind)kind, 0);
                mem_trim();
                assert_int_equal(mem_used(m), 0);
                failures += st < 0;
                if (st < 0) {
                    assert_true(err.message[0] && (kind == FAULT_ALLOC || err.object[0]));
                } else {
                    assert_int_equal(st, NRW_OK);
                    assert_string_equal(visible(&f), behind(policy));
                }
                if (st < 0 && strstr(err.next, "narrows recover"))
                    to_complete++;
                else if (st < 0 && !strstr(err.message, "is written"))
                    assert_string_equal(visible(&f), before(policy));
                recovered(&f, m, policy);
                temp_folder_remove(&f);
                assert_true(n < 1000);
            }
    set_lacks(0);
    assert_true(failures > 500 && to_complete > 20);
    test_mem_close(m);
}

/* Recovery fails at every call: the next one completes it. */
static void every_call_of_recovery_fails(void **state)
{
    mem *m = test_mem_open(MIB);
    int failures = 0;

    (void)state;
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        for (size_t w = 1; w < N_WAYS; w++)
            for (uint64_t n = 1, ended = 0; !ended; n += KILL_STEP) {
                nrw_error err = NRW_ERROR_INIT;
                int policy = ways[w].policy;
                temp_folder f;
                nrw_status st;
                prepare(&f, policy);
                set_lacks(ways[w].lacks);
                killed_at(run_write, &f, policy, 100 - n % 30);
                fault_arm((fault_kind)kind, n);
                st = dataset_recover(m, temp_path(&f, "out"), NULL, NULL, &err);
                ended = fault_count((fault_kind)kind) < n;
                fault_arm((fault_kind)kind, 0);
                failures += st < 0;
                recovered(&f, m, policy);
                temp_folder_remove(&f);
                assert_true(n < 1000);
            }
    set_lacks(0);
    assert_true(failures > 50 / KILL_STEP);
    mem_trim();
    test_mem_close(m);
}

/* A journal that was decided and is damaged is not guessed at. */
static void damaged_journals(void **state)
{
    mem *m = test_mem_open(MIB);
    int met = 0;

    (void)state;
    for (uint64_t n = 40; n < 120; n++) {
        nrw_error err = NRW_ERROR_INIT;
        char journal[512], content[4096], now[4096];
        temp_folder f;
        ssize_t len;
        int fd;
        prepare(&f, DATASET_REPLACE_PARTITIONS);
        set_lacks(1 << LACK_SIBLING);
        killed_at(run_write, &f, DATASET_REPLACE_PARTITIONS, n);
        snprintf(journal, sizeof journal, "%s", temp_path(&f, "out/.narrows-dataset/decided"));
        fd = open(journal, O_RDWR);
        if (fd >= 0) {
            met++;
            len = read(fd, content, sizeof content);
            assert_true(len > 100);
            snprintf(now, sizeof now, "%s", visible(&f));
            for (ssize_t at = 0; at < len + 2; at += 1 + at % 5) {
                char c = (char)(content[at] ^ 0x10);
                if (at < len)
                    assert_int_equal(pwrite(fd, &c, 1, at), 1);
                else
                    assert_int_equal(ftruncate(fd, at == len ? len - 1 : len + 1), 0);
                err = (nrw_error)NRW_ERROR_INIT;
                assert_status(NRW_E_CORRUPT,
                              dataset_recover(m, temp_path(&f, "out"), NULL, NULL, &err), &err);
                assert_int_equal(pwrite(fd, content, (size_t)len, 0), len);
                assert_int_equal(ftruncate(fd, len), 0);
            }
            close(fd);
            assert_string_equal(visible(&f), now);
            recovered(&f, m, DATASET_REPLACE_PARTITIONS);
            assert_string_equal(tree(f.path), behind(DATASET_REPLACE_PARTITIONS));
        }
        temp_folder_remove(&f);
    }
    set_lacks(0);
    assert_true(met >= 5);
    test_mem_close(m);
}

/* What is told of a rest, and by whom. */
static void rests_are_told(void **state)
{
    mem *m = test_mem_open(MIB);
    int removed = 0, completed = 0;

    (void)state;
    for (uint64_t n = 1, ended = 0; !ended; n++) {
        nrw_error err = NRW_ERROR_INIT;
        char line[256] = "", next[256] = "";
        temp_folder f;
        nrw_status st;
        prepare(&f, DATASET_APPEND);
        ended = killed_at(run_write, &f, DATASET_APPEND, n);
        if (n % 2) {
            st = dataset_recover(m, temp_path(&f, "out"), count_line, line, &err);
            assert_true(st == NRW_OK || (st == NRW_END && !line[0]));
        }
        assert_ok(write_dataset(m, temp_path(&f, "out"), DATASET_REPLACE, next, &err), &err);
        assert_true(n % 2 == 0 || !next[0]);
        snprintf(line, sizeof line, "%s", n % 2 ? line : next);
        removed += strstr(line, "of a killed run removed; the dataset is whole") != NULL;
        completed += strstr(line, "of a killed run was completed, 3 new files") != NULL;
        assert_string_equal(tree(f.path), NEW_TREE);
        temp_folder_remove(&f);
    }
    assert_true(removed > 20 && completed > 5);
    test_mem_close(m);
}
#endif

/* Deeper than there are descriptors, with files on every level. */
static void old_trees_of_any_depth(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    temp_folder f;

    (void)state;
    make_folder(&f);
    assert_int_equal(chdir(f.path), 0);
    for (int i = 0; i < 1500; i++) {
        assert_int_equal(mkdir(i ? "d" : "out", 0777), 0);
        assert_int_equal(chdir(i ? "d" : "out"), 0);
        int fd = open("file", O_WRONLY | O_CREAT, 0666);
        assert_true(fd >= 0);
        close(fd);
    }
    assert_int_equal(chdir("/"), 0);
    assert_ok(write_dataset(m, temp_path(&f, "out"), DATASET_REPLACE, NULL, &err), &err);
    assert_string_equal(tree(f.path), NEW_TREE);
    temp_folder_remove(&f);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef NARROWS_FAULTS
        cmocka_unit_test(kills_before_every_call), cmocka_unit_test(kills_of_recovery),
        cmocka_unit_test(every_call_fails),        cmocka_unit_test(every_call_of_recovery_fails),
        cmocka_unit_test(damaged_journals),        cmocka_unit_test(rests_are_told),
#endif
        cmocka_unit_test(old_trees_of_any_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
