#include "temp_folder.h"

#include "base/threads.h"

#include <sched.h>

static void put(temp_folder *t, const char *name, const char *text)
{
    temp_write(t, name, text, strlen(text));
}

static uint64_t cpus(temp_folder *t)
{
    char membership[512];

    snprintf(membership, sizeof membership, "%s/self", t->path);
    return threads_group_cpus(membership, t->path);
}

static uint64_t memory(temp_folder *t)
{
    char membership[512];

    snprintf(membership, sizeof membership, "%s/self", t->path);
    return threads_group_memory(membership, t->path);
}

static void version_two(void **state)
{
    temp_folder t;

    (void)state;
    temp_folder_make(&t);
    assert_true(cpus(&t) == UINT64_MAX && memory(&t) == UINT64_MAX);
    put(&t, "self", "0::/a/b\n");
    put(&t, "a/b/cpu.max", "max 100000\n");
    put(&t, "a/b/memory.max", "max\n");
    assert_true(cpus(&t) == UINT64_MAX && memory(&t) == UINT64_MAX);
    put(&t, "a/b/cpu.max", "350000 100000\n");
    assert_int_equal(cpus(&t), 4);
    put(&t, "a/cpu.max", "150000 100000\n"); /* the group above is narrower */
    assert_int_equal(cpus(&t), 2);
    put(&t, "a/b/memory.max", "1073741824\n");
    put(&t, "a/memory.max", "2147483648\n");
    assert_int_equal(memory(&t), 1073741824);
    put(&t, "memory.max", "1000000\n");
    assert_int_equal(memory(&t), 1000000);
    put(&t, "self", "0::/\n");
    assert_int_equal(memory(&t), 1000000);
    assert_true(cpus(&t) == UINT64_MAX);
    put(&t, "self", "0::/../elsewhere\n"); /* not visible from here */
    assert_int_equal(memory(&t), 1000000);
    temp_folder_remove(&t);
}

static void version_one(void **state)
{
    temp_folder t;

    (void)state;
    temp_folder_make(&t);
    put(&t, "self", "9:name=systemd:/\n8:memory:/x\n3:cpu,cpuacct:/y\n0::/\n");
    put(&t, "memory/x/memory.limit_in_bytes", "500000000\n");
    put(&t, "memory/memory.limit_in_bytes", "9223372036854771712\n");
    put(&t, "cpu/y/cpu.cfs_quota_us", "-1\n");
    put(&t, "cpu/y/cpu.cfs_period_us", "100000\n");
    assert_int_equal(memory(&t), 500000000);
    assert_true(cpus(&t) == UINT64_MAX);
    put(&t, "cpu/y/cpu.cfs_quota_us", "50000\n");
    assert_int_equal(cpus(&t), 1);
    temp_folder_remove(&t);
}

static void nonsense_is_no_limit(void **state)
{
    temp_folder t;

    (void)state;
    temp_folder_make(&t);
    put(&t, "self", "rubbish\n\n::\n0:\n0::/a\n");
    put(&t, "a/cpu.max", "100000");
    put(&t, "a/memory.max", "lots");
    assert_true(cpus(&t) == UINT64_MAX && memory(&t) == UINT64_MAX);
    put(&t, "a/cpu.max", "0 0");
    assert_true(cpus(&t) == UINT64_MAX);
    temp_folder_remove(&t);
}

static void affinity_counts(void **state)
{
    cpu_set_t all, one;
    int first = 0;

    (void)state;
    assert_true(threads_usable() >= 1);
    assert_true(threads_memory() > 1 << 20);
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(threads_usable(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_two),
        cmocka_unit_test(version_one),
        cmocka_unit_test(nonsense_is_no_limit),
        cmocka_unit_test(affinity_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
