/* Lists of spilled blocks in constant memory, however many: the last few blocks are at hand, those
 * before them in the spill file, link by link. The caller locks. */
#ifndef IO_SPILL_CHAIN_H
#define IO_SPILL_CHAIN_H

#include "io/spill.h"

#define SPILL_LINK 8u /* blocks that are at hand, at most */

/* All zero is an empty one. It may be copied; the copy stands for it from then on. */
typedef struct spill_chain {
    spill_block before; /* with as many blocks, and what was before them; len 0: nothing is */
    spill_block blocks[SPILL_LINK];
    uint32_t n;
} spill_chain;

/* Adds a block, which stays the caller's on failure. It does not fail after a block was taken. */
nrw_status spill_chain_add(spill_chain *c, spill *s, const spill_block *b,
                           nrw_error *err) NRW_CHECKED;
/* Writes a block and adds it; on failure nothing is left of it. `compress` as spill_write has it.
 */
nrw_status spill_chain_write(spill_chain *c, spill *s, span data, bool compress,
                             nrw_error *err) NRW_CHECKED;
/* Takes the block out that was added last; it is the caller's then. NRW_END: there is none. */
nrw_status spill_chain_take(spill_chain *c, spill *s, spill_block *out, nrw_error *err) NRW_CHECKED;
/* The same of a copy of a chain, whose blocks and links stay where they are. */
nrw_status spill_chain_see(spill_chain *copy, spill *s, spill_block *out,
                           nrw_error *err) NRW_CHECKED;
/* Turns the order round, so that the block added first comes first. On failure some blocks are
 * gone. */
nrw_status spill_chain_turn(spill_chain *c, spill *s, nrw_error *err) NRW_CHECKED;
/* What is at hand goes to the spill file, too: *out names all of the chain then and stands for it
 * (spill_chain_of), of length 0 where it is empty. The chain is empty then. */
nrw_status spill_chain_fold(spill_chain *c, spill *s, spill_block *out, nrw_error *err) NRW_CHECKED;
static inline spill_chain spill_chain_of(const spill_block *folded)
{
    return (spill_chain){.before = *folded};
}
static inline bool spill_chain_is_empty(const spill_chain *c)
{
    return c->n == 0 && c->before.len == 0;
}
/* Frees all blocks, as far as their links can be read. */
void spill_chain_free(spill_chain *c, spill *s);

#endif
