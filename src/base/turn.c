#include "base/turn.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPINS 16

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void turn_pause(void)
{
    for (int i = 0; i < SPINS; i++)
        relax();
    sched_yield();
}

/* A sleeper is woken by the bit of the number it waits for, so that a step does not wake all. */
static uint32_t bit_of(uint64_t n)
{
    return 1u << (n % 32);
}

static void futex(_Atomic uint32_t *word, int op, uint32_t value, uint32_t bits)
{
    /* EAGAIN and EINTR both mean: look again */
    syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, bits);
}

void turn_init(turn *t)
{
    atomic_init(&t->next, 0);
    atomic_init(&t->stop, 0);
    atomic_init(&t->epoch, 0);
    atomic_init(&t->waiters, 0);
}

void turn_init_at(turn *t, uint64_t n)
{
    turn_init(t);
    atomic_init(&t->next, n);
}

uint64_t turn_number(const turn *t)
{
    return atomic_load(&t->next);
}

static bool may_go(turn *t, uint64_t n, nrw_status *st)
{
    if (atomic_load(&t->stop)) {
        *st = NRW_E_CANCELLED;
        return true;
    }
    *st = NRW_OK;
    return atomic_load(&t->next) == n;
}

bool turn_ready(turn *t, uint64_t n)
{
    nrw_status st;
    return may_go(t, n, &st);
}

nrw_status turn_wait(turn *t, uint64_t n)
{
    nrw_status st;
    bool go = may_go(t, n, &st);

    for (int i = 0; !go && i < TURN_PAUSES; i++) {
        turn_pause();
        go = may_go(t, n, &st);
    }
    if (go)
        return st;
    /* The count is raised before the last look and read by turn_done after its store (all in one
     * total order): either this thread sees the store, or turn_done sees the waiter and changes
     * the epoch, which ends the sleep. */
    atomic_fetch_add(&t->waiters, 1);
    for (;;) {
        uint32_t epoch = atomic_load(&t->epoch);
        if (may_go(t, n, &st))
            break;
        futex(&t->epoch, FUTEX_WAIT_BITSET, epoch, bit_of(n));
    }
    atomic_fetch_sub(&t->waiters, 1);
    return st;
}

static void wake(turn *t, uint32_t bits)
{
    if (!atomic_load(&t->waiters))
        return;
    atomic_fetch_add(&t->epoch, 1);
    futex(&t->epoch, FUTEX_WAKE_BITSET, INT_MAX, bits);
}

void turn_done(turn *t, uint64_t n)
{
    atomic_store(&t->next, n + 1);
    wake(t, bit_of(n + 1));
}

void turn_stop(turn *t)
{
    atomic_store(&t->stop, 1);
    wake(t, FUTEX_BITSET_MATCH_ANY);
}
