#include "base/fault.h"

#ifdef NARROWS_FAULTS

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static struct fault_state {
    _Atomic uint64_t armed, count;
} faults[FAULT_KINDS];

void fault_arm(fault_kind kind, uint64_t n)
{
    atomic_store(&faults[kind].armed, n);
    atomic_store(&faults[kind].count, 0);
}

uint64_t fault_count(fault_kind kind)
{
    return atomic_load(&faults[kind].count);
}

bool fault_hit(fault_kind kind)
{
    return atomic_fetch_add(&faults[kind].count, 1) + 1 == atomic_load(&faults[kind].armed);
}

int fault_io(bool needs_room)
{
    if (needs_room && fault_hit(FAULT_NOSPACE))
        return ENOSPC;
    return fault_hit(FAULT_IO) ? EIO : 0;
}

__attribute__((constructor)) static void arm_from_environment(void)
{
    static const char *const names[FAULT_KINDS] = {"alloc:", "io:", "enospc:"};
    const char *text = getenv("NARROWS_FAULT");

    for (int i = 0; text && i < FAULT_KINDS; i++) {
        size_t len = strlen(names[i]);
        if (!strncmp(text, names[i], len))
            fault_arm((fault_kind)i, strtoull(text + len, NULL, 10));
    }
}

#else

/* ISO C wants a translation unit to hold something */
typedef int fault_nothing;

#endif
