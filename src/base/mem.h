/* Memory accounts and the page-backed allocator.
 *
 * Accounts form a tree: process -> job -> reader / operator / writer -> ... A reservation is
 * charged to an account and to all above it, and refused by the first one whose limit (its grant)
 * it would pass. Every byte is reserved before it is allocated. Who asks for memory that data
 * named (a page, a dictionary) must be ready for NRW_E_MEMLIMIT: it spills, reads in pieces, or
 * hands the error up. Accounts are thread-safe; an account must outlive its children.
 *
 * mem_alloc takes blocks of 32 KiB and more from a recycling cache of page-backed blocks, smaller
 * ones from malloc. Sizes are given back on free, so the books are exact; the books hold the size
 * that was really taken (rounded up). Cached free blocks are charged to the process account and
 * given back to the system as soon as a reservation would otherwise fail.
 *
 * A test build can make the n-th allocation fail: see base/fault.h. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/error.h"

typedef struct mem mem;

#define MEM_NO_LIMIT UINT64_MAX

/* A root account: `limit` bytes for everything below it. */
nrw_status mem_root(uint64_t limit, mem **out, nrw_error *err);

/* A child with a grant of its own. `name` is static text: "parquet reader", shown in reports and
 * in refusals. */
nrw_status mem_child(mem *parent, const char *name, uint64_t limit, mem **out, nrw_error *err);

/* Used must be zero: a debug build aborts the test otherwise (the only abort in the library; the
 * release build hands what is left to the parent). NULL is fine. */
void mem_free_account(mem *m);

/* Books only. mem_try_reserve fills no error: for callers that have another way. */
nrw_status mem_reserve(mem *m, uint64_t bytes, nrw_error *err) NRW_CHECKED;
bool mem_try_reserve(mem *m, uint64_t bytes);
void mem_release(mem *m, uint64_t bytes);

/* Memory and books. The block is not zeroed. `bytes` 0 gives a valid pointer. */
nrw_status mem_alloc(mem *m, size_t bytes, void **out, nrw_error *err) NRW_CHECKED;
nrw_status mem_zalloc(mem *m, size_t bytes, void **out, nrw_error *err) NRW_CHECKED;
void *mem_try_alloc(mem *m, size_t bytes);
/* Old content up to the smaller size is kept; *p stays valid on failure. */
nrw_status mem_realloc(mem *m, void **p, size_t old_bytes, size_t new_bytes,
                       nrw_error *err) NRW_CHECKED;
/* `bytes` as at allocation. p == NULL is fine. */
void mem_free(mem *m, void *p, size_t bytes);

/* The books of an allocation of `bytes` go from one account to another, which may be of another
 * root and has no limit; there it is freed. */
void mem_move(mem *from, mem *to, size_t bytes);
/* Free blocks of this root go back to the system. */
void mem_trim_root(mem *m);

/* What an allocation of so many bytes takes in the books, rounding included. */
uint64_t mem_cost(size_t bytes);

uint64_t mem_used(const mem *m);
uint64_t mem_peak(const mem *m);
uint64_t mem_limit(const mem *m);
void mem_set_limit(mem *m, uint64_t limit);
/* What could still be reserved: the least over this account and all above it. */
uint64_t mem_room(const mem *m);
const char *mem_name(const mem *m);
/* Where base/piece.c keeps what an account's pieces are cut from. */
_Atomic(void *) *mem_pieces(mem *m);

/* Gives cached free blocks back to the system. */
void mem_trim(void);

/* Gives pages back that lie free inside the heap: where many small blocks came and went, they are
 * resident beyond the books. Takes about a millisecond. */
void mem_settle(void);

/* Resident bytes of this process now, and its peak (VmHWM), from /proc; 0 where unknown. */
uint64_t mem_process_rss(void);
uint64_t mem_process_peak(void);

/* One malloc arena, fixed thresholds, large pages only for blocks that ask for them: the command
 * calls it first thing so that resident memory follows the books; the library itself never does. */
void mem_tune_process(void);

#endif
