/* Small pieces of memory in great numbers, as what hangs from the states of groups: texts, sets,
 * links of chains. Where malloc is left full of holes once some hundred thousand of them have grown
 * and gone at different times, and is resident far beyond the books, these are cut from blocks of
 * 64 KiB that the account is charged for and that go back whole.
 *
 * A piece is a struct whose first member is a uint16_t, which belongs to this allocator. It is
 * aligned to 8, never moves, and may be freed by any thread; it lives no longer than its account.
 * Threads that cut pieces from one account do not wait for each other. */
#ifndef BASE_PIECE_H
#define BASE_PIECE_H

#include "base/mem.h"

/* Not zeroed. */
nrw_status piece_new(mem *m, size_t bytes, void **out, nrw_error *err) NRW_CHECKED;
/* The same of *bytes, or, where the account is nearly used up, of `least`; *bytes becomes what it
 * is long. */
nrw_status piece_some(mem *m, size_t *bytes, size_t least, void **out, nrw_error *err) NRW_CHECKED;
/* Another length; *p, which may be NULL, stays valid on failure. */
nrw_status piece_resize(mem *m, void **p, size_t old_bytes, size_t bytes,
                        nrw_error *err) NRW_CHECKED;
void piece_free(void *p); /* NULL is fine */

/* The bytes that a piece of so many really has. */
size_t piece_room(size_t bytes);

/* Of an account on its way out, whose pieces are all freed. */
void piece_end(mem *m);

#endif
