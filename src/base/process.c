/* What mem.h says about the process as a whole. */
#include "base/mem.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool read_text(const char *path, char *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, out, cap - 1);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

uint64_t mem_process_rss(void)
{
    char text[128], *end;

    if (!read_text("/proc/self/statm", text, sizeof text))
        return 0;
    strtoull(text, &end, 10);
    return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t mem_process_peak(void)
{
    char text[4096], *at;

    if (!read_text("/proc/self/status", text, sizeof text))
        return 0;
    at = strstr(text, "VmHWM:");
    return at ? strtoull(at + 6, NULL, 10) * 1024 : 0;
}

void mem_settle(void)
{
    malloc_trim(0);
}

void mem_tune_process(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}
