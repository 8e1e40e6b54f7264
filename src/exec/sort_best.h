/* Of each group the first rows: a filter in front of a sort that keeps only those. It knows the
 * best rows that it let pass of as many groups as fit into a table of a fixed size, and drops rows
 * that cannot be among the first of theirs. Whatever it does not know passes: it may forget. */
#ifndef EXEC_SORT_BEST_H
#define EXEC_SORT_BEST_H

#include "base/buffer.h"
#include "column/type.h"
#include "exec/sort_key.h"

#define SORT_BEST_MOST 16u /* rows of a group */

typedef struct sort_best sort_best;

/* Keys of some rows, one behind the other in `all`: what tells groups apart, by sort_key_append;
 * what orders rows in a group, likewise; the row's ordinal, eight bytes, highest first. */
typedef struct sort_best_keys {
    bytes *all;
    uint32_t *ends;  /* of each key */
    uint32_t *alike; /* how many bytes of it tell groups apart */
    uint16_t *rows;  /* the caller's number of the row */
} sort_best_keys;

/* Groups are told apart by the first n_alike of the orders, by columns of `types`; of each nobody
 * looks at more than the first `each` rows. The table takes `room` bytes of m at most; pages of it
 * that are not used are not resident. *out is NULL where no row could ever be dropped (each too
 * large, keys too long, no room). */
nrw_status sort_best_new(mem *m, const type *types, const sort_order *orders, uint32_t n_alike,
                         uint64_t each, uint64_t room, sort_best **out, nrw_error *err);
void sort_best_free(sort_best *s); /* NULL is fine */

/* Takes keys out of which `each` rows that passed before come first in their group: how many of n
 * stay. Any number of threads at a time; nobody waits. */
uint32_t sort_best_pass(sort_best *s, const sort_best_keys *keys, uint32_t n);

#endif
