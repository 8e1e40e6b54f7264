/* Turns: work that must happen in the order of morsel numbers although morsels are carried by many
 * threads. A column of a reader, a column of a writer, an ordered operator each own a turn.
 *
 * turn_wait(t, n) returns when n is next; turn_done(t, n) lets n + 1 go. Numbers are taken in
 * order by the workers and each worker holds one at a time, so the lowest number never waits for
 * a higher one: no deadlock. A failed or cancelled job calls turn_stop: all waits return
 * NRW_E_CANCELLED at once. */
#ifndef BASE_TURN_H
#define BASE_TURN_H

#include "base/error.h"
#include <stdatomic.h>

typedef struct turn {
    _Atomic uint64_t next;
    _Atomic uint32_t stop;
    _Atomic uint32_t epoch; /* futex word: changes whenever somebody should look again */
    _Atomic uint32_t waiters;
} turn;

/* Before a thread sleeps it looks again for about a hundred microseconds, a few times what being
 * woken costs: so many pauses, in each of which its processor goes to any other thread that wants
 * it. */
#define TURN_PAUSES 256
void turn_pause(void);

void turn_init(turn *t);
/* One that is at number n. */
void turn_init_at(turn *t, uint64_t n);
/* The number that is next, while nobody moves it on. */
uint64_t turn_number(const turn *t);
nrw_status turn_wait(turn *t, uint64_t n) NRW_CHECKED;
/* Whether turn_wait would return at once. */
bool turn_ready(turn *t, uint64_t n);
void turn_done(turn *t, uint64_t n);
void turn_stop(turn *t);

#endif
