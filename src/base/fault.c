#include "base/fault.h"

#ifdef NARROWS_FAULTS

#include <errno.h>
#include <signal.h>
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

static _Atomic(const fault_watcher *) watcher;

void fault_watch(const fault_watcher *w)
{
    atomic_store(&watcher, w);
}

void fault_change(int fd)
{
    const fault_watcher *w = atomic_load(&watcher);

    if (w)
        w->change(fd);
}

bool fault_hit(fault_kind kind)
{
    bool hit = atomic_fetch_add(&faults[kind].count, 1) + 1 == atomic_load(&faults[kind].armed);
    const fault_watcher *w = atomic_load(&watcher);

    return w ? w->ask(kind) : hit;
}

static _Atomic uint64_t kill_in; /* calls left; 0: not armed */
static _Atomic bool lacks[FAULT_LACKS];

void fault_kill(uint64_t n)
{
    atomic_store(&kill_in, n);
}

void fault_set_lack(fault_lack what, bool value)
{
    atomic_store(&lacks[what], value);
}

bool fault_lacks(fault_lack what)
{
    return atomic_load(&lacks[what]);
}

int fault_io(bool needs_room)
{
    if (atomic_load(&kill_in) && atomic_fetch_sub(&kill_in, 1) == 1)
        raise(SIGKILL);
    if (needs_room && fault_hit(FAULT_NOSPACE))
        return ENOSPC;
    return fault_hit(FAULT_IO) ? EIO : 0;
}

__attribute__((constructor)) static void arm_from_environment(void)
{
    static const char *const names[FAULT_KINDS] = {"alloc:", "io:", "enospc:"};
    static const char *const lack_names[FAULT_LACKS] = {"exchange", "noreplace", "sibling"};
    const char *text = getenv("NARROWS_FAULT"), *lack = getenv("NARROWS_LACK");

    for (int i = 0; text && i < FAULT_KINDS; i++) {
        size_t len = strlen(names[i]);
        if (!strncmp(text, names[i], len))
            fault_arm((fault_kind)i, strtoull(text + len, NULL, 10));
    }
    if (text && !strncmp(text, "kill:", 5))
        fault_kill(strtoull(text + 5, NULL, 10));
    for (int i = 0; lack && i < FAULT_LACKS; i++)
        fault_set_lack((fault_lack)i, strstr(lack, lack_names[i]) != NULL);
}

#else

/* ISO C wants a translation unit to hold something */
typedef int fault_nothing;

#endif
