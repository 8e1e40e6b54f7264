/* The entries of a dictionary that is being written, in order of first appearance. */
#ifndef ARROW_WRITE_ENTRIES_H
#define ARROW_WRITE_ENTRIES_H

#include "column/arrow_build.h"

typedef struct ipc_entries {
    arrow_indexer base;
    mem *m;
    type type;
    bytes keys;    /* bytes of the entries */
    uint64_t *end; /* of each in keys */
    uint32_t n, cap;
    uint32_t *slots; /* entry + 1; 0: free */
    uint32_t n_slots;
    uint32_t sent; /* entries that were written */
    /* of the dictionary met last, its entries' indices here, +1; 0: not looked up yet */
    uint64_t dict_id;
    uint32_t *map, map_len;
} ipc_entries;

void ipc_entries_init(ipc_entries *e, mem *m, const type *t);
void ipc_entries_release(ipc_entries *e);
/* Forgets all of them. */
void ipc_entries_clear(ipc_entries *e);
/* Entries [first, n) to an empty builder of the values. */
nrw_status ipc_entries_build(const ipc_entries *e, uint32_t first, arrow_builder *out,
                             nrw_error *err) NRW_CHECKED;

#endif
