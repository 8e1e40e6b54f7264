/* Control groups, version 2 (one tree) and version 1 (a tree a controller). A limit holds for all
 * groups below it, so the least on the way from this process's group to the root counts. Inside a
 * container the path may name a group that is not visible; then what is mounted is the root. */
#include "base/threads.h"

#include "base/small_file.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* A number in a file; UINT64_MAX for "max", "-1", and where there is none. */
static uint64_t read_number(const char *path, char **rest, char *text, size_t cap)
{
    uint64_t v;

    if (!small_file_read(path, text, cap) || text[0] < '0' || text[0] > '9')
        return UINT64_MAX;
    v = strtoull(text, rest, 10);
    return v;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t cpus_of(uint64_t quota, uint64_t period)
{
    if (quota == UINT64_MAX || !quota || !period || period == UINT64_MAX)
        return UINT64_MAX;
    return (quota + period - 1) / period;
}

/* The limit of one group, of its folder. */
typedef uint64_t (*group_limit)(const char *folder);

static uint64_t cpus_v2(const char *folder)
{
    char path[PATH_SIZE + 32], text[64], *rest = NULL;
    uint64_t quota;

    snprintf(path, sizeof path, "%s/cpu.max", folder);
    quota = read_number(path, &rest, text, sizeof text);
    return rest ? cpus_of(quota, strtoull(rest, NULL, 10)) : UINT64_MAX;
}

static uint64_t cpus_v1(const char *folder)
{
    char path[PATH_SIZE + 32], text[64], *rest;
    uint64_t quota, period;

    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    quota = read_number(path, &rest, text, sizeof text);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    period = read_number(path, &rest, text, sizeof text);
    return cpus_of(quota, period);
}

static uint64_t memory_v2(const char *folder)
{
    char path[PATH_SIZE + 32], text[64], *rest;

    snprintf(path, sizeof path, "%s/memory.max", folder);
    return read_number(path, &rest, text, sizeof text);
}

static uint64_t memory_v1(const char *folder)
{
    char path[PATH_SIZE + 32], text[64], *rest;

    snprintf(path, sizeof path, "%s/memory.limit_in_bytes", folder);
    return read_number(path, &rest, text, sizeof text);
}

static uint64_t walk_up(const char *root, const char *group, group_limit limit)
{
    char folder[PATH_SIZE];
    int n = snprintf(folder, sizeof folder, "%s%s", root, strcmp(group, "/") ? group : "");
    size_t root_len = strlen(root);
    uint64_t found = UINT64_MAX;

    if (n < 0 || (size_t)n >= sizeof folder || strstr(group, "..")) {
        /* a path too long, or one outside of what is mounted */
        return limit(root);
    }
    for (;;) {
        char *slash;
        found = least(found, limit(folder));
        slash = strrchr(folder, '/');
        if (strlen(folder) <= root_len || !slash)
            return found;
        *slash = '\0';
    }
}

static bool has_controller(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (; *list; list += strcspn(list, ","), list += *list == ',')
        if (strcspn(list, ",") == len && !strncmp(list, name, len))
            return true;
    return false;
}

/* One line of the membership: "0::/group" or "4:cpu,cpuacct:/group". */
static uint64_t line_limit(char *line, const char *mount, const char *controller, group_limit v2,
                           group_limit v1)
{
    char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
    char root[PATH_SIZE];

    if (!group)
        return UINT64_MAX;
    *group++ = '\0';
    list++;
    if (!*list)
        return walk_up(mount, group, v2);
    if (!has_controller(list, controller))
        return UINT64_MAX;
    snprintf(root, sizeof root, "%s/%s", mount, controller);
    return walk_up(root, group, v1);
}

static uint64_t group_least(const char *membership, const char *mount, const char *controller,
                            group_limit v2, group_limit v1)
{
    char text[PATH_SIZE];
    uint64_t found = UINT64_MAX;

    if (!small_file_read(membership, text, sizeof text))
        return found;
    for (char *line = text, *end; *line; line = end) {
        end = strchrnul(line, '\n');
        if (*end)
            *end++ = '\0';
        found = least(found, line_limit(line, mount, controller, v2, v1));
    }
    return found;
}

uint64_t threads_group_cpus(const char *membership, const char *mount)
{
    return group_least(membership, mount, "cpu", cpus_v2, cpus_v1);
}

uint64_t threads_group_memory(const char *membership, const char *mount)
{
    return group_least(membership, mount, "memory", memory_v2, memory_v1);
}

static unsigned affine_cpus(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    return online > 0 ? (unsigned)online : 1; /* more CPUs than the set can tell */
}

unsigned threads_usable(void)
{
    uint64_t cpus = least(affine_cpus(), threads_group_cpus("/proc/self/cgroup", "/sys/fs/cgroup"));

    return cpus ? (unsigned)cpus : 1;
}

uint64_t threads_memory(void)
{
    uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    return least(ram, threads_group_memory("/proc/self/cgroup", "/sys/fs/cgroup"));
}

bool threads_all(void)
{
    const char *text = getenv("NARROWS_CREW");

    return text && strcmp(text, "all") == 0;
}
