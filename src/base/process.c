/* What mem.h says about the process as a whole. */
#include "base/mem.h"

#include "base/small_file.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

uint64_t mem_process_rss(void)
{
    char text[128], *end;

    if (!small_file_read("/proc/self/statm", text, sizeof text))
        return 0;
    strtoull(text, &end, 10);
    return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t mem_process_peak(void)
{
    char text[4096], *at;

    if (!small_file_read("/proc/self/status", text, sizeof text))
        return 0;
    at = strstr(text, "VmHWM:");
    return at ? strtoull(at + 6, NULL, 10) * 1024 : 0;
}

void mem_settle(void)
{
    malloc_trim(0);
}

/* Large pages only where blocks ask for them: elsewhere they would make memory resident that is on
 * no books. Systems that cannot tell the two apart get none where they would give them to all. */
static void settle_large_pages(void)
{
    enum { EXCEPT_ADVISED = 1 << 1 }; /* PR_THP_DISABLE_EXCEPT_ADVISED, Linux 6.18 */
    char text[128];

    if (prctl(PR_SET_THP_DISABLE, 1, EXCEPT_ADVISED, 0, 0) == 0)
        return;
    if (!small_file_read("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text) ||
        strstr(text, "[always]"))
        prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

void mem_tune_process(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    settle_large_pages();
}
